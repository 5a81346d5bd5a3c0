"""A deal: its machine, its deadlines and what it froze (TRADE.md 3.0 and 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, ForeignKey, Numeric, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, Quantity, Value
from events.identity import PartyIdentifier
from events.orders import DealPiece, Side, Terms
from services.orders.base import Base, stored
from services.orders.deals.amounts import forfeit_of, work_out_by
from services.orders.measures import add_up

ASK_AGAIN = timedelta(seconds=60)


class NotYourDeal(Forbidden):
    """This is for the other side of the deal to do."""


class TooLate(Conflict):
    """The time to do this is over."""


class WorthNothing(Invalid):
    """A deal must be worth at least one minor unit of its currency."""


class EscrowMismatch(Conflict):
    """The escrow was funded with another amount than the deal's."""


class State(StrEnum):
    """Where a deal stands; ``settling`` is delivered and accepted, and waits for its deliveries' money to move."""

    DEPOSITS_PENDING = "deposits_pending"
    EFFECTIVE = "effective"
    SIGNED = "signed"
    DELIVERING = "delivering"
    SETTLING = "settling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DEFAULTED = "defaulted"


class Reason(StrEnum):
    """Why a deal came to nothing."""

    BUYER_DEPOSIT_REFUSED = "buyer_deposit_refused"
    SELLER_DEPOSIT_REFUSED = "seller_deposit_refused"
    DEPOSITS_LATE = "deposits_late"
    NOT_SIGNED = "not_signed"
    NOT_PAID = "not_paid"
    NOT_DELIVERED = "not_delivered"


class Trader(Value):
    """A side of a deal as it was when the deal was struck."""

    party_id: str
    name: str
    country: str
    identifiers: list[PartyIdentifier]


class Part(msgspec.Struct, frozen=True):
    """A part of a deal's goods; ``piece_ids`` is empty in a deal by weight."""

    piece_ids: list[str]
    quantity: Quantity


class Deal(Stateful, Base):
    """What a buyer took of an offer at the terms that it had seen, until it is settled or has come to nothing.

    ``pay_by`` is the last moment to pay as it was signed, ``closed_at`` since when logistics sets up no more trucks.
    """

    __tablename__ = "deal"

    moves = {
        "make_effective": Move(State.DEPOSITS_PENDING, to=State.EFFECTIVE),
        "cancel": Move(State.DEPOSITS_PENDING, State.EFFECTIVE, to=State.CANCELLED),
        "sign": Move(State.EFFECTIVE, to=State.SIGNED),
        "fund": Move(State.SIGNED, to=State.DELIVERING),
        "settle": Move(State.DELIVERING, to=State.SETTLING),
        "complete": Move(State.SETTLING, to=State.COMPLETED),
        "default": Move(State.SIGNED, State.DELIVERING, to=State.DEFAULTED),
    }
    initial = State.DEPOSITS_PENDING
    final = frozenset({State.COMPLETED, State.CANCELLED, State.DEFAULTED})
    waits = frozenset({State.DEPOSITS_PENDING, State.EFFECTIVE, State.SIGNED, State.DELIVERING, State.SETTLING})

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    market: Mapped[str]
    offer_id: Mapped[str] = mapped_column(ForeignKey("offer.id"), index=True)
    terms_version: Mapped[int]
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    buyer: Mapped[Trader] = stored(Trader)
    seller: Mapped[Trader] = stored(Trader)
    warehouse_id: Mapped[str]
    terms: Mapped[Terms] = stored(Terms)
    penalty_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    pieces: Mapped[list[DealPiece]] = stored(list[DealPiece])
    quantity: Mapped[Quantity] = database.quantity("quantity")
    returned: Mapped[Quantity] = database.quantity("returned")
    net: Mapped[Money] = database.money("net")
    tax: Mapped[Money] = database.money("tax")
    gross: Mapped[Money] = database.money("gross")
    buyer_deposit: Mapped[Money] = database.money("buyer_deposit")
    seller_deposit: Mapped[Money] = database.money("seller_deposit")
    struck_at: Mapped[datetime]
    pay_by: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    defaulted_by: Mapped[str | None]
    forfeit: Mapped[Money | None] = database.money("forfeit", nullable=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return or_(cls.buyer_id == caller.party_id, cls.seller_id == caller.party_id)

    @classmethod
    def strike(
        cls,
        id: str,
        *,
        buyer: Trader,
        seller: Trader,
        terms: Terms,
        pieces: list[DealPiece],
        taken: Quantity,
        now: datetime,
    ) -> Deal:
        """A deal with its amounts and deposits by frozen weights. Raises WorthNothing or OutOfRange."""
        amounts = work_out_by(terms, taken)
        if amounts.gross.amount <= 0:
            raise WorthNothing(f"{taken} comes to {amounts.gross}")
        return cls(
            id=id,
            version=1,
            state=State.DEPOSITS_PENDING,
            due_at=now + terms.periods.deposit,
            struck_at=now,
            buyer_id=buyer.party_id,
            seller_id=seller.party_id,
            buyer=buyer,
            seller=seller,
            terms=terms,
            pieces=pieces,
            quantity=taken,
            returned=Quantity.zero(taken.unit),
            net=amounts.net,
            tax=amounts.tax,
            gross=amounts.gross,
            buyer_deposit=amounts.gross.percent(terms.buyer_deposit_percent),
            seller_deposit=amounts.gross.percent(terms.seller_deposit_percent),
        )

    def side_of(self, party_id: str) -> Side:
        """Which side a party is. Raises NotYourDeal."""
        if party_id == self.buyer_id:
            return "buyer"
        if party_id == self.seller_id:
            return "seller"
        raise NotYourDeal("only buyer and seller can do this")

    def check_side(self, party_id: str, side: Side) -> None:
        """Raises NotYourDeal unless a party is this side."""
        if self.side_of(party_id) != side:
            raise NotYourDeal(f"only the {side} can do this")

    def is_due(self, now: datetime) -> bool:
        """Whether the deadline of its state is over, however late the timer."""
        return self.due_at is not None and now >= self.due_at

    def check_in_time(self, now: datetime) -> None:
        """Raises TooLate."""
        if self.is_due(now):
            raise TooLate(f"it was due by {self.due_at:%Y-%m-%d %H:%M:%SZ}", due_at=self.due_at)

    def advance(self, move: str, due_at: datetime | None) -> None:
        """Make a move that gives the next state its deadline. Raises IllegalMove."""
        self.move(move)
        self.due_at = due_at
        self.version += 1

    def ask_again(self, now: datetime) -> None:
        """Stay, and look again in a while."""
        self.due_at = now + ASK_AGAIN

    def sign(self, now: datetime) -> None:
        """Both have signed: it is to be paid. Raises IllegalMove."""
        self.advance("sign", now + self.terms.periods.pay)
        self.pay_by = self.due_at

    def await_payment(self, due_at: datetime, now: datetime) -> None:
        """It can be paid until ``due_at``; a date that is over by this clock changes nothing, for the answer will come."""
        if self.state == State.SIGNED and due_at > now:
            self.due_at = due_at

    @property
    def takes_trucks(self) -> bool:
        """Whether logistics may still have set up a truck that has not been heard of."""
        return self.state == State.DELIVERING and self.closed_at is None

    @property
    def deliver_by(self) -> datetime:
        """Until when it is to be delivered: later than its terms say by as much as it was paid later than was signed.

        So the seller has at least the time that its terms leave between the last moment to pay and delivery.
        """
        if self.pay_by is None or self.paid_at is None:
            return self.terms.deliver_by
        return self.terms.deliver_by + max(self.paid_at - self.pay_by, timedelta())

    def look_again_when_late(self, now: datetime) -> None:
        """Let the timer decide at once when the time to deliver was already over."""
        if self.state == State.DELIVERING and now >= self.deliver_by:
            self.due_at = now

    def fund(self, amount: Money, now: datetime) -> None:
        """The escrow is full. Raises IllegalMove or EscrowMismatch."""
        if amount != self.gross:
            raise EscrowMismatch(f"{amount} instead of {self.gross}")
        self.advance("fund", None)
        self.paid_at = now
        self.due_at = self.deliver_by

    def cancel(self, reason: Reason, now: datetime) -> None:
        """End it with nobody at fault: all that it took goes back. Raises IllegalMove."""
        self.advance("cancel", None)
        self.reason, self.ended_at, self.returned = reason, now, self.quantity

    def complete(self, now: datetime) -> None:
        """End it well. Raises IllegalMove."""
        self.advance("complete", None)
        self.ended_at = now

    def default(self, by: Side, rest: Part, reason: Reason, now: datetime) -> Money:
        """End it by one side's breach on ``rest``, which goes back; returns the forfeit. Raises IllegalMove."""
        part = self.gross if rest.quantity == self.quantity else work_out_by(self.terms, rest.quantity).gross
        deposit = self.buyer_deposit if by == "buyer" else self.seller_deposit
        percent = self.terms.buyer_deposit_percent if by == "buyer" else self.terms.seller_deposit_percent
        forfeit = forfeit_of(part, deposit=deposit, percent=percent, penalty_rate=self.penalty_rate)
        self.advance("default", None)
        self.reason, self.ended_at, self.returned = reason, now, rest.quantity
        self.defaulted_by, self.forfeit = by, forfeit
        return forfeit

    @property
    def whole(self) -> Part:
        """All of its goods."""
        return Part([piece.piece_id for piece in self.pieces], self.quantity)

    def rest_after(self, parts: Iterable[Part]) -> Part:
        """What is left of its goods after some parts; a part may hold more than was left."""
        unit = self.quantity.unit
        if self.pieces:
            gone = {piece_id for part in parts for piece_id in part.piece_ids}
            left = [piece for piece in self.pieces if piece.piece_id not in gone]
            return Part([piece.piece_id for piece in left], add_up((piece.net for piece in left), unit))
        covered = add_up((part.quantity for part in parts), unit)
        return Part([], self.quantity - min(covered, self.quantity))
