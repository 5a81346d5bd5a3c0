"""What things are sorted by: whole numbers that are nearly always different.

An engine that sorts by one number leaves equals in any order, so each key ends in bits made of the thing's id; what is
still equal is told apart by the id itself.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from decimal import Decimal

from chassis.values import Exact, UnitPrice, unit_of
from services.catalog.search.engine import MOST_KEY, Key

_RANK_DIGITS = 12
_PRICE_BITS, _PRICE_TAIL = 35, 28
_MANTISSA = 30
_MINUTE_TAIL = 32
_RATING_SHIFT = 56
PRIOR_KEPT, PRIOR_DEALS = 9, 10
"""A seller of whom nothing is known counts as one that kept nine deals of ten: a few deals more or less say little."""


def rank_of(thing_id: str) -> int:
    """The beginning of an id as a number: it rises with the time at which the id was made."""
    beginning = thing_id.rpartition("_")[2][:_RANK_DIGITS].ljust(_RANK_DIGITS, "0")
    return int(beginning, 36) if beginning.isascii() and beginning.isalnum() else 0


def tail_of(thing_id: str, bits: int) -> int:
    """Bits of an id that look random."""
    return zlib.crc32(thing_id.encode()) & ((1 << bits) - 1)


def price_keys(thing_id: str, price: UnitPrice | None, tax_basis: str | None, tax_rate: Exact | None) -> dict[Key, int]:
    """The price of a thousand base units with tax and without, to nine digits."""
    if price is None:
        return {Key.WITH_TAX: MOST_KEY, Key.WITHOUT_TAX: MOST_KEY}
    base = price.value * 1_000 / unit_of(price.unit).factor
    factor = 1 + (tax_rate or Decimal(0))
    with_tax = base * factor if tax_basis == "tax_excluded" else base
    without_tax = base if tax_basis == "tax_excluded" else base / factor
    return {
        Key.WITH_TAX: _price_key(thing_id, with_tax),
        Key.WITHOUT_TAX: _price_key(thing_id, without_tax),
    }


def _price_key(thing_id: str, price: Decimal) -> int:
    """Exponent and mantissa, so that the order is that of the prices, and a tail."""
    millionths = max(0, int(round(price, 6) * 1_000_000))
    exponent = max(0, millionths.bit_length() - _MANTISSA)
    rounded = min((exponent << (_MANTISSA - 1)) + (millionths >> exponent), (1 << _PRICE_BITS) - 1)
    return rounded << _PRICE_TAIL | tail_of(thing_id, _PRICE_TAIL)


def time_key(thing_id: str, at: datetime | None) -> int:
    """A time to the minute and a tail; the last of all where there is none."""
    if at is None:
        return MOST_KEY
    return min(int(at.timestamp() // 60), (1 << 31) - 1) << _MINUTE_TAIL | tail_of(thing_id, _MINUTE_TAIL)


def rating_key(thing_id: str, rating: int) -> int:
    """A rating in per cent, and of equal ones the newest first."""
    return rating << _RATING_SHIFT | min(rank_of(thing_id) >> 6, (1 << _RATING_SHIFT) - 1)


def rating_of(kept: int, broken: int) -> int:
    """The share of deals that a seller kept, in per cent, with the prior counted in; half is rounded up."""
    return ((kept + PRIOR_KEPT) * 200 + kept + broken + PRIOR_DEALS) // (2 * (kept + broken + PRIOR_DEALS))


def milliseconds(at: datetime) -> int:
    """A time in milliseconds since 1970."""
    return int(at.timestamp() * 1000)
