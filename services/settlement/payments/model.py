"""Card payments: a party tops its balance up through Stripe. What Stripe says is ranked; only a success moves money.

A payment is charged at once (automatic capture) into the platform's balance: a card hold lapses after days and cannot
carry an order that ships in weeks. It can be given back whole while its party still has the money.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

import msgspec
from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Index, Text, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import money
from chassis.problems import Conflict, Invalid, Unauthorized, Unavailable
from chassis.states import Move, Stateful, state_column
from chassis.values import CURRENCY_EXPONENTS, Money
from services.settlement.base import Base

MOST_MINOR_UNITS = 99_999_999
"""Stripe takes at most eight digits an amount (docs.stripe.com/currencies)."""
TEST_METHOD = "pm_card_visa"
MOST_ATTEMPTS = 3
CHARGE_WINDOW = timedelta(minutes=15)
"""How long a charge may be asked for: far below the 24 hours after which Stripe forgets an idempotency key."""
FIRST_CHASE = timedelta(minutes=20)
"""After the window and the longest call, so that no charge can be on its way when the payment is looked up."""
CHASE_EVERY = timedelta(minutes=30)


class CardsOff(Unavailable):
    """Card payments are not offered here."""


class CardAmountRefused(Invalid):
    """This amount cannot be paid by card."""


class CardCurrencyRefused(Invalid):
    """This currency cannot be paid by card."""


class PaymentMethodMissing(Invalid):
    """A payment method is needed."""


class CardPaymentReturned(Conflict):
    """Money of this card payment has gone back already."""


class SignatureRefused(Unauthorized):
    """The webhook is not signed as Stripe signs."""


class State(StrEnum):
    """Where a card payment stands."""

    CREATED = "created"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDING = "refunding"


RANK = {State.CREATED: 0, State.PROCESSING: 1, State.FAILED: 2, State.SUCCEEDED: 3, State.REFUNDING: 4}
CREDITED = (State.SUCCEEDED, State.REFUNDING)


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What Stripe said of a payment intent: amounts in minor units, ``payment_id`` as we wrote it into its metadata."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    payment_id: str | None = None
    failure_code: str | None = None
    decline_code: str | None = None
    failure_detail: str | None = None

    @property
    def state(self) -> State:
        """What the status means for us. Ours is confirmed when it is made: without a method it was declined."""
        match self.status:
            case "succeeded":
                return State.SUCCEEDED
            case "canceled" | "requires_payment_method":
                return State.FAILED
            case _:
                return State.PROCESSING


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a payment failed, or its refund: Stripe's ``code`` (card_declined, expired_card, …), the bank's, and words for people."""

    code: str
    decline_code: str | None = None
    detail: str | None = None


class CardPayment(Stateful, Base):
    """A top-up by card. ``attempt`` counts the keys that were used, ``refunds`` how often a refund was asked for.

    A late success outranks a failure. ``returned`` is what went back to the card by refunds and disputes, in minor units.
    """

    __tablename__ = "card_payment"
    __table_args__ = (
        CheckConstraint("(state IN ('created', 'processing', 'refunding')) = (due_at IS NOT NULL)", name="deadline"),
        CheckConstraint("amount_amount > 0", name="amount"),
        Index("ix_card_payment_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )
    initial = State.CREATED
    final = frozenset()
    waits = frozenset({State.CREATED, State.PROCESSING, State.REFUNDING})
    moves: ClassVar[dict[str, Move]] = {
        "process": Move(State.CREATED, to=State.PROCESSING),
        "fail": Move(State.CREATED, State.PROCESSING, to=State.FAILED),
        "succeed": Move(State.CREATED, State.PROCESSING, State.FAILED, to=State.SUCCEEDED),
        "refund": Move(State.SUCCEEDED, to=State.REFUNDING),
        "end_refund": Move(State.REFUNDING, to=State.SUCCEEDED),
    }

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    party_id: Mapped[str] = mapped_column(index=True)
    amount: Mapped[Money] = money("amount")
    payment_method: Mapped[str]
    state: Mapped[State] = state_column(State)
    attempt: Mapped[int] = mapped_column(default=1)
    charge_key: Mapped[str] = mapped_column(unique=True)
    intent_id: Mapped[str | None] = mapped_column(unique=True)
    failure_code: Mapped[str | None]
    decline_code: Mapped[str | None]
    failure_detail: Mapped[str | None]
    refunds: Mapped[int] = mapped_column(server_default="0")
    returned: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    @classmethod
    def start(cls, party_id: str, amount: Money, payment_method: str) -> CardPayment:
        """A new payment. Raises CardCurrencyRefused or CardAmountRefused."""
        check_amount(amount)
        now, id = clock.now(), clock.new_id("card_payment")
        return cls(
            id=id,
            party_id=party_id,
            amount=amount,
            payment_method=payment_method,
            state=State.CREATED,
            attempt=1,
            charge_key=charge_key(id, 1),
            refunds=0,
            returned=0,
            created_at=now,
            due_at=now + FIRST_CHASE,
        )

    @property
    def charge_until(self) -> datetime:
        """When no charge may be asked for any more."""
        return self.created_at + CHARGE_WINDOW

    @property
    def refund_key(self) -> str:
        """What names the present refund in the ledger."""
        return f"{self.id}:{self.refunds}"

    def outranks(self, state: State) -> bool:
        """Whether news of a state tells nothing new: a lower or equal rank never replaces what is known."""
        return RANK[state] <= RANK[self.state]

    def agrees_with(self, intent: Intent) -> bool:
        """Whether an intent is this payment's own: its id, once known, its amount, and all of it received."""
        if self.intent_id not in (None, intent.id) or intent.payment_id != self.id:
            return False
        if (intent.amount, intent.currency.upper()) != (self.amount.amount, self.amount.currency):
            return False
        return intent.state is not State.SUCCEEDED or intent.amount_received == self.amount.amount

    def process(self, intent: Intent) -> None:
        """The bank takes its time."""
        self.move("process")
        self.intent_id = intent.id
        self.due_at = clock.now() + CHASE_EVERY

    def succeed(self, intent: Intent) -> None:
        """The money is in the platform's balance at Stripe."""
        self.move("succeed")
        self.intent_id, self.ended_at, self.due_at = intent.id, clock.now(), None
        self.failure_code = self.decline_code = self.failure_detail = None

    def fail(self, failure: Failure, intent_id: str | None = None) -> None:
        """No money came."""
        self.move("fail")
        self.intent_id = self.intent_id or intent_id
        self.ended_at, self.due_at = clock.now(), None
        self.failure_code, self.decline_code, self.failure_detail = failure.code, failure.decline_code, failure.detail

    def refund(self) -> None:
        """It is to go back whole. Raises IllegalMove, or CardPaymentReturned when some of it went back."""
        if self.returned:
            raise CardPaymentReturned(f"{Money(self.returned, self.amount.currency)} of it went back")
        self.move("refund")
        self.refunds += 1
        self.due_at = clock.now() + CHASE_EVERY
        self.failure_code = self.decline_code = self.failure_detail = None

    def end_refund(self, refusal: Failure | None = None) -> None:
        """It went back, or Stripe has refused to give it back."""
        self.move("end_refund")
        self.due_at = None
        if refusal is not None:
            self.failure_code, self.failure_detail = refusal.code, refusal.detail

    def take_new_key(self) -> None:
        """Go on under the next key, after it was made sure that the one before charged nothing."""
        self.attempt += 1
        self.charge_key = charge_key(self.id, self.attempt)


def charge_key(payment_id: str, attempt: int) -> str:
    """The idempotency key of a charge: from our row, so that an unknown outcome is asked for again, never repeated."""
    return f"charge:{payment_id}:{attempt}"


def choose_method(asked: str | None, stripe_key: str) -> str:
    """The payment method to charge: what was asked for, else Stripe's test card, and that only under a test key.

    Raises CardsOff without a key for Stripe, PaymentMethodMissing.
    """
    if not stripe_key:
        raise CardsOff("no key for Stripe is set")
    if asked is None and not stripe_key.startswith("sk_test_"):
        raise PaymentMethodMissing("name a payment method of Stripe's", field="$.payment_method")
    return asked or TEST_METHOD


def check_amount(amount: Money) -> None:
    """Raises CardCurrencyRefused or CardAmountRefused. Stripe's smallest amounts are left to Stripe."""
    # Stripe counts three-decimal currencies with a last digit of zero (docs.stripe.com/currencies): not taken.
    if CURRENCY_EXPONENTS[amount.currency] > 2:
        raise CardCurrencyRefused(f"{amount.currency} is not taken by card", field="$.amount.currency")
    if not 0 < amount.amount <= MOST_MINOR_UNITS:
        raise CardAmountRefused(f"1 to {MOST_MINOR_UNITS} minor units", field="$.amount.amount")
