"""A company, what identifies it, and the bank accounts that it may be paid to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Problem
from chassis.states import Move, Stateful, state_column
from services.identity.base import Base


class State(StrEnum):
    """Whether a company may act."""

    ADMITTED = "admitted"
    SUSPENDED = "suspended"


class IdentifierTaken(Conflict):
    """A company with this identifier has been admitted before."""


class AccountTaken(Conflict):
    """This bank account is registered already."""


class Party(Stateful, Base):
    """A company that was admitted; ``version`` counts its changes."""

    __tablename__ = "party"
    moves: ClassVar[dict[str, Move]] = {
        "suspend": Move(State.ADMITTED, to=State.SUSPENDED),
        "reinstate": Move(State.SUSPENDED, to=State.ADMITTED),
    }
    initial: ClassVar[StrEnum] = State.ADMITTED
    final: ClassVar[frozenset[StrEnum]] = frozenset()

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    country: Mapped[str]
    controlling_group: Mapped[str | None]
    state: Mapped[State] = state_column(State)
    admitted_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Whoever signed in sees the companies that may trade; a company always sees itself."""
        if caller.is_operator:
            return true()
        return or_((cls.state == State.ADMITTED) & (caller.kind != "public"), cls.id == caller.party_id)


class PartyIdentifierRow(Base):
    """An identifier of a company, in its compact form; it names one company."""

    __tablename__ = "party_identifier"
    __table_args__ = (UniqueConstraint("scheme", "value"),)
    constraint_problems: ClassVar[Mapping[str, Callable[[], Problem]]] = {
        "uq_party_identifier_scheme_value": IdentifierTaken
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    scheme: Mapped[str]
    value: Mapped[str]


class BankAccountRow(Base):
    """A registered bank account; a number is registered once in a currency."""

    __tablename__ = "bank_account"
    __table_args__ = (UniqueConstraint("number", "currency"),)
    constraint_problems: ClassVar[Mapping[str, Callable[[], Problem]]] = {
        "uq_bank_account_number_currency": AccountTaken
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    holder: Mapped[str]
    number: Mapped[str]
    bank: Mapped[str]
    currency: Mapped[str]
