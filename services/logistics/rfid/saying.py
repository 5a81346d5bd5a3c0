"""What a gate says of passages: its verdict, while it is of use, and each tag that it observed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from chassis import clock
from chassis.messages import emit_many
from events.logistics import GateJudged, JudgedReason, TagObserved
from services.logistics.rfid.judging import Code, Judgement, Reason, Verdict
from services.logistics.rfid.model import Passage
from services.logistics.rfid.passing import Meant
from services.logistics.rfid.stretches import from_us
from services.logistics.warehouses.model import Gate

LIVE = timedelta(seconds=30)
"""A verdict is said aloud only so long after something passed: a lamp that lights later lights for the next truck."""


def say_passages(gate: Gate, new: Sequence[tuple[Passage, Meant]], *, is_late: bool) -> list[Any]:
    """The verdict, while it is of use to the truck, and each tag that was observed."""
    said: list[Any] = []
    for passage, meant in new:
        if not is_late and clock.now() - (passage.last_seen or clock.now()) <= LIVE:
            delivery_ids = [one.delivery_id for one in meant.passing.carried]
            said.append(_judged(gate, passage, meant.judgement, meant.plate, delivery_ids))
        said += [
            TagObserved(
                link=meant.known.links[one.epc],
                epc=one.epc,
                gate_id=gate.id,
                warehouse_id=gate.party_id,
                passage_id=passage.id,
                direction=one.direction.value,
                first_seen=from_us(one.first_us),
                at=from_us(one.last_us),
            )
            for one in meant.counted
            if one.epc in meant.known.links
        ]
    return said


def _judged(
    gate: Gate, passage: Passage, judgement: Judgement, plate: str | None, delivery_ids: list[str]
) -> GateJudged:
    return GateJudged(
        gate_id=gate.id,
        warehouse_id=gate.party_id,
        passage_id=passage.id,
        at=clock.now(),
        verdict=judgement.verdict.value,
        plate=plate,
        delivery_ids=sorted(delivery_ids),
        reasons=[
            JudgedReason(code=one.code.value, text=one.text, piece_id=one.piece_id, epc=one.epc)
            for one in judgement.reasons
        ],
    )


def say_reader_silent(session: Session, gate: Gate, window: Passage, at: datetime) -> None:
    """Something has passed, and a reader keeps back what it saw: check, until it is known."""
    judgement = Judgement(Verdict.CHECK, (Reason(Code.READER_SILENT),))
    window.verdict = Verdict.CHECK.value
    emit_many(session, [_judged(gate, window, judgement, None, [])])
