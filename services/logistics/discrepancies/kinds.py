"""What may not fit, what it may turn out to have been, and what is recorded then: a table of kinds, results and effects.

A discrepancy is a task for somebody in the warehouse. Closing it names one of the results of its kind; the effect of that
result says which EPCIS event, or which correction of one, follows from it (RFID.md 4.3-4.5).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What does not fit.

    At a gate: not read with its delivery, on another's truck, or through the gate without any delivery; something passed
    that no tag was read of; a tag goes where it already was said to be; one that stays at the gate; a pallet with other
    contents than were packed; a tag of nobody known; late reads that changed what had been told; nobody knows which way; things
    that stayed at a packing station together with one pallet, and may be packed on it.
    In a stock-take: not found where it should be, or found where it should not.
    """

    NOT_READ = "not_read"
    WRONG_TRUCK = "wrong_truck"
    NO_DELIVERY = "no_delivery"
    EMPTY_SESSION = "empty_session"
    CONTRADICTION = "contradiction"
    PARKED_TAG = "parked_tag"
    PALLET_MISMATCH = "pallet_mismatch"
    FOREIGN_TAG = "foreign_tag"
    LATE_CORRECTION = "late_correction"
    PACKED_TOGETHER = "packed_together"
    UNKNOWN_DIRECTION = "unknown_direction"
    MISSING = "missing"
    UNEXPECTED = "unexpected"


class Result(StrEnum):
    """What it turned out to have been."""

    AS_SEEN = "as_seen"
    BELONGS_HERE = "belongs_here"
    FOUND = "found"
    LOST = "lost"
    MISREAD = "misread"
    NOTHING_CARRIED = "nothing_carried"
    NOT_LOADED = "not_loaded"
    NOT_OURS = "not_ours"
    PACKED = "packed"
    REPACKED = "repacked"
    RETURNED = "returned"
    STOLEN = "stolen"
    TAG_DEAD = "tag_dead"
    WAS_BROUGHT = "was_brought"
    WAS_LOADED = "was_loaded"
    WENT_IN = "went_in"
    WENT_OUT = "went_out"


class Effect(StrEnum):
    """What a result is recorded as.

    ``stands``: what was captured is right, or there is nothing to capture. ``left`` and ``came``: it passed the gate at that
    time, on somebody's word. ``here``, ``returned``, ``lost`` and ``stolen``: it is so now. ``take_back``: it was not there.
    ``turn_in`` and ``turn_out``: it passed, this way. ``repack``: it is packed in the parent that it came with. ``pack``: so is all
    that was captured with the parent.
    """

    STANDS = "stands"
    LEFT = "left"
    CAME = "came"
    HERE = "here"
    RETURNED = "returned"
    LOST = "lost"
    STOLEN = "stolen"
    TAKE_BACK = "take_back"
    TURN_IN = "turn_in"
    TURN_OUT = "turn_out"
    REPACK = "repack"
    PACK = "pack"


RESULTS: dict[Kind, dict[Result, Effect]] = {
    Kind.NOT_READ: {
        Result.WAS_LOADED: Effect.LEFT,
        Result.TAG_DEAD: Effect.LEFT,
        Result.NOT_LOADED: Effect.HERE,
        Result.LOST: Effect.LOST,
        Result.STOLEN: Effect.STOLEN,
    },
    Kind.WRONG_TRUCK: {
        Result.WAS_LOADED: Effect.STANDS,
        Result.MISREAD: Effect.TAKE_BACK,
        Result.RETURNED: Effect.RETURNED,
    },
    Kind.NO_DELIVERY: {
        Result.WAS_LOADED: Effect.STANDS,
        Result.NOT_OURS: Effect.STANDS,
        Result.MISREAD: Effect.TAKE_BACK,
        Result.RETURNED: Effect.RETURNED,
        Result.STOLEN: Effect.STOLEN,
    },
    Kind.EMPTY_SESSION: {
        Result.NOTHING_CARRIED: Effect.STANDS,
        Result.WAS_LOADED: Effect.LEFT,
        Result.WAS_BROUGHT: Effect.CAME,
    },
    Kind.CONTRADICTION: {
        Result.AS_SEEN: Effect.STANDS,
        Result.MISREAD: Effect.TAKE_BACK,
        Result.WENT_IN: Effect.TURN_IN,
        Result.WENT_OUT: Effect.TURN_OUT,
    },
    Kind.PARKED_TAG: {
        Result.FOUND: Effect.HERE,
        Result.BELONGS_HERE: Effect.STANDS,
        Result.NOT_OURS: Effect.STANDS,
    },
    Kind.PALLET_MISMATCH: {
        Result.AS_SEEN: Effect.STANDS,
        Result.REPACKED: Effect.REPACK,
        Result.MISREAD: Effect.TAKE_BACK,
        Result.RETURNED: Effect.RETURNED,
    },
    Kind.FOREIGN_TAG: {Result.NOT_OURS: Effect.STANDS, Result.MISREAD: Effect.STANDS},
    Kind.PACKED_TOGETHER: {
        Result.PACKED: Effect.PACK,
        Result.AS_SEEN: Effect.STANDS,
        Result.MISREAD: Effect.TAKE_BACK,
    },
    Kind.LATE_CORRECTION: {Result.AS_SEEN: Effect.STANDS, Result.MISREAD: Effect.TAKE_BACK},
    Kind.UNKNOWN_DIRECTION: {
        Result.WENT_IN: Effect.TURN_IN,
        Result.WENT_OUT: Effect.TURN_OUT,
        Result.MISREAD: Effect.TAKE_BACK,
    },
    Kind.MISSING: {
        Result.FOUND: Effect.HERE,
        Result.TAG_DEAD: Effect.HERE,
        Result.WAS_LOADED: Effect.LEFT,
        Result.LOST: Effect.LOST,
        Result.STOLEN: Effect.STOLEN,
    },
    Kind.UNEXPECTED: {
        Result.BELONGS_HERE: Effect.STANDS,
        Result.NOT_OURS: Effect.STANDS,
        Result.FOUND: Effect.HERE,
        Result.MISREAD: Effect.TAKE_BACK,
    },
}

STANDING = frozenset({Kind.PARKED_TAG, Kind.FOREIGN_TAG, Kind.MISSING, Kind.UNEXPECTED})
"""Kinds that go on until somebody looks: put down again while the task is open, they are the same task."""


class Finding(msgspec.Struct, frozen=True, order=True):
    """Something that does not fit: the piece, the delivery, the EPC (a canonical URI, or hex digits that say nothing) and the
    parents that it came with and is known in, as far as each is known.
    """

    kind: Kind
    piece_id: str | None = None
    delivery_id: str | None = None
    epc: str | None = None
    parent: str | None = None
    other_parent: str | None = None
    detail: str | None = None

    def standing_at(self, place_id: str | None) -> str | None:
        """What makes it the same task as one that is open; None where each time is a task of its own."""
        if self.kind not in STANDING:
            return None
        return f"{self.kind}/{place_id or ''}/{self.piece_id or self.epc or ''}"
