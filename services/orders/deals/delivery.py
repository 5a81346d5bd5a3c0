"""A delivery as the deal sees it: which part it carries, what it weighed and comes to, and whether it was accepted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, Quantity
from events.orders import Terms
from services.orders.base import Base, stored
from services.orders.deals.amounts import work_out_by
from services.orders.deals.model import Deal, Part
from services.orders.deals.weighing import settle_quantity


class NotInDeal(Conflict):
    """A delivery carries what is not the deal's, or what another delivery already carries."""


class DeliveryState(StrEnum):
    """Where a delivery stands; ``weighed`` is in inspection."""

    STARTED = "started"
    DEPARTED = "departed"
    WEIGHED = "weighed"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    CANCELLED = "cancelled"


ON_THE_WAY = frozenset({DeliveryState.STARTED, DeliveryState.DEPARTED})
UNDER_WAY = ON_THE_WAY | {DeliveryState.WEIGHED}
ACCEPTED = frozenset({DeliveryState.ACCEPTED, DeliveryState.SETTLED})


class Delivery(Stateful, Base):
    """One truck of a deal; its id is the one that logistics gave it. Its deal's lock is its lock."""

    __tablename__ = "delivery"

    moves = {
        "depart": Move(DeliveryState.STARTED, to=DeliveryState.DEPARTED),
        "weigh": Move(DeliveryState.STARTED, DeliveryState.DEPARTED, to=DeliveryState.WEIGHED),
        "cancel": Move(DeliveryState.STARTED, to=DeliveryState.CANCELLED),
        "accept": Move(DeliveryState.WEIGHED, to=DeliveryState.ACCEPTED),
        "settle": Move(DeliveryState.ACCEPTED, to=DeliveryState.SETTLED),
    }
    initial = DeliveryState.STARTED
    final = frozenset({DeliveryState.SETTLED, DeliveryState.CANCELLED})
    waits = frozenset({DeliveryState.WEIGHED})

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("deal.id"), index=True)
    state: Mapped[DeliveryState] = state_column(DeliveryState)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    piece_ids: Mapped[list[str]] = stored(list[str])
    quantity: Mapped[Quantity] = database.quantity("quantity")
    loaded: Mapped[Quantity | None] = database.quantity("loaded", nullable=True)
    received: Mapped[Quantity | None] = database.quantity("received", nullable=True)
    settled: Mapped[Quantity | None] = database.quantity("settled", nullable=True)
    net: Mapped[Money | None] = database.money("net", nullable=True)
    tax: Mapped[Money | None] = database.money("tax", nullable=True)
    gross: Mapped[Money | None] = database.money("gross", nullable=True)
    is_last: Mapped[bool] = mapped_column(default=False)
    statement_id: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.deal_id.in_(select(Deal.id).where(Deal.visible_to(caller)))

    @property
    def part(self) -> Part:
        """The part of the deal that it carries."""
        return Part(self.piece_ids, self.quantity)

    def weigh(self, terms: Terms, *, loaded: Quantity, received: Quantity, now: datetime) -> None:
        """Put down both weights, what they settle to and what it comes to; inspection begins. Raises IllegalMove."""
        settled = settle_quantity(
            terms.weighing_rule, terms.tolerance, label=self.quantity, loaded=loaded, received=received
        )
        amounts = work_out_by(terms, settled)
        self.move("weigh")
        self.loaded, self.received, self.settled = loaded, received, settled
        self.net, self.tax, self.gross = amounts.net, amounts.tax, amounts.gross
        self.due_at = now + terms.periods.inspect

    def accept(self, *, rest: Part) -> None:
        """Let its quantity stand; ``rest`` is what is then left of the deal to deliver. Raises IllegalMove."""
        self.move("accept")
        self.is_last, self.due_at = not rest.quantity, None

    def settle(self, statement_id: str) -> None:
        """Its money has moved. Raises IllegalMove."""
        self.move("settle")
        self.statement_id = statement_id


def check_part(rest: Part, wanted: Part) -> None:
    """Whether a delivery may carry a part of what no other carries; by weight it may be more. Raises NotInDeal."""
    if wrong := sorted(set(wanted.piece_ids) - set(rest.piece_ids)):
        raise NotInDeal(", ".join(wrong), piece_ids=wrong)
