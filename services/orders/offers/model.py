"""An offer: its machine, how much of it is left, and who may take how much of it (TRADE.md 3.1)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
from sqlalchemy import CheckConstraint, ColumnElement, Numeric, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.database import quantity
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import IllegalMove, Move, Stateful, state_column
from chassis.values import Quantity
from events.orders import Terms
from services.orders.base import Base, stored
from services.orders.measures import add_up


class StaleOffer(Conflict):
    """The offer's terms are not those that were seen."""


class OfferExpired(Conflict):
    """The offer is no longer valid."""


class OfferWithdrawn(Conflict):
    """The seller has withdrawn the offer."""


class InsufficientQuantity(Conflict):
    """Less is left of the offer than was asked for."""


class BelowMinimum(Conflict):
    """Less than the offer's minimum would be taken, or would be left."""


class NotAStep(Conflict):
    """The quantity is neither a multiple of the offer's step nor all that is left."""


class UnitChanged(Invalid):
    """The unit and the currency of a price stay what they were: withdraw the offer and list another."""


class WeightChanged(Invalid):
    """Pieces stay listed by the weight they were listed by: withdraw the offer and list another."""


class NotYourOffer(Forbidden):
    """Only its seller may change an offer."""


class State(StrEnum):
    """Where an offer stands; ``taken`` is wholly in deals, and opens again when one of them comes to nothing."""

    LISTED = "listed"
    PARTLY_TAKEN = "partly_taken"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


OPEN = frozenset({State.LISTED, State.PARTLY_TAKEN})
CLOSED = frozenset({State.WITHDRAWN, State.EXPIRED})


class Lot(msgspec.Struct, frozen=True):
    """The counters that a take is judged by; ``minimum`` and ``step`` are None where pieces are named."""

    remaining: Quantity
    minimum: Quantity | None = None
    step: Quantity | None = None

    def check(self, wanted: Quantity) -> None:
        """Whether a quantity may be taken: ``remaining.take_quantity`` says the same in SQL.

        Raises InsufficientQuantity with the remaining figure, NotAStep or BelowMinimum (TRADE.md 3.1: q ≥ minimum, q a
        multiple of the step or all that is left, and nothing or at least the minimum is left).
        """
        if not wanted:
            raise BelowMinimum("more than nothing must be taken", minimum=self.minimum, remaining=self.remaining)
        if wanted > self.remaining:
            raise InsufficientQuantity(f"{self.remaining} is left", remaining=self.remaining)
        if self.minimum is None or self.step is None or wanted.value == self.remaining.value:
            return
        if wanted < self.minimum:
            raise BelowMinimum(
                f"at least {self.minimum}, or all that is left", minimum=self.minimum, remaining=self.remaining
            )
        if wanted.value % self.step.value:
            raise NotAStep(f"a multiple of {self.step}, or all that is left", step=self.step, remaining=self.remaining)
        if self.remaining - wanted < self.minimum:
            raise BelowMinimum(
                f"{self.remaining - wanted} would be left: leave nothing or {self.minimum}",
                minimum=self.minimum,
                remaining=self.remaining,
            )


class Offer(Stateful, Base):
    """Goods for sale, by named pieces or by weight, at terms that have a version.

    ``listed`` = ``remaining`` + ``withdrawn`` + what its deals have taken and not given back (L1). ``version`` counts
    every change, ``terms_version`` only those that a taker must have seen.
    """

    __tablename__ = "offer"
    __table_args__ = (CheckConstraint("remaining_value >= 0", name="not_oversold"),)

    moves = {
        "take_part": Move(State.LISTED, State.PARTLY_TAKEN, to=State.PARTLY_TAKEN),
        "take_all": Move(State.LISTED, State.PARTLY_TAKEN, to=State.TAKEN),
        "return_part": Move(State.PARTLY_TAKEN, State.TAKEN, to=State.PARTLY_TAKEN),
        "return_all": Move(State.PARTLY_TAKEN, State.TAKEN, to=State.LISTED),
        "withdraw": Move(State.LISTED, State.PARTLY_TAKEN, to=State.WITHDRAWN),
        "expire": Move(State.LISTED, State.PARTLY_TAKEN, to=State.EXPIRED),
    }
    initial = State.LISTED
    final = CLOSED
    waits = OPEN

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    terms_version: Mapped[int]
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    valid_until: Mapped[datetime]
    market: Mapped[str]
    seller_id: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[str]
    title: Mapped[str]
    terms: Mapped[Terms] = stored(Terms)
    penalty_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    listed: Mapped[Quantity] = quantity("listed")
    remaining: Mapped[Quantity] = quantity("remaining")
    withdrawn: Mapped[Quantity] = quantity("withdrawn")
    minimum: Mapped[Quantity | None] = quantity("minimum", nullable=True)
    step: Mapped[Quantity | None] = quantity("step", nullable=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return or_(cls.state.in_(OPEN), cls.seller_id == caller.party_id)

    @property
    def is_by_weight(self) -> bool:
        """Whether takers name a quantity; otherwise they name pieces."""
        return self.step is not None

    @property
    def lot(self) -> Lot:
        """The counters that a take is judged by."""
        return Lot(self.remaining, self.minimum, self.step)

    def check_takable(self, *, seen: int, now: datetime) -> None:
        """Whether it can still be taken from by one who saw a version of its terms.

        Raises OfferExpired, OfferWithdrawn or StaleOffer; how much is left is for ``lot`` and the pieces to say.
        """
        if self.state == State.WITHDRAWN:
            raise OfferWithdrawn()
        if self.state == State.EXPIRED or now >= self.valid_until:
            raise OfferExpired(
                f"it was valid until {self.valid_until:%Y-%m-%d %H:%M:%SZ}", valid_until=self.valid_until
            )
        if seen != self.terms_version:
            raise StaleOffer(f"its terms are at version {self.terms_version}", version=self.terms_version)

    def check_changeable(self, *, by: str, now: datetime) -> None:
        """Whether its seller may revise or withdraw it now. Raises NotYourOffer or OfferExpired."""
        if by != self.seller_id:
            raise NotYourOffer()
        if self.state in OPEN and now >= self.valid_until:
            raise OfferExpired(
                f"it was valid until {self.valid_until:%Y-%m-%d %H:%M:%SZ}", valid_until=self.valid_until
            )

    def revise(self, terms: Terms, title: str) -> None:
        """Give it new terms, which takers must have seen from now on. Raises IllegalMove, UnitChanged or WeightChanged."""
        if self.state not in OPEN:
            raise IllegalMove(f"cannot revise while {self.state}", state=str(self.state), allowed=sorted(OPEN))
        if (terms.price.unit, terms.price.currency) != (self.terms.price.unit, self.terms.price.currency):
            raise UnitChanged(
                f"its price is in {self.terms.price.currency} for a {self.terms.price.unit}", field="$.terms.price"
            )
        rules = {terms.weighing_rule, self.terms.weighing_rule}
        if len(rules) == 2 and "THEORETICAL" in rules and not self.is_by_weight:
            raise WeightChanged(f"by {self.terms.weighing_rule}", field="$.terms.weighing_rule")
        self.terms, self.title, self.valid_until, self.due_at = terms, title, terms.valid_until, terms.valid_until
        self.terms_version += 1
        self.version += 1

    def close(self, move: str) -> None:
        """Withdraw or expire it: what nobody took is withdrawn. Raises IllegalMove."""
        self.move(move)
        self.withdrawn, self.remaining, self.due_at = (
            self.withdrawn + self.remaining,
            Quantity.zero(self.remaining.unit),
            None,
        )
        self.version += 1

    def put_back(self, returned: Quantity, now: datetime) -> None:
        """Take a quantity back from a dead deal: for sale again, or withdrawn when the offer is closed or over."""
        self.version += 1
        if self.state in CLOSED:
            self.withdrawn = add_up((self.withdrawn, returned), returned.unit)
            return
        remaining = add_up((self.remaining, returned), returned.unit)
        self.move("return_all" if remaining == self.listed else "return_part")
        self.remaining, self.due_at = remaining, self.valid_until
        if now >= self.valid_until:
            self.close("expire")
