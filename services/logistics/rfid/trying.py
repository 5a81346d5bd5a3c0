"""Tries rules out on a recorded read file: what would have passed, and what the gate would have said. Writes nothing.

Papers are those of now: what is expected are the pieces of deliveries that stand at the gate.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.rfid.passing import Meant, find_meaning
from services.logistics.rfid.recordings import Recording, read_recording
from services.logistics.rfid.stages.whole import find_all_sessions
from services.logistics.shipments import queries as shipments
from services.logistics.shipments.matching import Passing
from services.logistics.warehouses import queries as gates
from services.logistics.warehouses.model import Gate
from services.logistics.warehouses.rules import GateRules, portal_rules

MOST_PASSAGES = 200


class Trial(msgspec.Struct, frozen=True):
    """What rules make of a file: its first passages, how many there are, and the tags that stand there."""

    version: int | None
    count: int
    passages: list[Meant]
    parked: list[str]


def try_rules(session: Session, caller: Caller, gate_id: str, body: bytes) -> tuple[Trial, Trial | None]:
    """What a recorded file is by the rules in force, and by those that it brings. Raises NotFound or RecordingInvalid."""
    gate = gates.see_gate(session, gate_id, caller)
    recording, present = read_recording(body), gates.present_rules(session, gate_id)
    before = _try(session, gate, present.read(), recording, present.version)
    return before, None if recording.rules is None else _try(session, gate, recording.rules, recording, None)


def _try(session: Session, gate: Gate, rules: GateRules, recording: Recording, version: int | None) -> Trial:
    def pass_gate(_at: datetime, seen: frozenset[str]) -> Passing:
        return shipments.foresee_gate(session, gate.id, seen, clock.now())

    sessions, parked = find_all_sessions(recording.reads, recording.edges, portal_rules(rules))
    passages = [
        find_meaning(session, gate, rules, tags, pass_gate=pass_gate, lost={}) for tags in sessions[:MOST_PASSAGES]
    ]
    return Trial(version, len(sessions), passages, parked)
