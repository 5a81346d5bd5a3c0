"""A part of a deal's goods: named pieces, or a quantity where there are none. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from chassis.values import Quantity
from events.orders import DealPiece
from services.orders.measures import add_up


class Part(msgspec.Struct, frozen=True):
    """A part of a deal's goods; ``piece_ids`` is empty in a deal by weight."""

    piece_ids: list[str]
    quantity: Quantity

    def __bool__(self) -> bool:
        return bool(self.quantity)

    def holds(self, other: Part) -> bool:
        """Whether another part is within this one."""
        return set(other.piece_ids) <= set(self.piece_ids) and other.quantity <= self.quantity


def part_of(pieces: Iterable[DealPiece], unit: str) -> Part:
    """Pieces as a part, with what they weigh by their frozen weights."""
    chosen = list(pieces)
    return Part([piece.piece_id for piece in chosen], add_up((piece.net for piece in chosen), unit))


def take_away(whole: Part, gone: Iterable[Part], pieces: Sequence[DealPiece]) -> Part:
    """What is left of a part after others; ``pieces`` are the deal's, none in a deal by weight.

    By weight the others may be more than there was: then nothing is left.
    """
    unit = whole.quantity.unit
    if pieces:
        left = set(whole.piece_ids).difference(*(part.piece_ids for part in gone))
        return part_of((piece for piece in pieces if piece.piece_id in left), unit)
    covered = add_up((part.quantity for part in gone), unit)
    return Part([], add_up([whole.quantity - min(covered, whole.quantity)], unit))
