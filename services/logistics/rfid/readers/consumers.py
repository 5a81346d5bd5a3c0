"""What the lamps of a gate hear: what the gate has said of a passage."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.logistics import GateJudged
from services.logistics.rfid.readers import commands


def on_gate_judged(session: Session, caller: Caller, event: GateJudged) -> None:
    """Keep the verdict for the lamps."""
    commands.keep_verdict(session, caller, event)


HANDLERS = {GateJudged: on_gate_judged}
