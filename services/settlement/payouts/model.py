"""Payouts: money on its way from a balance to a registered bank account."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, Index, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import money
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from chassis.values import CurrencyMismatch, Money
from services.settlement.base import Base


class State(StrEnum):
    """How far a payout is."""

    REQUESTED = "requested"
    SENT = "sent"
    PAID = "paid"
    RETURNED = "returned"


REMINDED_AFTER = {State.REQUESTED: timedelta(days=1), State.SENT: timedelta(days=3)}


class PayoutReferenceReused(Conflict):
    """The bank's reference belongs to another payout."""


class Payout(Stateful, Base):
    """A withdrawal. The bank account is as it was registered when it was asked for; ``due_at`` is the next reminder."""

    __tablename__ = "payout"
    __table_args__ = (Index("ix_payout_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),)
    constraint_problems: ClassVar = {"uq_payout_bank_reference": PayoutReferenceReused}

    initial: ClassVar = State.REQUESTED
    final: ClassVar = frozenset({State.PAID, State.RETURNED})
    waits: ClassVar = frozenset({State.REQUESTED, State.SENT})
    moves: ClassVar = {
        "send": Move(State.REQUESTED, to=State.SENT),
        "confirm": Move(State.SENT, to=State.PAID),
        "return": Move(State.REQUESTED, State.SENT, to=State.RETURNED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(index=True)
    amount: Mapped[Money] = money("amount")
    bank_account_id: Mapped[str]
    holder: Mapped[str]
    number: Mapped[str]
    bank: Mapped[str]
    bank_reference: Mapped[str | None] = mapped_column(unique=True)
    reason: Mapped[str | None]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    reminders: Mapped[int]
    due_at: Mapped[datetime | None]
    state: Mapped[State] = state_column(State)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator or caller.has("bank_feed") else cls.party_id == caller.party_id

    def send(self, bank_reference: str) -> None:
        """The bank was told to pay it."""
        self.move("send")
        self.bank_reference, self.due_at = bank_reference, clock.now() + REMINDED_AFTER[State.SENT]

    def confirm(self) -> None:
        """The bank says that it was paid."""
        self.move("confirm")
        self.due_at = None

    def give_back(self, reason: str) -> None:
        """It was not paid: the money is the company's again."""
        self.move("return")
        self.reason, self.due_at = reason, None

    def remind(self) -> None:
        """It still waits when it is due."""
        self.reminders += 1
        self.due_at = clock.now() + REMINDED_AFTER[self.state]


def check_currency(amount: Money, currency: str) -> None:
    """Raises CurrencyMismatch unless a bank account takes this currency."""
    if amount.currency != currency:
        raise CurrencyMismatch(f"the bank account takes {currency}", field="$.amount.currency")
