"""What the platform holds in the end, beside what was sent, what the stages make of it, and what was so."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from loadtests.benchmarks.rfid_platform import RfidStand, rules_of
from loadtests.benchmarks.rfid_traffic import SECOND, GateReads
from services.logistics.rfid.simulator.scoring import Tally
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.ghosts import parked_slots, slot_of
from services.logistics.rfid.stages.passages import Context, judge
from services.logistics.rfid.stages.reads import Read, coalesce, unique
from services.logistics.rfid.stages.sessions import find_sessions
from services.logistics.warehouses.rules import portal_rules

Sighted = tuple[str, str, bool, int, int]
"""A tag in a passage: EPC, direction, whether it is a ghost, first and last time."""

_COUNT = "SELECT count(*) FROM tag_read WHERE gate_id = %s AND mark IS DISTINCT FROM 'skewed'"
_TAKEN = "SELECT count(*) FROM tag_read WHERE pg_xact_commit_timestamp(xmin) <= %s"
_READS = """
SELECT (extract(epoch FROM at) * 1000000)::bigint, coalesce(reader_id, ''), antenna, epc, boot || '/' || sequence, rssi_dbm, count
FROM tag_read WHERE gate_id = %s AND mark IS NULL"""
_SIGHTINGS = """
SELECT s.epc, s.direction, s.is_ghost, (extract(epoch FROM s.first_seen) * 1000000)::bigint,
    (extract(epoch FROM s.last_seen) * 1000000)::bigint, coalesce(s.by, '') = 'one_side'
FROM sighting s JOIN passage p ON p.id = s.passage_id WHERE p.gate_id = %s AND p.state = 'closed' AND NOT p.is_late"""
_FIRST_TOLD = """
SELECT extract(epoch FROM e.record_time - (
    SELECT max(greatest(r.at, r.received_at)) FROM tag_read r
    WHERE r.gate_id = p.gate_id AND r.at BETWEEN p.first_seen AND p.last_seen AND r.received_at <= e.record_time))::float
FROM passage p JOIN epcis_event e ON e.event_id = p.event_ids[1] AND NOT e.is_error
WHERE p.version = 1 AND p.last_seen >= %s AND p.last_seen < %s"""
_CORRECTED = """
SELECT extract(epoch FROM pg_xact_commit_timestamp(p.xmin) - (
    SELECT max(greatest(r.at, r.received_at)) FROM tag_read r
    WHERE r.gate_id = p.gate_id AND r.at BETWEEN p.first_seen AND p.last_seen))::float
FROM passage p WHERE p.version > 1 AND p.state = 'closed' AND p.first_seen >= %s AND p.first_seen < %s"""


def count_lost(stand: RfidStand, gates: list[GateReads]) -> int:
    """How many reads that were sent are not there."""
    return sum(
        gate.distinct - stand.admin.execute(_COUNT, [stand.gate_ids[gate.number]]).fetchone()[0] for gate in gates
    )


def count_taken(stand: RfidStand, until: datetime) -> int:
    """How many reads were committed by a time."""
    return stand.admin.execute(_TAKEN, [until]).fetchone()[0]


def count_differing(stand: RfidStand, gates: list[GateReads]) -> int:
    """How many tags of passages are told otherwise than the stages tell of all reads at once."""
    return sum(len(_told(stand, gate) ^ _judged(stand, gate)) for gate in gates)


def _told(stand: RfidStand, gate: GateReads) -> set[Sighted]:
    return {tuple(row[:5]) for row in stand.admin.execute(_SIGHTINGS, [stand.gate_ids[gate.number]])}


def _judged(stand: RfidStand, gate: GateReads) -> set[Sighted]:
    rules = portal_rules(rules_of(gate))
    reads = [Read(*row) for row in stand.admin.execute(_READS, [stand.gate_ids[gate.number]])]
    slots: dict[str, set[int]] = defaultdict(set)
    for read in unique(reads).values():
        slots[read.epc].add(slot_of(read.at_us))
    parked = {epc: parked_slots(seen, rules) for epc, seen in slots.items()}
    moving = [one for one in coalesce(reads) if slot_of(one.first_us) not in parked[one.epc]]
    passages = [judge("gate", session, rules, Context()) for session in find_sessions(moving, (), rules)]
    return {
        (one.epc, str(one.direction), one.is_ghost, one.first_us, one.last_us)
        for passage in passages
        for one in passage.observations
    }


def tally_truth(stand: RfidStand, gates: list[GateReads], start_us: int) -> tuple[Tally, Tally]:
    """Presence, and direction of what is present, against what was so. Nothing is inferred: no papers are known here."""
    presence, ways = Tally(), Tally()
    for gate in gates:
        passing, found = gate.passing, set[str]()
        for epc, direction, is_ghost, first_us, last_us, is_near in stand.admin.execute(
            _SIGHTINGS, [stand.gate_ids[gate.number]]
        ):
            if is_ghost or is_near or epc in gate.cut_off:
                continue
            trip = passing.get(epc)
            is_so = trip is not None and _is_during(trip, first_us - start_us, last_us - start_us)
            if not is_so or epc in found:
                presence.wrong += 1
                continue
            found.add(epc)
            presence.right += 1
            ways.right += direction == trip.going
            ways.wrong += direction != trip.going and direction != Direction.UNKNOWN
        presence.missed += len(passing.keys() - found)
    return presence, ways


def _is_during(trip, first_us: int, last_us: int) -> bool:  # type: ignore[no-untyped-def]
    from services.logistics.rfid.simulator.world import START_US

    return first_us + START_US <= trip.last_us + SECOND and last_us + START_US >= trip.first_us - SECOND


def read_first_tellings(stand: RfidStand, since: datetime, until: datetime) -> list[float]:
    """Seconds from the last read of each passage that had come when it was first told, until that; passages that ended then."""
    return [row[0] for row in stand.admin.execute(_FIRST_TOLD, [since, until]) if row[0] is not None]


def read_corrections(stand: RfidStand, since: datetime, until: datetime) -> list[float]:
    """Seconds from the coming of the last read of each passage that stands for an earlier one, until it was committed."""
    return [row[0] for row in stand.admin.execute(_CORRECTED, [since, until]) if row[0] is not None]
