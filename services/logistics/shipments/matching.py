"""Which deliveries left through a gate, from the pieces that were seen there: pure functions over sets.

A dead tag never holds a truck back, so that one piece of a delivery is enough for it to have left; but a piece that
stands near the gate must not send another truck off, so that of several deliveries only the best seen leaves, and
those that were seen whole.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from services.logistics.discrepancies.kinds import Finding, Kind


class Match(msgspec.Struct, frozen=True):
    """The deliveries that left, best seen first, and what does not fit."""

    departed: tuple[str, ...]
    findings: tuple[Finding, ...]


class Carried(msgspec.Struct, frozen=True):
    """A delivery that a passage belongs to: it left with it, or shortly before."""

    delivery_id: str
    deal_id: str
    buyer_id: str
    seller_id: str
    piece_ids: frozenset[str]
    plate: str = ""


class Passing(msgspec.Struct, frozen=True):
    """What a passage was of deliveries: those that it belongs to, those of them that left with it, and what does not fit."""

    carried: list[Carried]
    departed: tuple[str, ...]
    findings: tuple[Finding, ...]


def match_deliveries(seen: frozenset[str], waiting: Mapping[str, frozenset[str]], gone: frozenset[str]) -> Match:
    """What left, given the pieces seen, those of each delivery that waits, and those of deliveries just gone."""
    best_first = sorted((id for id in waiting if waiting[id] & seen), key=lambda id: _rank(id, waiting[id], seen))
    departed = tuple(id for n, id in enumerate(best_first) if n == 0 or waiting[id] <= seen)
    main = departed[0] if departed else None
    carried = frozenset().union(*(waiting[id] for id in departed))
    due_elsewhere = frozenset().union(*waiting.values()) - carried
    unread = {Finding(Kind.NOT_READ, piece, id) for id in departed for piece in waiting[id] - seen}
    wrong = {Finding(Kind.WRONG_TRUCK, piece, main) for piece in seen & due_elsewhere}
    stray = {Finding(Kind.NO_DELIVERY, piece, main) for piece in seen - carried - due_elsewhere - gone}
    return Match(departed, tuple(sorted(unread | wrong | stray, key=lambda finding: (finding.kind, finding.piece_id))))


def _rank(id: str, pieces: frozenset[str], seen: frozenset[str]) -> tuple[int, int, str]:
    """Most pieces seen, then fewest missing, then the delivery that was set up first."""
    return -len(pieces & seen), len(pieces - seen), id
