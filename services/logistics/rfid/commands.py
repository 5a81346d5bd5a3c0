"""Takes in what readers say, once each, and settles gates when they are quiet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.problems import NotFound
from events.logistics import ReaderHeard, TagsRead
from services.logistics.rfid import settling, taking
from services.logistics.rfid.model import Passage
from services.logistics.rfid.readers import commands as readers
from services.logistics.rfid.stages.ghosts import slot_of
from services.logistics.rfid.stretches import to_us
from services.logistics.warehouses import queries as gates

READS_KEPT = timedelta(days=30)
SLOTS_KEPT = timedelta(hours=3)
PURGE_BATCH = 5_000

_PURGE = text(
    """
WITH reads AS (DELETE FROM tag_read WHERE (gate_id, boot, sequence) IN (
        SELECT gate_id, boot, sequence FROM tag_read
        WHERE gate_id = :gate_id AND at < :before AND received_at < :before LIMIT :most)),
    edges AS (DELETE FROM gate_edge WHERE gate_id = :gate_id AND at < :before),
    stood AS (DELETE FROM parked_tag WHERE gate_id = :gate_id AND until < :before)
DELETE FROM tag_slot WHERE (gate_id, epc, slot) IN (
    SELECT gate_id, epc, slot FROM tag_slot WHERE gate_id = :gate_id AND slot < :slot LIMIT :most)
"""
)


def take_reads(session: Session, caller: Caller, told: Iterable[TagsRead | ReaderHeard]) -> None:
    """Keep reads and edges that have not come before, and a passage of their gate open for as long as they come.

    A bounded number of statements, gates in the order of their ids. Raises NotFound for a gate that does not exist.
    """
    messages = list(told)
    batches = [one for one in messages if isinstance(one, TagsRead)]
    wanted = {one.gate_id for one in messages}
    known = {gate.id for gate in gates.find_gates(session, caller, wanted)}
    if missing := sorted(wanted - known):
        raise NotFound(f"no gate {', '.join(missing)}", missing=missing)
    readers.hear_told(session, messages)
    fresh = [*taking.keep_reads(session, batches), *taking.keep_edges(session, batches)]
    taking.keep_open(session, fresh)
    # Behind the reads: what a reader says that it has told was not said before they came.
    taking.keep_heartbeats(session, [one for one in messages if isinstance(one, ReaderHeard)])


def close_passage(session: Session, caller: Caller, passage_id: str) -> None:
    """Settle the gate of an open passage when nothing more has come for its closing time.

    What its reads say now is told, with one EPCIS event for each way that things went, and deliveries whose pieces left move
    on; what was told before and is not so is taken back. Nothing happens while reads still come.
    """
    window = get(session, Passage, passage_id, caller)
    if not window.is_due(clock.now()):
        return
    gate_id, reads = window.gate_id, window.reads
    settling.settle_window(session, caller, gates.see_gate(session, gate_id, caller), window)
    _purge(session, gate_id, PURGE_BATCH + 2 * reads)


def _purge(session: Session, gate_id: str, most: int) -> None:
    """Forget what was read long ago, so many rows at most: more than came since the last time, so that it does not heap up."""
    before = clock.now() - READS_KEPT
    slot = slot_of(to_us(clock.now() - SLOTS_KEPT))
    session.execute(_PURGE, {"gate_id": gate_id, "before": before, "slot": slot, "most": most})
