"""A cancellation: one side proposes it, the other agrees, and logistics says whether it still lets a paid part go."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import Quantity
from events.orders import Side
from services.orders.base import Base, stored
from services.orders.deals.model import ASK_AGAIN, Deal
from services.orders.deals.parts import Part

OPEN_FOR = timedelta(days=7)


class NotYourAnswer(Forbidden):
    """The side that proposed a cancellation may withdraw it; the other one agrees to it or declines it."""


class ProposalExpired(Conflict):
    """The time to answer this proposal is over."""


class PartNotOpen(Conflict):
    """Only a part that has not ended and is on no truck can be cancelled."""


class WrongPart(Invalid):
    """A deal of pieces is cancelled by naming pieces of it, a deal by weight by naming a quantity."""


class State(StrEnum):
    """Where a cancellation stands; ``agreed`` waits for logistics, ``failed`` came too late: some of it is on a truck."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Cancellation(Stateful, Base):
    """A part of a deal that one side proposes to cancel; its deal's lock is its lock."""

    __tablename__ = "cancellation"

    moves = {
        "agree": Move(State.PROPOSED, to=State.AGREED),
        "decline": Move(State.PROPOSED, to=State.DECLINED),
        "withdraw": Move(State.PROPOSED, to=State.WITHDRAWN),
        "expire": Move(State.PROPOSED, to=State.EXPIRED),
        "cancel": Move(State.AGREED, to=State.CANCELLED),
        "fail": Move(State.AGREED, to=State.FAILED),
    }
    initial = State.PROPOSED
    final = frozenset({State.CANCELLED, State.FAILED, State.DECLINED, State.WITHDRAWN, State.EXPIRED})
    waits = frozenset({State.PROPOSED, State.AGREED})

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("deal.id"), index=True)
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    proposed_by: Mapped[str]
    piece_ids: Mapped[list[str]] = stored(list[str])
    quantity: Mapped[Quantity] = database.quantity("quantity")
    reason: Mapped[str]
    note: Mapped[str | None]
    proposed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.deal_id.in_(select(Deal.id).where(Deal.visible_to(caller)))

    @property
    def part(self) -> Part:
        """What would be let go of."""
        return Part(self.piece_ids, self.quantity)

    def agree(self, by: Side, now: datetime) -> None:
        """The other side agrees: logistics is asked about a paid part. Raises NotYourAnswer, ProposalExpired or IllegalMove."""
        self._check(by != self.proposed_by, now)
        self.move("agree")
        self.ask_again(now)

    def decline(self, by: Side, now: datetime) -> None:
        """The other side does not agree. Raises NotYourAnswer, ProposalExpired or IllegalMove."""
        self._check(by != self.proposed_by, now)
        self._end("decline", now)

    def withdraw(self, by: Side, now: datetime) -> None:
        """The side that proposed it does not want it any more. Raises NotYourAnswer, ProposalExpired or IllegalMove."""
        self._check(by == self.proposed_by, now)
        self._end("withdraw", now)

    def expire(self, now: datetime) -> None:
        """Nobody answered in time. Raises IllegalMove."""
        self._end("expire", now)

    def ask_again(self, now: datetime) -> None:
        """Look again in a while whether logistics has answered."""
        self.due_at = now + ASK_AGAIN

    def answer(self, move: str, now: datetime) -> None:
        """Logistics has let go of it, or has not: ``cancel`` or ``fail``. Raises IllegalMove."""
        self._end(move, now)

    def _check(self, is_theirs: bool, now: datetime) -> None:
        if not is_theirs:
            raise NotYourAnswer(f"the {self.proposed_by} proposed it", proposed_by=self.proposed_by)
        if self.state == State.PROPOSED and now >= self.due_at:
            raise ProposalExpired(f"it was open until {self.due_at:%Y-%m-%d %H:%M:%SZ}", due_at=self.due_at)

    def _end(self, move: str, now: datetime) -> None:
        self.move(move)
        self.due_at, self.ended_at = None, now


def check_open(wanted: Part, waiting: Part) -> None:
    """Whether all that is wanted of a deal is still waiting for a truck. Raises PartNotOpen."""
    if gone := sorted(set(wanted.piece_ids) - set(waiting.piece_ids)):
        raise PartNotOpen(", ".join(gone), piece_ids=gone, field="$.piece_ids")
    if wanted.quantity > waiting.quantity:
        raise PartNotOpen(f"{waiting.quantity} could be", quantity=waiting.quantity, field="$.quantity")
