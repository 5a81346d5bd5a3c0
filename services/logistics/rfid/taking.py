"""Keeps reads, edges of photo-eyes and heartbeats of readers as they come: a few statements a batch, however many gates.

A read is kept once. What it changes, a stretch of its gate's time, is put down with the gate's open passage, whose closing it
puts off until nothing was read for the closing time: when it was read counts, not when it came. What was held back by its
reader is collected apart, for a look every few seconds, so that it does not have minutes read anew each time that the gate is
quiet. A tag that stands at the gate neither opens nor holds a passage, though it is looked at now and then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import clock
from events.logistics import ReaderHeard, TagsRead
from services.logistics.rfid.stages.ghosts import SLOT_US
from services.logistics.rfid.stages.portal import LATE_EVERY_US
from services.logistics.rfid.stages.watermarks import BEHIND_US, LATE_US, SILENT_US

ANY_CLOCK = timedelta(days=3_650)
"""A reader's time further off than this is no time: such a reader has no clock, and gets ours."""
LOOK_AT_PARKED = timedelta(seconds=30)
"""A tag that only stands there is looked at so often."""
HELD_BACK = timedelta(microseconds=SILENT_US)
"""What is older when it comes was held back: no reader is waited for so long."""
COLLECT = timedelta(microseconds=LATE_EVERY_US)
"""What was held back is collected for so long and looked at together."""


class Kind(StrEnum):
    """How a change came: as it happened, held back by a reader, or too late for a session with others."""

    RECENT = "recent"
    DELAYED = "delayed"
    LATE = "late"


_IS_HELD_BACK = f"f.received_at - f.at > greatest(interval '{SILENT_US // 1_000_000} s', g.closing)"
_IS_OVERTAKEN = (
    f"f.received_at - f.at > greatest(interval '{BEHIND_US // 1_000_000} s', g.closing) AND f.at <= w.seen_until"
)
"""Its reader had said before that all up to then was told. Whoever is slow but steady has not."""
_TAKE_IN = text(
    f"""
WITH fresh AS (
    INSERT INTO tag_read (gate_id, boot, sequence, epc, antenna, rssi_dbm, at, received_at, reader_id, reader_at, count, pc, mark)
    SELECT r.gate_id, r.boot, r.sequence, r.epc, r.antenna, r.rssi_dbm, r.at, r.received_at, r.reader_id, r.reader_at, r.count,
        r.pc, CASE
            WHEN r.is_skewed OR greatest(r.received_at - coalesce(r.reader_at, r.at), coalesce(r.reader_at, r.at) - r.received_at)
                > g.clock_skew THEN 'skewed'
            WHEN r.received_at - r.at > interval '{LATE_US // 1_000_000} s' THEN 'late' END
    FROM unnest(:gate_ids ::text[], :boots ::text[], :sequences ::bigint[], :epcs ::text[], :antennas ::int[],
        :rssi_dbm ::float8[], :times ::timestamptz[], :received ::timestamptz[], :reader_ids ::text[],
        :told ::timestamptz[], :counts ::int[], :pcs ::int[], :skewed ::bool[])
        AS r (gate_id, boot, sequence, epc, antenna, rssi_dbm, at, received_at, reader_id, reader_at, count, pc, is_skewed)
    JOIN gate g ON g.id = r.gate_id
    ON CONFLICT DO NOTHING
    RETURNING gate_id, reader_id, epc, at, mark, received_at)
SELECT f.gate_id, CASE WHEN f.mark = 'late' THEN 'late' WHEN {_IS_HELD_BACK} OR {_IS_OVERTAKEN} THEN 'delayed' ELSE 'recent' END
    AS kind, min(f.at) AS since, max(f.at) AS until, count(*) FILTER (WHERE p.epc IS NULL) AS moving,
    max(f.at) FILTER (WHERE p.epc IS NULL) AS moved_at
FROM fresh f JOIN gate g ON g.id = f.gate_id LEFT JOIN parked_tag p ON p.gate_id = f.gate_id AND p.epc = f.epc AND f.at >= p.since
    AND f.at < p.until + interval '{2 * SLOT_US // 1_000_000} s'
    LEFT JOIN reader_watermark w ON w.gate_id = f.gate_id AND w.reader_id = f.reader_id
WHERE f.mark IS DISTINCT FROM 'skewed'
GROUP BY 1, 2
"""
)
_KEEP_EDGES = text(
    "WITH fresh AS (INSERT INTO gate_edge (gate_id, at, is_high) "
    "SELECT * FROM unnest(:gate_ids ::text[], :times ::timestamptz[], :highs ::bool[]) ON CONFLICT DO NOTHING "
    "RETURNING gate_id, at, :now ::timestamptz AS received_at) "
    f"SELECT f.gate_id, CASE WHEN {_IS_HELD_BACK} THEN 'delayed' ELSE 'recent' END AS kind, "
    "min(f.at - g.closing) AS since, max(f.at) AS until, 1 AS moving, max(f.at) AS moved_at "
    "FROM fresh f JOIN gate g ON g.id = f.gate_id GROUP BY 1, 2"
)
_KEEP_OPEN = text(
    """
INSERT INTO passage AS p (id, gate_id, warehouse_id, window_id, state, due_at, opened_at, heard_at, reads,
    changed_from, changed_until, late_from, late_until, delayed_from, delayed_until, delayed_due)
SELECT w.id, w.gate_id, g.party_id, w.id, 'open',
    least(
        CASE WHEN w.heard_at IS NOT NULL THEN w.heard_at + g.closing WHEN w.moving > 0 THEN :now + g.closing
            WHEN coalesce(w.changed_from, w.late_from) IS NOT NULL THEN :now + :seldom ::interval END,
        CASE WHEN w.delayed_from IS NOT NULL THEN :now + :collect ::interval END), :now,
    w.heard_at, w.moving, w.changed_from, w.changed_until, w.late_from, w.late_until,
    w.delayed_from, w.delayed_until, CASE WHEN w.delayed_from IS NOT NULL THEN :now + :collect ::interval END
FROM unnest(:ids ::text[], :gate_ids ::text[], :moving ::int[], :heard_at ::timestamptz[],
    :changed_from ::timestamptz[], :changed_until ::timestamptz[], :late_from ::timestamptz[], :late_until ::timestamptz[],
    :delayed_from ::timestamptz[], :delayed_until ::timestamptz[])
    AS w (id, gate_id, moving, heard_at, changed_from, changed_until, late_from, late_until, delayed_from, delayed_until)
JOIN gate g ON g.id = w.gate_id
ORDER BY w.gate_id
ON CONFLICT (gate_id) WHERE state = 'open' DO UPDATE SET
    due_at = CASE
        WHEN p.due_at <= :now THEN p.due_at
        WHEN p.heard_at IS NULL OR excluded.heard_at IS NULL THEN least(p.due_at, excluded.due_at)
        ELSE least(greatest(p.due_at, excluded.due_at), greatest(
            p.opened_at + (SELECT g.longest FROM gate g WHERE g.id = p.gate_id), p.due_at),
            coalesce(p.delayed_due, excluded.delayed_due)) END,
    opened_at = CASE WHEN p.heard_at IS NULL THEN excluded.opened_at ELSE p.opened_at END,
    heard_at = greatest(p.heard_at, excluded.heard_at),
    reads = p.reads + excluded.reads,
    changed_from = least(p.changed_from, excluded.changed_from),
    changed_until = greatest(p.changed_until, excluded.changed_until),
    late_from = least(p.late_from, excluded.late_from),
    late_until = greatest(p.late_until, excluded.late_until),
    delayed_from = least(p.delayed_from, excluded.delayed_from),
    delayed_until = greatest(p.delayed_until, excluded.delayed_until),
    delayed_due = coalesce(p.delayed_due, excluded.delayed_due)
"""
)
_HEAR = text(
    "INSERT INTO reader_watermark AS w (gate_id, reader_id, heard_at, seen_until) "
    "SELECT gate_id, reader_id, max(heard_at), max(seen_until) "
    "FROM unnest(:gate_ids ::text[], :reader_ids ::text[], :heard ::timestamptz[], :seen ::timestamptz[]) "
    "AS h (gate_id, reader_id, heard_at, seen_until) GROUP BY 1, 2 ORDER BY 1, 2 "
    "ON CONFLICT (gate_id, reader_id) DO UPDATE SET heard_at = greatest(w.heard_at, excluded.heard_at), "
    "seen_until = greatest(w.seen_until, excluded.seen_until)"
)


def keep_reads(session: Session, batches: Sequence[TagsRead]) -> list[Any]:
    """Keep the reads that have not come before; for each gate and kind of coming how many, and from when to when."""
    pairs = [(batch, read) for batch in batches for read in batch.reads]
    if not pairs:
        return []
    values = {
        "gate_ids": [batch.gate_id for batch, _ in pairs],
        "boots": [batch.boot for batch, _ in pairs],
        "received": [batch.received_at for batch, _ in pairs],
        "reader_ids": [batch.reader_id for batch, _ in pairs],
        "sequences": [read.sequence for _, read in pairs],
        "epcs": [read.epc for _, read in pairs],
        "antennas": [read.antenna for _, read in pairs],
        "rssi_dbm": [read.rssi_dbm for _, read in pairs],
        "times": [
            read.at if abs(batch.received_at - read.at) < ANY_CLOCK else batch.received_at for batch, read in pairs
        ],
        "told": [_near(read.reader_at, batch.received_at) for batch, read in pairs],
        "counts": [read.count for _, read in pairs],
        "pcs": [read.pc for _, read in pairs],
        "skewed": [read.is_skewed for _, read in pairs],
    }
    return list(session.execute(_TAKE_IN, values))


def _near(told: datetime | None, received_at: datetime) -> datetime | None:
    return told if told is not None and abs(received_at - told) < ANY_CLOCK else None


def keep_edges(session: Session, batches: Iterable[TagsRead]) -> list[Any]:
    """Keep edges of photo-eyes; those of a time that cannot be are left out."""
    seen = [
        (batch.gate_id, edge.at, edge.is_high)
        for batch in batches
        for edge in batch.edges
        if abs(batch.received_at - edge.at) < timedelta(days=1)
    ]
    if not seen:
        return []
    gate_ids, times, highs = map(list, zip(*seen, strict=True))
    return list(
        session.execute(_KEEP_EDGES, {"gate_ids": gate_ids, "times": times, "highs": highs, "now": clock.now()})
    )


def keep_open(session: Session, fresh: Iterable[Any]) -> None:
    """Keep a passage of each gate open that something new has come from, gates in the order of their ids."""
    rows = list(fresh)
    if not rows:
        return
    gate_ids = sorted({row.gate_id for row in rows})
    times: dict[str, list[tuple[datetime | None, datetime | None]]] = {
        name: [_span(row for row in rows if row.gate_id == gate_id and row.kind == kind) for gate_id in gate_ids]
        for name, kind in (("changed", Kind.RECENT), ("late", Kind.LATE), ("delayed", Kind.DELAYED))
    }
    came, now = [row for row in rows if row.kind != Kind.DELAYED], clock.now()
    values = {
        "ids": clock.new_ids("passage", len(gate_ids)),
        "gate_ids": gate_ids,
        "moving": [sum(row.moving for row in came if row.gate_id == gate_id) for gate_id in gate_ids],
        "heard_at": [_last_moved((row for row in rows if row.gate_id == gate_id), now) for gate_id in gate_ids],
        "changed_from": [since for since, _ in times["changed"]],
        "changed_until": [until for _, until in times["changed"]],
        "late_from": [since for since, _ in times["late"]],
        "late_until": [until for _, until in times["late"]],
        "delayed_from": [since for since, _ in times["delayed"]],
        "delayed_until": [until for _, until in times["delayed"]],
        "now": now,
        "seldom": LOOK_AT_PARKED,
        "collect": COLLECT,
    }
    session.execute(_KEEP_OPEN, values)


def _span(rows: Iterable[Any]) -> tuple[datetime | None, datetime | None]:
    found = list(rows)
    return min((row.since for row in found), default=None), max((row.until for row in found), default=None)


def _last_moved(rows: Iterable[Any], now: datetime) -> datetime | None:
    """When something was last read that moves; a clock that runs ahead puts off nothing."""
    moved = [row.moved_at for row in rows if row.kind == Kind.RECENT and row.moved_at is not None]
    return min(max(moved), now) if moved else None


def look_again(session: Session, gate_ids: Iterable[str], since: datetime, until: datetime) -> None:
    """Have gates looked at again for a stretch of time in which something changed for them."""
    keep_open(session, [_Change(gate_id, since, until) for gate_id in gate_ids])


class _Change:
    """A stretch of a gate's time in which no read came, and yet something changed."""

    moving = 1

    def __init__(self, gate_id: str, since: datetime, until: datetime) -> None:
        self.gate_id, self.since, self.until = gate_id, since, until
        self.moved_at = until
        self.kind = Kind.DELAYED if clock.now() - until > HELD_BACK else Kind.RECENT


def keep_heartbeats(session: Session, heard: Sequence[ReaderHeard]) -> None:
    """Put down up to when all reads of readers have come. A reader that claims the future is not believed further than now."""
    if not heard:
        return
    values = {
        "gate_ids": [one.gate_id for one in heard],
        "reader_ids": [one.reader_id for one in heard],
        "heard": [one.at for one in heard],
        "seen": [min(one.seen_until, one.at) for one in heard],
    }
    session.execute(_HEAR, values)
