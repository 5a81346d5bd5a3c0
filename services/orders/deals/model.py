"""A deal: its machine, its deadlines and what it froze (TRADE.md 3.0 and 3.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

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
from services.orders.deals.amounts import share_among, share_up_to, work_out_by
from services.orders.deals.parts import Part, part_of, take_away
from services.orders.deals.states import Reason, State

ASK_AGAIN = timedelta(seconds=60)
LOOK_AGAIN = timedelta(hours=1)


class NotYourDeal(Forbidden):
    """This is for the other side of the deal to do."""


class TooLate(Conflict):
    """The time to do this is over."""


class WorthNothing(Invalid):
    """A deal must be worth at least one minor unit of its currency."""


class EscrowMismatch(Conflict):
    """What was paid into escrow is not what the part that it was paid for is worth."""


class Trader(Value):
    """A side of a deal as it was when the deal was struck."""

    party_id: str
    name: str
    country: str
    identifiers: list[PartyIdentifier]


class Deal(Stateful, Base):
    """What a buyer took of an offer at the terms that it had seen, until it is settled or has come to nothing.

    ``pay_by`` is the last moment to pay as it was signed, ``pay_until`` as settlement says; ``paid_at`` is when it was last
    paid for, ``closed_at`` since when logistics sets up no more trucks. ``recalled`` is what logistics is asked to let go of.
    """

    __tablename__ = "deal"

    moves = {
        "make_effective": Move(State.DEPOSITS_PENDING, to=State.EFFECTIVE),
        "cancel": Move(State.DEPOSITS_PENDING, State.EFFECTIVE, State.SIGNED, State.DELIVERING, to=State.CANCELLED),
        "sign": Move(State.EFFECTIVE, to=State.SIGNED),
        "fund": Move(State.SIGNED, to=State.DELIVERING),
        "settle": Move(State.DELIVERING, to=State.SETTLING),
        "complete": Move(State.SETTLING, to=State.COMPLETED),
        "default": Move(State.EFFECTIVE, State.SIGNED, State.DELIVERING, to=State.DEFAULTED),
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
    title: Mapped[str | None]
    product_id: Mapped[str | None]
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
    pay_until: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    paid_piece_ids: Mapped[list[str] | None] = stored(list[str])
    paid_quantity: Mapped[Quantity | None] = database.quantity("paid", nullable=True)
    funded: Mapped[Money | None] = database.money("funded", nullable=True)
    recalled: Mapped[Part | None] = stored(Part)
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
            pieces=share_among(amounts.gross, pieces, terms),
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

    def ask_again(self, now: datetime, *, after: timedelta = ASK_AGAIN) -> None:
        """Stay, and look again in a while."""
        self.due_at = now + after

    def sign(self, now: datetime) -> None:
        """Both have signed: it is to be paid. Raises IllegalMove."""
        self.advance("sign", now + self.terms.periods.pay)
        self.pay_by = self.pay_until = self.due_at

    def await_payment(self, due_at: datetime, now: datetime) -> None:
        """What is unpaid can be paid until ``due_at``; one that is over by this clock changes nothing: the answer will come."""
        if due_at > now:
            self.pay_until = self.due_at = due_at

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

    def wait_for(self, unpaid: Part, now: datetime) -> None:
        """While it is delivered it waits for the payment of what is unpaid, then until its delivery is due.

        Once logistics sets up no more trucks it waits for the news of those there are.
        """
        if self.closed_at is None:
            self.due_at = (self.pay_until if unpaid else None) or self.deliver_by
        else:
            self.ask_again(now)

    def fund(self, part: Part, amount: Money, now: datetime) -> None:
        """A part that was not paid is paid for, the first time or again. Raises IllegalMove or EscrowMismatch."""
        paid = self._paid_with(part)
        worth = self.worth_of(part.piece_ids) if self.pieces else self._share_of(paid.quantity) - self.in_escrow
        # By weight a part's share is rounded, and who is paid rounds it too.
        if abs(amount.amount - worth.amount) > (0 if self.pieces or paid == self.whole else 1):
            raise EscrowMismatch(f"{amount} instead of {worth}")
        funded = self.in_escrow + amount
        self.pay_until = self.pay_until or self.due_at
        if self.state == State.DELIVERING:
            self.version += 1
        else:
            self.advance("fund", None)
        self.paid_piece_ids, self.paid_quantity, self.funded, self.paid_at = paid.piece_ids, paid.quantity, funded, now

    def _paid_with(self, part: Part) -> Part:
        left = take_away(self.whole, [self.paid, part], self.pieces)
        return take_away(self.whole, [left], self.pieces)

    def _share_of(self, quantity: Quantity) -> Money:
        return share_up_to(self.gross, quantity, self.quantity)

    def cancel(self, reason: Reason, now: datetime) -> None:
        """End it with nobody at fault: all that it took goes back. Raises IllegalMove."""
        self.advance("cancel", None)
        self.reason, self.ended_at, self.returned = reason, now, self.quantity

    def complete(self, now: datetime) -> None:
        """End it well. Raises IllegalMove."""
        self.advance("complete", None)
        self.ended_at = now

    def default(self, by: Side, reason: Reason, forfeit: Money, now: datetime) -> None:
        """End it by one side's breach, of which it forfeits so much in all. Raises IllegalMove."""
        self.advance("default", None)
        self.reason, self.ended_at = reason, now
        self.defaulted_by, self.forfeit = by, forfeit

    @property
    def whole(self) -> Part:
        """All of its goods."""
        return Part([piece.piece_id for piece in self.pieces], self.quantity)

    @property
    def paid(self) -> Part:
        """What the buyer has paid for; all of it in a deal that was paid before parts could be."""
        if self.paid_quantity is not None:
            return Part(self.paid_piece_ids or [], self.paid_quantity)
        return self.whole if self.paid_at else Part([], Quantity.zero(self.quantity.unit))

    @property
    def in_escrow(self) -> Money:
        """What was paid in, in all."""
        if self.funded is not None:
            return self.funded
        return self.gross if self.paid_at else Money.zero(self.gross.currency)

    @property
    def priced_pieces(self) -> list[DealPiece]:
        """Its pieces with their shares of its gross; a deal struck before they were frozen has them from its terms."""
        if any(piece.gross is None for piece in self.pieces):
            return share_among(self.gross, self.pieces, self.terms)
        return self.pieces

    def worth_of(self, piece_ids: list[str]) -> Money:
        """The value of some of its pieces."""
        shares = (piece.gross for piece in self.priced_pieces if piece.piece_id in piece_ids)
        return sum((share for share in shares if share), Money.zero(self.gross.currency))

    def carried(self, part: Part) -> Part:
        """A part as it is frozen here: its own pieces at their frozen weights, whatever else is named."""
        if not self.pieces:
            return part
        return part_of((piece for piece in self.pieces if piece.piece_id in part.piece_ids), self.quantity.unit)
