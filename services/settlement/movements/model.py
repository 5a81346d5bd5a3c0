"""A movement is one of Stripe's balance transactions; what it took from us or gave us back is borne by somebody here.

A refund or a lost card dispute takes the money from the party's balance as far as it is there; the rest the party owes
(the platform's receivable). What comes back, as of a dispute that was won, first settles what that payment owes.
Stripe's fees are a cost of the platform's. So the clearing account of cards is what Stripe holds for us, net of fees.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import CHAR, BigInteger, ColumnElement, Text, false, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.values import Money
from services.settlement.base import Base
from services.settlement.ledger.model import PLATFORM, Kind, Leg


class MovementKind(StrEnum):
    """What moved the money; the sign says which way (a positive refund failed, a positive dispute was won)."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A balance transaction of Stripe's: ``amount`` before the ``fee``, both in minor units; ``created`` by its clock.

    ``intent_id`` says whose charge it is about, ``payment_id`` what we wrote on the refund that we asked for.
    """

    id: str
    kind: MovementKind
    amount: int
    fee: int
    currency: str
    source_id: str
    created: int
    intent_id: str | None = None
    payment_id: str | None = None

    @property
    def net(self) -> int:
        """By how much Stripe holds more for us."""
        return self.amount - self.fee

    def money(self, amount: int) -> Money:
        """Minor units in its currency."""
        return Money(amount, self.currency)

    def legs(self, *others: Leg) -> list[Leg]:
        """The legs of its journal: what Stripe holds, the fee, and who bears the amount."""
        borne = sum(leg.amount.amount for leg in others)
        return [
            *others,
            Leg(PLATFORM, Kind.CLEARING_CARD, self.money(self.fee - borne)),
            Leg(PLATFORM, Kind.CARD_FEES, self.money(-self.fee)),
        ]

    def split(self, party_id: str, owed: int) -> list[Leg]:
        """The legs when ``owed`` of the amount (of the same sign) falls on the receivable, the rest on the party."""
        return self.legs(
            Leg(party_id, Kind.AVAILABLE, self.money(self.amount - owed)),
            Leg(PLATFORM, Kind.RECEIVABLE, self.money(owed)),
        )


class CardMovement(Base):
    """A movement that was posted; ``owed`` is its share in the platform's receivable (negative: the party owes more).

    ``seen_by`` is the last reconciliation that found it at Stripe.
    """

    __tablename__ = "card_movement"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    payment_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    source_id: Mapped[str]
    owed: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(BigInteger, index=True)
    posted_at: Mapped[datetime]
    seen_by: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()

    @property
    def net(self) -> int:
        """By how much Stripe holds more for us."""
        return self.amount - self.fee
