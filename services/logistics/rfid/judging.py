"""What a gate says to what went through: release, stop or check. A pure function that never releases what it does not know.

*stop* when something left that may not: an item without an open note, on the wrong truck, or by a note that has expired.
*check* when something is missing, contradicts what is known, or simply is not understood; *release* only when nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """Whether it may go on."""

    RELEASE = "release"
    STOP = "stop"
    CHECK = "check"


class Code(StrEnum):
    """Why it does not simply go on."""

    NO_NOTE = "no_note"
    WRONG_TRUCK = "wrong_truck"
    NOTE_EXPIRED = "note_expired"
    NOT_CONFIRMED = "not_confirmed"
    NOT_READ = "not_read"
    INFERRED = "inferred"
    MISMATCH = "mismatch"
    UNKNOWN_DIRECTION = "unknown_direction"
    CONTRADICTION = "contradiction"
    UNKNOWN_TAG = "unknown_tag"
    WEAK = "weak"
    EMPTY = "empty"
    READER_SILENT = "reader_silent"


STOPS = frozenset({Code.NO_NOTE, Code.WRONG_TRUCK, Code.NOTE_EXPIRED})
TEXTS = {
    Code.NO_NOTE: "it leaves without a pick-up note",
    Code.WRONG_TRUCK: "it is on the truck of another delivery",
    Code.NOTE_EXPIRED: "its pick-up note has expired",
    Code.NOT_CONFIRMED: "its pick-up note is open, and nobody has confirmed that it was loaded",
    Code.NOT_READ: "it belongs to the delivery and was not read",
    Code.INFERRED: "it was not read; that it passed follows from its pallet",
    Code.MISMATCH: "it does not belong to the pallet that it came with",
    Code.UNKNOWN_DIRECTION: "nobody knows which way it went",
    Code.CONTRADICTION: "it goes where it already was said to be",
    Code.UNKNOWN_TAG: "nobody knows this tag",
    Code.WEAK: "it is expected, and was read too badly to count",
    Code.EMPTY: "something passed without a readable tag",
    Code.READER_SILENT: "a reader of the gate has not said all that it saw",
}


class Reason(msgspec.Struct, frozen=True, order=True):
    """Why it does not simply go on, and the piece or the tag that it is about."""

    code: Code
    piece_id: str | None = None
    epc: str | None = None

    @property
    def text(self) -> str:
        """A sentence for people."""
        return TEXTS[self.code]


class Judgement(msgspec.Struct, frozen=True):
    """The verdict with its reasons, the gravest first."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


def judge_passage(reasons: Iterable[Reason], *, tags: int) -> Judgement:
    """The verdict on a passage of so many tags that count, given everything that does not fit."""
    found = {*reasons}
    if not tags:
        found.add(Reason(Code.EMPTY))
    ordered = tuple(sorted(found, key=lambda one: (one.code not in STOPS, one.code, one.piece_id or "", one.epc or "")))
    if any(one.code in STOPS for one in ordered):
        return Judgement(Verdict.STOP, ordered)
    return Judgement(Verdict.CHECK if ordered else Verdict.RELEASE, ordered)
