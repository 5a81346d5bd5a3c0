"""Deposits and holds: two-phase transfers from available to frozen (TRADE.md 3.0, I2 and I3).

A hold is resolved once, by one journal whose legs may split it. For partial performance it is first divided into two
holds of equal sum.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CHAR, BigInteger, CheckConstraint, ColumnElement, ForeignKey, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import money
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, total
from services.settlement.base import Base


class Side(StrEnum):
    """Whose a hold is in its deal."""

    BUYER = "buyer"
    SELLER = "seller"


class DepositsState(StrEnum):
    """What became of a deal's deposits."""

    ASKED = "asked"
    HELD = "held"
    REFUSED = "refused"
    RESOLVED = "resolved"


class HoldState(StrEnum):
    """Whether a hold still stands."""

    ACTIVE = "active"
    DIVIDED = "divided"
    RESOLVED = "resolved"


class DepositsNotHeld(Conflict):
    """Nothing may be paid for a deal whose deposits are not held."""


class Deposits(Stateful, Base):
    """The deposits of one deal: its sides, what each was to pay, and whether both are held."""

    __tablename__ = "deposits"

    initial: ClassVar = DepositsState.ASKED
    final: ClassVar = frozenset({DepositsState.REFUSED, DepositsState.RESOLVED})
    moves: ClassVar = {
        "hold": Move(DepositsState.ASKED, to=DepositsState.HELD),
        "refuse": Move(DepositsState.ASKED, to=DepositsState.REFUSED),
        "resolve": Move(DepositsState.HELD, to=DepositsState.RESOLVED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    buyer_deposit: Mapped[Money] = money("buyer_deposit")
    seller_deposit: Mapped[Money] = money("seller_deposit")
    refused_side: Mapped[str | None]
    state: Mapped[DepositsState] = state_column(DepositsState)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        own = or_(cls.buyer_id == caller.party_id, cls.seller_id == caller.party_id)
        return true() if caller.is_operator else own

    def check_held(self) -> None:
        """Raises DepositsNotHeld."""
        if self.state is not DepositsState.HELD:
            raise DepositsNotHeld(f"the deposits of {self.id} are {self.state}", state=str(self.state))

    def of(self, side: Side) -> tuple[str, Money]:
        """The party of a side and its deposit."""
        return (self.buyer_id, self.buyer_deposit) if side is Side.BUYER else (self.seller_id, self.seller_deposit)

    def side_of(self, party_id: str) -> Side:
        """Which side a party of the deal is on."""
        return Side.BUYER if party_id == self.buyer_id else Side.SELLER


class Hold(Stateful, Base):
    """Money of one side that is frozen for a deal. Amounts are minor units of ``currency``."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("amount = open + released + converted + forfeited + divided", name="arithmetic"),
        CheckConstraint("least(open, released, converted, forfeited, divided) >= 0 AND amount > 0", name="sign"),
        CheckConstraint("(state = 'active') = (open > 0)", name="open"),
    )

    initial: ClassVar = HoldState.ACTIVE
    final: ClassVar = frozenset({HoldState.RESOLVED, HoldState.DIVIDED})
    moves: ClassVar = {
        "resolve": Move(HoldState.ACTIVE, to=HoldState.RESOLVED),
        "divide": Move(HoldState.ACTIVE, to=HoldState.DIVIDED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("hold.id"))
    party_id: Mapped[str] = mapped_column(index=True)
    side: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount: Mapped[int] = mapped_column(BigInteger)
    open: Mapped[int] = mapped_column(BigInteger)
    released: Mapped[int] = mapped_column(BigInteger, default=0)
    converted: Mapped[int] = mapped_column(BigInteger, default=0)
    forfeited: Mapped[int] = mapped_column(BigInteger, default=0)
    divided: Mapped[int] = mapped_column(BigInteger, default=0)
    resolved_by: Mapped[str | None]
    created_at: Mapped[datetime]
    state: Mapped[HoldState] = state_column(HoldState)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    @classmethod
    def place(cls, deal_id: str, party_id: str, side: Side, amount: Money) -> Hold:
        """A hold of a positive amount, all of it open."""
        return cls(
            id=clock.new_id("hold"),
            deal_id=deal_id,
            party_id=party_id,
            side=side,
            currency=amount.currency,
            amount=amount.amount,
            open=amount.amount,
            released=0,
            converted=0,
            forfeited=0,
            divided=0,
            created_at=clock.now(),
            state=HoldState.ACTIVE,
        )

    @property
    def remaining(self) -> Money:
        """What is still frozen by it."""
        return Money(self.open, self.currency)

    def resolve(self, journal_id: str | None, *, released: Money, converted: Money, forfeited: Money) -> None:
        """End the hold, told what became of all of it.

        Raises IllegalMove the second time, ValueError when the parts are not the whole.
        """
        parts = (released, converted, forfeited)
        if min(part.amount for part in parts) < 0 or total(parts, self.currency) != Money(self.amount, self.currency):
            raise ValueError(f"{self.id} of {self.amount} is not {released} + {converted} + {forfeited}")
        self.move("resolve")
        self.open, self.resolved_by = 0, journal_id
        self.released, self.converted, self.forfeited = (part.amount for part in parts)

    def divide(self, part: Money) -> tuple[Hold, Hold]:
        """Put two holds in this one's place: of ``part``, and of the rest.

        Raises IllegalMove, or ValueError when one of them would be empty.
        """
        rest = self.remaining - part
        if self.can("divide") and not (part.amount > 0 and rest.amount > 0):
            raise ValueError(f"{self.id} of {self.open} cannot be divided at {part.amount}")
        self.move("divide")
        self.open, self.divided = 0, self.amount
        children = tuple(Hold.place(self.deal_id, self.party_id, Side(self.side), amount) for amount in (part, rest))
        for child in children:
            child.parent_id = self.id
        return children
