"""What a truck takes of its pick-up note: a pure function, and how naming goods may fail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from chassis.problems import Conflict, Invalid
from chassis.values import Quantity

FINEST = Decimal("0.000001")
"""The least of a unit that is told and kept: a quantity in grams may be finer in tonnes."""


class PieceNotOfDeal(Invalid):
    """A note is over pieces of its own deal."""


class NothingToCarry(Invalid):
    """A note or a delivery names pieces where its deal does, and otherwise a quantity."""


class NotOnNote(Invalid):
    """A truck loads goods of its own pick-up note."""


class QuantityExceeded(Conflict):
    """A note is over no more than is left of its deal, and a truck loads no more than its note is over."""


def choose_load(
    noted: Quantity,
    weights: Mapping[str, Quantity],
    *,
    piece_ids: Collection[str] | None,
    quantity: Quantity | None,
) -> tuple[list[str], Quantity]:
    """What a truck has loaded of a note over pieces (``weights``) or over a weight (``noted``): all unless it is named.

    Raises NothingToCarry, NotOnNote (``pieces``), QuantityExceeded (``remaining``) or UnitMismatch.
    """
    if not weights:
        loaded = noted if quantity is None else quantity
        if piece_ids or not loaded:
            raise NothingToCarry("the note is over a weight: name a quantity above zero", field="$.quantity")
        if loaded > noted:
            raise QuantityExceeded(f"the note is over {noted}", field="$.quantity", remaining=noted)
        return [], keep_in(loaded, noted.unit)
    chosen = sorted(weights if piece_ids is None else set(piece_ids))
    if not chosen or quantity is not None:
        raise NothingToCarry("the note is over pieces: name those that were loaded", field="$.piece_ids")
    if strange := sorted(set(chosen) - weights.keys()):
        raise NotOnNote("the note has no such piece", field="$.piece_ids", pieces=strange)
    first, *rest = (weights[id] for id in chosen)
    return chosen, sum(rest, first)


def keep_in(quantity: Quantity, unit: str) -> Quantity:
    """A quantity in the unit of its deal, as it is kept and told. Raises NothingToCarry or UnitMismatch."""
    kept = quantity.to(unit)
    if kept.value % FINEST:
        raise NothingToCarry(f"{quantity} is finer than {FINEST} {unit}", field="$.quantity")
    return kept
