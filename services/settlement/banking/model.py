"""Bank credits: what the bank says has come in, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, Index, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import money
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, Value
from services.settlement.base import Base

REMINDED_EVERY = timedelta(days=1)


class State(StrEnum):
    """Where the money of a bank credit is."""

    RECORDED = "recorded"
    SUSPENSE = "suspense"
    CREDITED = "credited"
    RETURNED = "returned"


class Doubt(StrEnum):
    """Why nobody's balance was credited."""

    UNKNOWN_REFERENCE = "unknown_reference"
    SEVERAL_REFERENCES = "several_references"
    UNREGISTERED_PAYER = "unregistered_payer"


class CardBalanceExceeded(Conflict):
    """Stripe does not hold so much for the platform."""


class BankReferenceReused(Conflict):
    """The bank's reference was recorded before with another content."""


class Slip(Value):
    """What the bank says of one credit. ``payer_account`` is written as ``plain_number`` writes it."""

    bank_reference: str
    value_date: date
    payer_account: str
    payer_name: str
    amount: Money
    remittance: str


class BankCredit(Stateful, Base):
    """Money that came in by bank; ``due_at`` is when the operator is next reminded that it is in suspense."""

    __tablename__ = "bank_credit"
    __table_args__ = (Index("ix_bank_credit_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),)

    initial: ClassVar = State.RECORDED
    final: ClassVar = frozenset({State.CREDITED, State.RETURNED})
    waits: ClassVar = frozenset({State.SUSPENSE})
    moves: ClassVar = {
        "credit": Move(State.RECORDED, to=State.CREDITED),
        "suspend": Move(State.RECORDED, to=State.SUSPENSE),
        "assign": Move(State.SUSPENSE, to=State.CREDITED),
        "return": Move(State.SUSPENSE, to=State.RETURNED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    bank_reference: Mapped[str] = mapped_column(unique=True)
    value_date: Mapped[date]
    payer_account: Mapped[str]
    payer_name: Mapped[str]
    amount: Mapped[Money] = money("amount")
    remittance: Mapped[str]
    party_id: Mapped[str | None] = mapped_column(index=True)
    doubt: Mapped[str | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    reminders: Mapped[int]
    due_at: Mapped[datetime | None]
    state: Mapped[State] = state_column(State)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator or caller.has("bank_feed") else cls.party_id == caller.party_id

    @property
    def slip(self) -> Slip:
        """What the bank said."""
        return Slip(**{name: getattr(self, name) for name in Slip.__struct_fields__})

    def check_same(self, slip: Slip) -> None:
        """Raises BankReferenceReused, naming what differs, when the same reference comes with another content."""
        differing = [name for name in Slip.__struct_fields__ if getattr(self.slip, name) != getattr(slip, name)]
        if differing:
            raise BankReferenceReused(f"recorded as {self.id}; {', '.join(differing)} differ", differing=differing)

    def credit(self, party_id: str) -> None:
        """It is a company's by its reference and its registered account."""
        self.move("credit")
        self.party_id = party_id

    def suspend(self, doubt: Doubt) -> None:
        """Nobody knows yet whose it is."""
        self.move("suspend")
        self.doubt, self.due_at = doubt, clock.now() + REMINDED_EVERY

    def assign(self, party_id: str, decided_by: str) -> None:
        """It was found out whose it is."""
        self.move("assign")
        self.party_id, self.decided_by, self.due_at = party_id, decided_by, None

    def give_back(self, decided_by: str) -> None:
        """It goes back to where it came from."""
        self.move("return")
        self.decided_by, self.due_at = decided_by, None

    def remind(self) -> None:
        """It is still in suspense when it is due."""
        self.reminders += 1
        self.due_at = clock.now() + REMINDED_EVERY


def judge(party_ids: Sequence[str], is_registered: bool) -> Doubt | None:
    """What keeps a credit from being a company's: it is quoted alone, and the payer's account is registered by it."""
    if not party_ids:
        return Doubt.UNKNOWN_REFERENCE
    if len(party_ids) > 1:
        return Doubt.SEVERAL_REFERENCES
    return None if is_registered else Doubt.UNREGISTERED_PAYER
