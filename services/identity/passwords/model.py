"""A ticket: the right to choose a user's password, once, before a deadline. The token itself is kept nowhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta
from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.problems import Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import NO_CONTROL
from services.identity.base import Base
from services.identity.vault import Vault

INVITATION_VALID = timedelta(days=14)
RESET_VALID = timedelta(hours=1)
# Length is what counts (NIST SP 800-63B 5.1.1); no rules of composition.
PasswordText = Annotated[str, Meta(min_length=10, max_length=200, pattern=NO_CONTROL)]
TokenText = Annotated[str, Meta(min_length=10, max_length=200, pattern=r"^[A-Za-z0-9_.\-]+(?![\s\S])")]


class State(StrEnum):
    """Whether a ticket may still be used."""

    OPEN = "open"
    USED = "used"
    VOID = "void"


class TicketInvalid(Invalid):
    """The one-time token is unknown, was used, or is past its end."""


class Ticket(Stateful, Base):
    """The right to choose the password of a user, once."""

    __tablename__ = "password_ticket"
    moves: ClassVar[dict[str, Move]] = {
        "use": Move(State.OPEN, to=State.USED),
        "cancel": Move(State.OPEN, to=State.VOID),
    }
    initial: ClassVar[StrEnum] = State.OPEN
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.USED, State.VOID})
    waits: ClassVar[frozenset[StrEnum]] = frozenset({State.OPEN})

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(index=True)
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return false()

    def token(self, vault: Vault) -> str:
        """What the user is given."""
        return write_token(vault, self.id)

    def use(self) -> None:
        """Use it up. Raises TicketInvalid when it was used or its time is over."""
        if not self.can("use") or self.due_at is None or self.due_at <= clock.now():
            raise TicketInvalid("ask for a new one", field="$.token")
        self.move("use")
        self.due_at = None

    def cancel(self) -> None:
        """Make it void."""
        self.move("cancel")
        self.due_at = None


def write_token(vault: Vault, ticket_id: str) -> str:
    """The one-time token of a ticket."""
    return f"{ticket_id}.{vault.name('ticket', ticket_id)}"


def read_token(vault: Vault, token: str) -> str:
    """The id of the ticket that a token is for. Raises TicketInvalid when we did not make it."""
    ticket_id, _, name = token.partition(".")
    if not vault.is_name(name, "ticket", ticket_id):
        raise TicketInvalid("ask for a new one", field="$.token")
    return ticket_id
