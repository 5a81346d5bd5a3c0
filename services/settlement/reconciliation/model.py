"""A reconciliation is a row that waits for its hour, asks Stripe page by page, and keeps what differed.

It begins where the one before ended, less a day; as long as something differs the next one looks back as far again, at
most ninety days. A first difference is looked at again soon: what was under way has arrived by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Text, false, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.states import Move, Stateful, state_column
from services.settlement.base import Base
from services.settlement.movements.model import CardMovement, Movement

ASK_AGAIN_AFTER = timedelta(hours=1)
LOOK_AGAIN_AFTER = timedelta(minutes=15)
OVERLAP_S = 24 * 3600
LONGEST_LOOK_BACK_S = 90 * 24 * 3600
MOST_DIFFERENCES = 1_000
UNDER_WAY = timedelta(hours=1)
"""How long a credited payment may wait for Stripe to show its charge."""


class State(StrEnum):
    """Where a reconciliation stands."""

    SCHEDULED = "scheduled"
    ASKING = "asking"
    AGREED = "agreed"
    DIFFERING = "differing"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where Stripe and we do not say the same, in minor units after fees.

    ``subject`` is a balance transaction of Stripe's, a payment that was credited without a charge, or ``clearing:CUR``:
    there ``at_stripe`` is what our rows add up to, and ``ours`` the ledger's account.
    """

    subject: str
    currency: str
    at_stripe: int
    ours: int
    payment_id: str | None = None


class Reconciliation(Stateful, Base):
    """One look at Stripe's books from ``since`` on (unix seconds of Stripe's); ``after`` is the page's beginning."""

    __tablename__ = "reconciliation"
    initial = State.SCHEDULED
    final = frozenset({State.AGREED, State.DIFFERING})
    waits = frozenset({State.SCHEDULED, State.ASKING})
    moves: ClassVar[dict[str, Move]] = {
        "ask": Move(State.SCHEDULED, to=State.ASKING),
        "agree": Move(State.ASKING, to=State.AGREED),
        "differ": Move(State.ASKING, to=State.DIFFERING),
    }

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    state: Mapped[State] = state_column(State)
    since: Mapped[int] = mapped_column(BigInteger)
    newest: Mapped[int] = mapped_column(BigInteger)
    after: Mapped[str | None]
    compared: Mapped[int]
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()

    def ask(self) -> None:
        """It is time, or no answer came: ask for the page that it has come to."""
        if self.state is State.SCHEDULED:
            self.move("ask")
        self.due_at = clock.now() + ASK_AGAIN_AFTER

    def begin_again(self) -> None:
        """Stripe has lost the place: what was found stays out until it is found again."""
        self.newest, self.after, self.compared, self.differences = 0, None, 0, []

    def note(self, found: Iterable[Difference]) -> None:
        """Keep differences, at most the first thousand."""
        self.differences = [*self.differences, *(msgspec.to_builtins(each) for each in found)][:MOST_DIFFERENCES]

    def end(self) -> None:
        """Everything was compared."""
        self.move("differ" if self.differences else "agree")
        self.ended_at, self.due_at, self.after = clock.now(), None, None

    @property
    def next_since(self) -> int:
        """Where the next one begins."""
        if self.state is State.DIFFERING:
            return max(self.since, self.newest - LONGEST_LOOK_BACK_S)
        return max(self.since, self.newest - OVERLAP_S)


def compare(at_stripe: Movement, ours: CardMovement | None, payment_id: str | None) -> Difference | None:
    """What differs between a movement and what was posted of it."""
    posted = (ours.amount, ours.fee, ours.currency) if ours else None
    if posted == (at_stripe.amount, at_stripe.fee, at_stripe.currency):
        return None
    return Difference(
        subject=at_stripe.id,
        currency=at_stripe.currency,
        at_stripe=at_stripe.net,
        ours=ours.net if ours else 0,
        payment_id=payment_id,
    )


def name_run(due_at: datetime) -> str:
    """The id of the reconciliation of a time; ids sort as times do."""
    return f"reconciliation_{due_at:%Y%m%dT%H%M%SZ}"


def next_night(hour: int) -> datetime:
    """The next time that it is this hour (UTC)."""
    tonight = clock.now().replace(hour=hour, minute=0, second=0, microsecond=0)
    return tonight if tonight > clock.now() else tonight + timedelta(days=1)
