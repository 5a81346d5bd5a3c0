"""A piece as the catalog described it, and its allotment: the one offer or deal that it is promised to.

An allotment's primary key is the piece, so that by constraint no piece is in two live offers or deals anywhere on the
platform. It outlives its delivery and its deal until the catalog says that the buyer owns the piece: till then nobody offers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.database import quantity
from chassis.problems import Conflict, Invalid, NotFound, NotYetKnown
from chassis.values import Quantity
from events.catalog import LicenceNeeded
from events.orders import DealPiece, WeighingRule
from services.orders.base import Base, stored
from services.orders.measures import measure_piece


class CoilGone(Conflict):
    """A coil is no longer free."""


class PieceNotFree(Conflict):
    """A piece is already in a live offer or deal."""


class PieceNotYours(NotFound):
    """A piece is not the seller's to offer."""


class PiecesApart(Invalid):
    """Pieces of one offer are in one market and lie in one warehouse."""


class PieceTwice(Invalid):
    """A piece is named twice."""


class PieceBlocked(Conflict):
    """A piece may not be listed as it is described, for want of its certificate or the like."""


class NoTheoreticalWeight(Conflict):
    """The market has no formula or table for what this piece weighs in theory: it is sold by another rule."""


class NotReceivedYet(Conflict):
    """A piece was bought and is not delivered and settled yet: until then it cannot be sold on."""


class Promised(msgspec.Struct, frozen=True):
    """The pieces of an offer by what became of them: still free, and in deals that are neither completed nor dead."""

    free: list[DealPiece] = []
    taken: list[DealPiece] = []


class Piece(Base):
    """A tracked piece of goods: projection of ``catalog.piece_described``."""

    __tablename__ = "piece"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    market: Mapped[str]
    owner_id: Mapped[str]
    number: Mapped[str]
    title: Mapped[dict[str, str]] = stored(dict[str, str])
    net: Mapped[Quantity] = quantity("net")
    warehouse_id: Mapped[str]
    attributes: Mapped[dict[str, str] | None] = stored(dict[str, str])
    theoretical: Mapped[Quantity | None] = quantity("theoretical", nullable=True)
    blocked: Mapped[str | None]
    product_id: Mapped[str | None]
    licences: Mapped[list[LicenceNeeded] | None] = stored(list[LicenceNeeded])

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.owner_id == caller.party_id

    def freeze(self, unit: str, rule: WeighingRule) -> DealPiece:
        """The piece with the quantity that its price is worked out on: its theoretical weight where that is sold.

        Raises NoTheoreticalWeight, UnitMismatch or TooFine.
        """
        weight = self.theoretical if rule == "THEORETICAL" else self.net
        if weight is None:
            raise NoTheoreticalWeight(self.number, number=self.number, piece_id=self.id, field="$.piece_ids")
        return DealPiece(piece_id=self.id, number=self.number, net=measure_piece(weight, unit, field="$.piece_ids"))


class Allotment(Base):
    """What a piece is promised to: an offer, and once taken a deal; ``passes_to`` is the buyer it was delivered to."""

    __tablename__ = "allotment"

    piece_id: Mapped[str] = mapped_column(primary_key=True)
    offer_id: Mapped[str] = mapped_column(ForeignKey("offer.id"), index=True)
    deal_id: Mapped[str | None] = mapped_column(
        ForeignKey("deal.id", deferrable=True, initially="DEFERRED"), index=True
    )
    number: Mapped[str]
    net: Mapped[Quantity] = quantity("net")
    passes_to: Mapped[str | None]


def check_named_once(piece_ids: Sequence[str]) -> None:
    """Raises PieceTwice with the pieces."""
    if twice := sorted({id for id in piece_ids if piece_ids.count(id) > 1}):
        raise PieceTwice(", ".join(twice), field="$.piece_ids", pieces=twice)


def check_offerable(found: Iterable[Piece], piece_ids: Sequence[str], *, seller_id: str, market: str) -> None:
    """Whether a seller may offer these pieces together.

    Raises NotYetKnown, PieceNotYours, PiecesApart or PieceBlocked with them.
    """
    pieces = {piece.id: piece for piece in found}
    if unknown := [id for id in piece_ids if id not in pieces]:
        raise NotYetKnown(f"not heard of yet: {', '.join(unknown)}", field="$.piece_ids", pieces=unknown)
    if foreign := [id for id in piece_ids if pieces[id].owner_id != seller_id]:
        raise PieceNotYours(", ".join(foreign), field="$.piece_ids", pieces=foreign)
    if elsewhere := [id for id in piece_ids if pieces[id].market != market]:
        raise PiecesApart(
            f"not in the market {market!r}: {', '.join(elsewhere)}", field="$.piece_ids", pieces=elsewhere
        )
    first = pieces[piece_ids[0]].warehouse_id
    if elsewhere := [id for id in piece_ids if pieces[id].warehouse_id != first]:
        raise PiecesApart(
            f"not in the warehouse {first}: {', '.join(elsewhere)}", field="$.piece_ids", pieces=elsewhere
        )
    if blocked := [pieces[id] for id in piece_ids if pieces[id].blocked]:
        said = [{"piece_id": piece.id, "number": piece.number, "reason": piece.blocked} for piece in blocked]
        text = ", ".join(f"{piece.number}: {piece.blocked}" for piece in blocked)
        raise PieceBlocked(text, pieces=said, field="$.piece_ids")
