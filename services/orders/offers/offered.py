"""The rules of an offer: its machine, who may see, take and change it, and what a change makes of it (TRADE.md 3.1).

They are the same for an offer that a session holds and for one of the thousands in a price list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import IllegalMove, Move, Stateful
from chassis.values import Quantity
from events.catalog import LicenceNeeded
from events.identity import Licence
from events.orders import Terms
from services.orders.measures import add_up
from services.orders.offers.lot import Lot, check_lot
from services.orders.parties.licences import find_hidden


class StaleOffer(Conflict):
    """The offer's terms are not those that were seen."""


class OfferExpired(Conflict):
    """The offer is no longer valid."""


class OfferWithdrawn(Conflict):
    """The seller has withdrawn the offer."""


class UnitChanged(Invalid):
    """The unit and the currency of a price stay what they were: withdraw the offer and list another."""


class WeightChanged(Invalid):
    """Pieces stay listed by the weight they were listed by: withdraw the offer and list another."""


class NumberInUse(Conflict):
    """Another offer of the company has this number and is not closed."""


class WrongOffer(Invalid):
    """An offer names pieces, a quantity of a product, or a quantity with its lot, its warehouse and a title."""


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


class Offered(Stateful):
    """What an offer does, wherever its fields are kept.

    ``listed`` = ``remaining`` + ``withdrawn`` + what its deals have taken and not given back (L1). ``version`` counts
    every change, ``terms_version`` only those that a taker must have seen.
    """

    moves = {
        "take_part": Move(State.LISTED, State.PARTLY_TAKEN, to=State.PARTLY_TAKEN),
        "take_all": Move(State.LISTED, State.PARTLY_TAKEN, to=State.TAKEN),
        "return_part": Move(State.PARTLY_TAKEN, State.TAKEN, to=State.PARTLY_TAKEN),
        "return_all": Move(State.PARTLY_TAKEN, State.TAKEN, to=State.LISTED),
        "withdraw": Move(State.LISTED, State.PARTLY_TAKEN, to=State.WITHDRAWN),
        "expire": Move(State.LISTED, State.PARTLY_TAKEN, State.TAKEN, to=State.EXPIRED),
    }
    initial = State.LISTED
    final = CLOSED
    waits = OPEN

    id: str
    version: int
    terms_version: int
    state: State
    due_at: datetime | None
    valid_until: datetime
    market: str
    seller_id: str
    warehouse_id: str
    title: str
    terms: Terms
    listed: Quantity
    remaining: Quantity
    withdrawn: Quantity
    minimum: Quantity | None
    step: Quantity | None
    number: str | None
    product_id: str | None
    audience: list[str] | None
    licences: list[LicenceNeeded] | None

    @property
    def is_by_weight(self) -> bool:
        """Whether takers name a quantity; otherwise they name pieces."""
        return self.step is not None

    @property
    def lot(self) -> Lot:
        """The counters that a take is judged by."""
        return Lot(self.remaining, self.minimum, self.step)

    @property
    def needs(self) -> list[LicenceNeeded]:
        """The licences that its goods ask for."""
        return self.licences or []

    def audience_for(self, caller: Caller) -> list[str] | None:
        """Whom it is shown to, as a caller learns it: others than its seller and the operator only of themselves."""
        if self.audience is None or caller.is_operator or caller.party_id == self.seller_id:
            return self.audience
        return [caller.party_id]

    def is_shown_to(self, party_id: str, held: Iterable[Licence], now: datetime) -> bool:
        """Whether a company that holds some licences may see it while it is open: ``is_shown`` says the same in SQL."""
        if party_id == self.seller_id:
            return True
        return (self.audience is None or party_id in self.audience) and not find_hidden(held, self.needs, now)

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

    def resize(self, left: Quantity, minimum: Quantity, step: Quantity) -> None:
        """Change how much of an offer by weight is left to sell, and in which parts; what was taken stays taken.

        Raises IllegalMove, WrongOffer or WrongLot.
        """
        if self.state not in OPEN:
            raise IllegalMove(f"cannot resize while {self.state}", state=str(self.state), allowed=sorted(OPEN))
        if not self.is_by_weight:
            raise WrongOffer("its pieces say this themselves", field="$.quantity")
        check_lot(left, minimum, step)
        taken = self.listed - self.remaining
        self.listed, self.remaining = add_up((taken, left), left.unit), left
        self.minimum, self.step = minimum, step
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
