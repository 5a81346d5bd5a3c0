"""A delivery as the deal sees it: which part it carries, what it weighed and comes to, and whether it was accepted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, false, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, Quantity
from events.orders import Side, Terms
from services.orders.base import Base, stored
from services.orders.deals.amounts import Amounts, work_out_by
from services.orders.deals.model import Deal
from services.orders.deals.parts import Part
from services.orders.deals.verdicts import Verdict, judge
from services.orders.deals.weighing import Weights, bound
from services.orders.measures import in_price_unit


class NotInDeal(Conflict):
    """A delivery carries what is not the deal's, or what another delivery already carries."""


class NotDisputed(Conflict):
    """The weight of this delivery is not in dispute."""


class WeightOutside(Invalid):
    """A disputed weight lies between what was loaded and what was received."""


class DeliveryState(StrEnum):
    """Where a delivery stands.

    ``weighed`` is in inspection, ``disputed`` accepted but for the weight that both sides or a third party still have to
    name, ``owing`` settled but for what it came to beyond the escrow.
    """

    STARTED = "started"
    DEPARTED = "departed"
    WEIGHED = "weighed"
    DISPUTED = "disputed"
    ACCEPTED = "accepted"
    OWING = "owing"
    SETTLED = "settled"
    CANCELLED = "cancelled"


ON_THE_WAY = frozenset({DeliveryState.STARTED, DeliveryState.DEPARTED})
UNDER_WAY = ON_THE_WAY | {DeliveryState.WEIGHED}
UNSETTLED = frozenset({DeliveryState.DISPUTED, DeliveryState.ACCEPTED, DeliveryState.OWING})
DELIVERED = UNSETTLED | {DeliveryState.SETTLED}


class Delivery(Stateful, Base):
    """One truck of a deal; its id is the one that logistics gave it. Its deal's lock is its lock.

    ``covered`` is how much of the deal it fulfils, all that it carries unless by weight that was more than was left, and
    ``value`` its share of the deal's gross. ``version`` is that of its weights. In a dispute each side names a weight.
    """

    __tablename__ = "delivery"

    moves = {
        "depart": Move(DeliveryState.STARTED, to=DeliveryState.DEPARTED),
        "weigh": Move(DeliveryState.STARTED, DeliveryState.DEPARTED, DeliveryState.WEIGHED, to=DeliveryState.WEIGHED),
        "cancel": Move(DeliveryState.STARTED, to=DeliveryState.CANCELLED),
        "accept": Move(DeliveryState.WEIGHED, to=DeliveryState.ACCEPTED),
        "dispute": Move(DeliveryState.WEIGHED, to=DeliveryState.DISPUTED),
        "decide": Move(DeliveryState.DISPUTED, to=DeliveryState.ACCEPTED),
        "owe": Move(DeliveryState.ACCEPTED, to=DeliveryState.OWING),
        "settle": Move(DeliveryState.ACCEPTED, DeliveryState.OWING, to=DeliveryState.SETTLED),
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
    version: Mapped[int] = mapped_column(default=0, server_default="1")
    loaded: Mapped[Quantity | None] = database.quantity("loaded", nullable=True)
    received: Mapped[Quantity | None] = database.quantity("received", nullable=True)
    third_party: Mapped[Quantity | None] = database.quantity("third_party", nullable=True)
    settled: Mapped[Quantity | None] = database.quantity("settled", nullable=True)
    net: Mapped[Money | None] = database.money("net", nullable=True)
    tax: Mapped[Money | None] = database.money("tax", nullable=True)
    gross: Mapped[Money | None] = database.money("gross", nullable=True)
    covered: Mapped[Quantity | None] = database.quantity("covered", nullable=True)
    value: Mapped[Money | None] = database.money("value", nullable=True)
    reason: Mapped[str | None]
    is_disputed: Mapped[bool] = mapped_column(default=False, server_default=false())
    buyer_weight: Mapped[Quantity | None] = database.quantity("buyer_weight", nullable=True)
    seller_weight: Mapped[Quantity | None] = database.quantity("seller_weight", nullable=True)
    is_last: Mapped[bool] = mapped_column(default=False)
    statement_id: Mapped[str | None]
    passed_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.deal_id.in_(select(Deal.id).where(Deal.visible_to(caller)))

    @property
    def part(self) -> Part:
        """The part of the deal that it carries."""
        return Part(self.piece_ids, self.quantity)

    @property
    def fulfilled(self) -> Part:
        """The part of the deal that it fulfils, once it was accepted."""
        return Part(self.piece_ids, self.quantity if self.covered is None else self.covered)

    @property
    def weights(self) -> Weights:
        """What is known of its weight, once it was weighed."""
        return Weights(label=self.quantity, loaded=self.loaded, received=self.received, third_party=self.third_party)

    @property
    def amounts(self) -> Amounts:
        """What it comes to as far as that is settled, once it was weighed."""
        return Amounts(self.net, self.tax, self.gross)

    def is_news(self, version: int) -> bool:
        """Whether weights of a version may be taken in: the first, or a correction before it was accepted."""
        return self.can("weigh") and (self.state in ON_THE_WAY or version > self.version)

    def weigh(self, terms: Terms, weights: Weights, *, version: int, now: datetime) -> None:
        """Put down what it weighed, what stands of it and what it comes to; inspection begins. Raises IllegalMove."""
        verdict = judge(terms, weights)
        amounts = work_out_by(terms, verdict.settled)
        self.move("weigh")
        self.loaded, self.received, self.third_party = weights.loaded, weights.received, weights.third_party
        self.version, self.is_disputed = version, verdict.is_open
        self._put_down(verdict, amounts)
        self.due_at = now + terms.periods.inspect

    def accept(self, covered: Quantity, value: Money) -> None:
        """Let its quantity stand, or what is not disputed of it; ``value`` is its share. Raises IllegalMove."""
        self.move("dispute" if self.is_disputed else "accept")
        self.covered, self.value, self.due_at = covered, value, None

    def name_weight(self, side: Side, weight: Quantity) -> bool:
        """One side's weight in a dispute, kept in the unit of the scale; whether both now say the same.

        Raises NotDisputed, WeightOutside, UnitMismatch or TooFine.
        """
        if self.state != DeliveryState.DISPUTED:
            raise NotDisputed(f"it is {self.state}", state=str(self.state))
        weight = in_price_unit(weight, self.loaded.unit, field="$.weight")
        if bound(weight, self.weights) is not weight:
            least, most = sorted((self.loaded, self.received))
            raise WeightOutside(f"between {least} and {most}", field="$.weight", least=least, most=most)
        setattr(self, f"{side}_weight", weight)
        return self.buyer_weight == self.seller_weight

    def decide(self, verdict: Verdict, amounts: Amounts) -> None:
        """A disputed weight is decided: that is settled. Raises IllegalMove."""
        self.move("decide")
        self._put_down(verdict, amounts)

    def _put_down(self, verdict: Verdict, amounts: Amounts) -> None:
        self.settled, self.reason = verdict.settled, verdict.reason
        self.net, self.tax, self.gross = amounts.net, amounts.tax, amounts.gross


def check_part(rest: Part, wanted: Part) -> None:
    """Whether a delivery may carry a part of what no other carries; by weight it may be more. Raises NotInDeal."""
    if wrong := sorted(set(wanted.piece_ids) - set(rest.piece_ids)):
        raise NotInDeal(", ".join(wrong), piece_ids=wrong)
