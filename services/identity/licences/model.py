"""A licence that a company holds or says it holds, its machine, and the record of what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, ForeignKey, Index, Text, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid, Problem
from chassis.states import Move, Stateful, state_column
from services.identity.base import Base


class State(StrEnum):
    """Where a licence stands; an approved one is in force from its beginning on."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    REVOKED = "revoked"
    EXPIRED = "expired"


LIVING = frozenset({State.SUBMITTED, State.APPROVED})


class LicencePeriodWrong(Invalid):
    """A licence begins before it ends, and ends in the future."""


class LicenceRecorded(Conflict):
    """This licence is recorded already, with the same beginning."""


class NotYourCompany(Forbidden):
    """A company submits its own licences only."""


class Licence(Stateful, Base):
    """A licence of a company under a scheme; ``scope`` are the classes or goods that it is for, ``evidence`` its proof.

    ``due_at`` is when the next thing happens by itself: it begins to be in force, or it ends.
    """

    __tablename__ = "licence"
    __table_args__ = (
        Index(
            "uq_licence_living",
            "party_id",
            "scheme",
            "number",
            "valid_from",
            unique=True,
            postgresql_where=text("state IN ('submitted', 'approved')"),
        ),
    )
    constraint_problems: ClassVar[Mapping[str, Callable[[], Problem]]] = {"uq_licence_living": LicenceRecorded}
    moves: ClassVar[dict[str, Move]] = {
        "approve": Move(State.SUBMITTED, to=State.APPROVED),
        "refuse": Move(State.SUBMITTED, to=State.REFUSED),
        "revoke": Move(State.APPROVED, to=State.REVOKED),
        "expire": Move(State.SUBMITTED, State.APPROVED, to=State.EXPIRED),
    }
    initial: ClassVar[StrEnum] = State.SUBMITTED
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.REFUSED, State.REVOKED, State.EXPIRED})
    waits: ClassVar[frozenset[StrEnum]] = LIVING

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    scheme: Mapped[str]
    number: Mapped[str]
    scope: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    evidence: Mapped[str]
    recorded_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Those of the caller's own company; the operator sees all."""
        return true() if caller.is_operator else cls.party_id == caller.party_id

    def advance(self, move: str, now: datetime) -> None:
        """Make a move and note what its state waits for. Raises IllegalMove."""
        self.move(move)
        self.wait(now)

    def wait(self, now: datetime) -> None:
        """Note what its state waits for: an approved one for its beginning and then, as a submitted one, for its end."""
        if self.state not in LIVING:
            self.due_at = None
        elif self.state == State.APPROVED and now < self.valid_from:
            self.due_at = self.valid_from
        else:
            self.due_at = self.valid_until


class LicenceStep(Base):
    """One entry in the record of a licence: ``what`` happened (submitted or a move), who did it, when and why."""

    __tablename__ = "licence_step"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"), index=True)
    what: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.licence_id.in_(select(Licence.id).where(Licence.visible_to(caller)))


def check_period(valid_from: datetime, valid_until: datetime, now: datetime) -> None:
    """Raises LicencePeriodWrong, which names the field."""
    if valid_until <= now:
        raise LicencePeriodWrong("it is over", field="$.valid_until")
    if valid_from >= valid_until:
        raise LicencePeriodWrong("it would end before it begins", field="$.valid_from")
