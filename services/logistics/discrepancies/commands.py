"""Puts down what did not fit at a gate, and closes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.logistics.discrepancies.model import Discrepancy
from services.logistics.notes import queries as notes
from services.logistics.shipments.matching import Finding, Kind


def put_down(
    session: Session, findings: Iterable[Finding], *, passage_id: str, warehouse_id: str, at: datetime
) -> None:
    """Keep what did not fit in a passage; a piece without a delivery names the open note that it may have left by."""
    found = list(findings)
    noted = notes.notes_over(session, [one.piece_id for one in found if one.kind == Kind.NO_DELIVERY])
    session.add_all(
        Discrepancy(
            id=clock.new_id("discrepancy"),
            kind=one.kind,
            passage_id=passage_id,
            delivery_id=one.delivery_id,
            piece_id=one.piece_id,
            at=at,
            warehouse_id=warehouse_id,
            note_id=noted.get(one.piece_id) if one.kind == Kind.NO_DELIVERY else None,
            state=Discrepancy.initial,
        )
        for one in found
    )


def close_discrepancy(session: Session, caller: Caller, discrepancy_id: str, reason: str) -> Discrepancy:
    """Close a discrepancy by hand; it stays on its delivery with the reason. Raises NotFound, NotYourGate or IllegalMove."""
    discrepancy = get(session, Discrepancy, discrepancy_id, caller)
    discrepancy.close(caller, reason, clock.now())
    return discrepancy
