"""What a stock-take has found, missed, and found unexpectedly: a pure function over sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class Standing(StrEnum):
    """How a thing stands in a stock-take."""

    FOUND = "found"
    MISSING = "missing"
    UNEXPECTED = "unexpected"


class Line(msgspec.Struct, frozen=True, order=True):
    """A thing in a stock-take: its piece, or its EPC where no piece is known; ``zone_id`` is where it was thought to be."""

    standing: Standing
    name: str
    piece_id: str | None
    epc: str | None
    zone_id: str | None


def count(
    seen: Mapping[str, str | None], kept: Collection[str], zones: Mapping[str, str], *, zone_id: str | None
) -> list[Line]:
    """The lines of a stock-take of a zone, or of the whole warehouse (``zone_id`` None), in order.

    ``seen`` are the things read, each with its piece, where known; ``kept`` the pieces that should be in the warehouse, and
    ``zones`` the zones that these are known to be in. Expected in a zone are those known to be in it; a piece that should be
    elsewhere in the warehouse, or nobody knows where, is found too: it lies in another zone than was thought.
    """
    here = {piece_id for piece_id in seen.values() if piece_id is not None}
    should = set(kept) if zone_id is None else {piece_id for piece_id in kept if zones.get(piece_id) == zone_id}
    lines = [_line(Standing.MISSING, piece_id, None, zones) for piece_id in should - here]
    for epc, piece_id in seen.items():
        standing = Standing.FOUND if piece_id in kept else Standing.UNEXPECTED
        lines.append(_line(standing, piece_id, epc, zones))
    by_name = {line.name: line for line in sorted(lines, reverse=True)}
    return sorted(by_name.values())


def _line(standing: Standing, piece_id: str | None, epc: str | None, zones: Mapping[str, str]) -> Line:
    return Line(standing, piece_id or epc or "", piece_id, epc, zones.get(piece_id or ""))


class LastSeen(msgspec.Struct, frozen=True):
    """What the warehouse itself has last captured of a piece."""

    at: datetime
    disposition: str | None
    biz_location: str | None


AWAY = frozenset({"in_transit", "stolen", "unknown", "destroyed", "disposed"})
"""Dispositions of what is not there any more."""


def is_kept(last: LastSeen | None, left_at: datetime | None) -> bool:
    """Whether a piece that the catalog says a warehouse keeps should be there: it has not left, or was seen there since."""
    if last is None or (left_at is not None and last.at <= left_at):
        return left_at is None
    if last.biz_location is not None:
        return True
    return left_at is None and last.disposition not in AWAY
