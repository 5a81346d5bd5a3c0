"""Finds the stretch of a gate's time that a change may reach, and what was read in it, as the stages want it.

A stretch ends where nothing is read for longer than the quiet time. What stands for a stretch's beginning is known from the
passages that were told: where a session begins is settled by what is read in its longest time, and two quiet ones (a longer one
is cut where fewest tags are being read), behind it; so a gate at which something is read all day is not read anew all day.
Reads of parked tags do not count for quiet times.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.logistics.rfid.stages.ghosts import SLOT_US, slot_of
from services.logistics.rfid.stages.reads import BUCKET_US, Bucket, Read
from services.logistics.rfid.stages.sessions import Beam, PortalRules, find_beams

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
BUCKET = timedelta(microseconds=BUCKET_US)


def to_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _US


def from_us(at_us: int) -> datetime:
    """The time of so many microseconds since 1970."""
    return _EPOCH + at_us * _US


class Stretch(msgspec.Struct, frozen=True):
    """What happened at a gate from one time to another: buckets that count, those of parked tags, photo-eye times.

    ``others`` are the tags whose memory ISO 15961 rules, not GS1 (TDS 9.3). ``is_anchored``: it begins with a session that was
    told, and no quiet time is before it.
    """

    since: datetime
    until: datetime
    buckets: list[Bucket]
    parked: list[Bucket]
    beams: list[Beam]
    others: frozenset[str]
    is_anchored: bool = False


_MARKS = {False: "r.mark IS NULL", True: "r.mark = 'late'"}
_STANDS = "EXISTS (SELECT 1 FROM parked_tag p WHERE p.gate_id = r.gate_id AND p.epc = r.epc AND r.at >= p.since AND r.at < p.until)"
_BACK = (
    "WITH RECURSIVE back (at) AS (SELECT :at ::timestamptz UNION ALL SELECT ("
    "SELECT min(r.at) FROM tag_read r WHERE r.gate_id = :gate_id AND {mark} AND r.at >= back.at - :gap ::interval "
    "AND r.at < back.at AND NOT {stands}) FROM back WHERE back.at > :floor) SELECT min(at) FROM back"
)
_ON = (
    "WITH RECURSIVE ahead (at) AS (SELECT :at ::timestamptz UNION ALL SELECT ("
    "SELECT max(r.at) FROM tag_read r WHERE r.gate_id = :gate_id AND {mark} AND r.at <= ahead.at + :gap ::interval "
    "AND r.at > ahead.at AND NOT {stands}) FROM ahead WHERE ahead.at IS NOT NULL) SELECT max(at) FROM ahead"
)
_MICROS = "(extract(epoch FROM {time}) * 1000000) ::bigint"
_BUCKETS = (
    f"SELECT {_MICROS.format(time='min(r.at)')}, {_MICROS.format(time='max(r.at)')}, coalesce(r.reader_id, ''), "
    "r.antenna, r.epc, max(r.rssi_dbm), sum(r.count) ::int, bool_or({stands}), "
    "coalesce(bool_or(r.pc & 256 <> 0), false) "
    "FROM tag_read r WHERE r.gate_id = :gate_id AND {mark} AND r.at >= :since AND r.at <= :until "
    "GROUP BY r.reader_id, r.antenna, r.epc, date_bin('250 ms', r.at, TIMESTAMPTZ 'epoch')"
)
_ANCHOR = text(
    "SELECT first_seen FROM passage WHERE gate_id = :gate_id AND state = 'closed' AND NOT is_late AND NOT has_beam "
    "AND first_seen < :before ORDER BY first_seen DESC LIMIT 1"
)
_EDGES = text("SELECT at, is_high FROM gate_edge WHERE gate_id = :gate_id AND at BETWEEN :since AND :until")


def _statements(is_late: bool) -> dict[str, Any]:
    given = {"back": _BACK, "on": _ON, "buckets": _BUCKETS}
    return {name: text(one.format(mark=_MARKS[is_late], stands=_STANDS)) for name, one in given.items()}


_IN_TIME, _LATE = _statements(is_late=False), _statements(is_late=True)


def load_stretch(session: Session, gate_id: str, rules: PortalRules, since: datetime, until: datetime) -> Stretch:
    """The stretch of reads that came in time around a change, its photo-eye times with it."""
    edges = _Edges(session, gate_id, rules)
    settled = _quarter(since - timedelta(microseconds=rules.longest_us + 2 * rules.quiet_us))
    floor = session.scalar(_ANCHOR, {"gate_id": gate_id, "before": settled})
    begin, end = since, until
    while True:
        begin, floored = _walk(session, gate_id, rules, begin, floor)
        end = session.scalar(_IN_TIME["on"], _step(gate_id, rules, end))
        beams = edges.near(begin, end)
        wider = (
            min((from_us(one.since_us) for one in beams), default=begin),
            max((edges.end_of(one) for one in beams), default=end),
        )
        if wider[0] >= begin and wider[1] <= end:
            break
        begin, end = min(begin, wider[0]), max(end, wider[1])
        floor = floor if floored and begin > floor else None
    counted, parked, others = _load_buckets(session, _IN_TIME, gate_id, _quarter(begin), end)
    first_us = to_us(begin) if floored else 0
    return Stretch(begin, end, [one for one in counted if one.first_us >= first_us], parked, beams, others, floored)


def load_late(session: Session, gate_id: str, rules: PortalRules, since: datetime, until: datetime) -> Stretch:
    """The stretch of reads that came too late around a change."""
    begin = session.scalar(_LATE["back"], _step(gate_id, rules, since) | {"floor": _EPOCH})
    end = session.scalar(_LATE["on"], _step(gate_id, rules, until))
    return Stretch(begin, end, *_load_buckets(session, _LATE, gate_id, begin, end)[:2], [], frozenset())


def _walk(
    session: Session, gate_id: str, rules: PortalRules, at: datetime, floor: datetime | None
) -> tuple[datetime, bool]:
    """Back to the quiet time before a time, but no further than the session that begins at ``floor``; whether it is that."""
    found = session.scalar(_IN_TIME["back"], _step(gate_id, rules, at) | {"floor": floor or _EPOCH})
    return (floor, True) if floor is not None and found <= floor else (found, False)


def _step(gate_id: str, rules: PortalRules, at: datetime) -> dict[str, Any]:
    gap = timedelta(microseconds=max(rules.quiet_us, BUCKET_US))
    return {"gate_id": gate_id, "at": at, "gap": gap}


def _quarter(at: datetime) -> datetime:
    return from_us(to_us(at) // BUCKET_US * BUCKET_US)


def _load_buckets(
    session: Session, statements: dict[str, Any], gate_id: str, since: datetime, until: datetime
) -> tuple[list[Bucket], list[Bucket], frozenset[str]]:
    rows = session.execute(statements["buckets"], {"gate_id": gate_id, "since": since, "until": until}).all()
    counted = [Bucket(*row[:7]) for row in rows if not row[7]]
    return counted, [Bucket(*row[:7]) for row in rows if row[7]], frozenset(row[4] for row in rows if row[8])


class _Edges:
    """The photo-eye of a gate, asked for once in a stretch and what is near it."""

    def __init__(self, session: Session, gate_id: str, rules: PortalRules) -> None:
        self._session, self._gate_id, self._rules = session, gate_id, rules

    def near(self, since: datetime, until: datetime) -> list[Beam]:
        """The times of the photo-eye no further than a quiet time away."""
        wide = timedelta(microseconds=2 * self._rules.longest_us + self._rules.quiet_us)
        asked = {"gate_id": self._gate_id, "since": since - wide, "until": until + wide}
        beams = find_beams((to_us(at), is_high) for at, is_high in self._session.execute(_EDGES, asked))
        apart = timedelta(microseconds=self._rules.quiet_us + self._rules.settle_us + BUCKET_US)
        return [one for one in beams if from_us(one.since_us) <= until + apart and self.end_of(one) >= since - apart]

    def end_of(self, beam: Beam) -> datetime:
        """When it is over, at the latest."""
        capped = beam.since_us + self._rules.longest_us
        return from_us(capped if beam.until_us is None else min(beam.until_us + self._rules.settle_us, capped))


_READS = text(
    "SELECT (extract(epoch FROM at) * 1000000) ::bigint, coalesce(reader_id, ''), antenna, epc, boot || '/' || sequence, "
    "rssi_dbm, count FROM tag_read WHERE gate_id = :gate_id AND mark IS DISTINCT FROM 'skewed' AND at BETWEEN :since AND :until"
)


def load_reads(session: Session, gate_id: str, since: datetime, until: datetime) -> list[Read]:
    """The reads of a gate from one time to another, late ones too, each once."""
    return [Read(*row) for row in session.execute(_READS, {"gate_id": gate_id, "since": since, "until": until})]


_ADD_SLOTS = text(
    "INSERT INTO tag_slot (gate_id, epc, slot) SELECT :gate_id, * FROM unnest(:epcs ::text[], :slots ::bigint[]) "
    "ON CONFLICT DO NOTHING"
)
_RUNS = text(
    "SELECT epc, array_agg(slot) FROM tag_slot WHERE gate_id = :gate_id AND epc = ANY(:epcs) "
    "AND slot BETWEEN :first - :reach AND :last + :reach GROUP BY epc HAVING max(slot) - min(slot) >= :least"
)
RUN_SLOTS = 360
"""How far a run of ten seconds is followed: an hour to either side."""


def add_slots(session: Session, gate_id: str, buckets: Iterable[Bucket]) -> dict[str, set[int]]:
    """Put down in which ten seconds tags were read; for those that may be parked all of theirs around that."""
    seen = sorted({(one.epc, slot_of(one.first_us)) for one in buckets})
    if not seen:
        return {}
    epcs, slots = [epc for epc, _ in seen], [slot for _, slot in seen]
    session.execute(_ADD_SLOTS, {"gate_id": gate_id, "epcs": epcs, "slots": slots})
    return _follow_runs(session, gate_id, set(epcs), min(slots), max(slots))


def _follow_runs(session: Session, gate_id: str, epcs: Collection[str], first: int, last: int) -> dict[str, set[int]]:
    asked = {"gate_id": gate_id, "epcs": sorted(epcs), "first": first, "last": last, "reach": RUN_SLOTS, "least": 6}
    return {epc: set(slots) for epc, slots in session.execute(_RUNS, asked)}


def slot_time(slot: int) -> datetime:
    """When ten seconds begin."""
    return from_us(slot * SLOT_US)
