"""A user, the roles one may be given, and the password's hash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Meta
from sqlalchemy import ColumnElement, Index, Text, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import PARTY_ROLES, PLATFORM, Caller, Kind
from chassis.problems import Conflict, Forbidden, Invalid, Problem
from chassis.states import Move, Stateful, state_column
from services.identity.base import Base

# As HTML 5 has it for input of type email; it leaves no room for a second address in a header.
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])?"
EMAIL = rf"^[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~\-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*(?![\s\S])"
_is_email = re.compile(EMAIL).match
EmailText = Annotated[str, Meta(min_length=3, max_length=254, pattern=EMAIL)]
USER_ROLES_OF_PLATFORM = frozenset({"operator"})

# OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, two iterations, one lane. About 40 ms.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_DUMMY = _hasher.hash("nobody's password")


class State(StrEnum):
    """Whether a user may sign in."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class EmailTaken(Conflict):
    """Somebody signs in with this email address already."""


class EmailInvalid(Invalid):
    """This is not an email address."""


class RolesInvalid(Invalid):
    """These roles cannot be given here."""


class NotToOneself(Forbidden):
    """Nobody can take away their own administration."""


class User(Stateful, Base):
    """A person who signs in; ``version`` counts changes that others are told of."""

    __tablename__ = "user_account"
    __table_args__ = (
        Index("uq_user_account_email", "email", unique=True, postgresql_where=text("state <> 'deactivated'")),
    )
    constraint_problems: ClassVar[Mapping[str, Callable[[], Problem]]] = {"uq_user_account_email": EmailTaken}
    moves: ClassVar[dict[str, Move]] = {
        "activate": Move(State.INVITED, to=State.ACTIVE),
        "deactivate": Move(State.INVITED, State.ACTIVE, to=State.DEACTIVATED),
    }
    initial: ClassVar[StrEnum] = State.INVITED
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.DEACTIVATED})

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    party_id: Mapped[str] = mapped_column(index=True)
    email: Mapped[str]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[State] = state_column(State)
    password_hash: Mapped[str | None]
    invited_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Those of the caller's own company; the operator sees all."""
        return true() if caller.is_operator else cls.party_id == caller.party_id

    @property
    def kind(self) -> Kind:
        """What a token says of this user."""
        return "operator" if self.party_id == PLATFORM else "user"

    def give_roles(self, roles: Iterable[str]) -> None:
        """Replace the roles. Raises RolesInvalid."""
        self.roles = check_roles(roles, allowed=_allowed(self.party_id))

    def set_password(self, password: str) -> None:
        """Keep the hash of a password; an invited user becomes active. Raises IllegalMove for a deactivated one."""
        if self.state is not State.ACTIVE:
            self.move("activate")
        self.password_hash = _hasher.hash(password)


def read_email(text: str) -> str:
    """An email address in the form that it is kept in. Raises EmailInvalid."""
    if not _is_email(text) or len(text) > 254:
        raise EmailInvalid(text, field="$.email")
    return text.lower()


def check_password(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed; None takes as long and is never right."""
    try:
        return _hasher.verify(password_hash or _DUMMY, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def check_roles(roles: Iterable[str], *, allowed: frozenset[str]) -> list[str]:
    """The roles, each once, in order. Raises RolesInvalid when there are none or one is not allowed."""
    given = sorted(set(roles))
    if not given or (strange := set(given) - allowed):
        detail = f"not {', '.join(sorted(strange))}" if given else "at least one is needed"
        raise RolesInvalid(detail, field="$.roles", allowed=sorted(allowed))
    return given


def _allowed(party_id: str) -> frozenset[str]:
    return USER_ROLES_OF_PLATFORM if party_id == PLATFORM else frozenset(PARTY_ROLES)
