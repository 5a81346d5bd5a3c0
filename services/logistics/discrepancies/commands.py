"""Puts down what did not fit, gives it to somebody, and closes it with what it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.logistics.base import among
from services.logistics.discrepancies import recording
from services.logistics.discrepancies.kinds import Finding, Kind, Result
from services.logistics.discrepancies.model import ANYBODY, Discrepancy, State
from services.logistics.notes import queries as notes
from services.logistics.staff import queries as staff

SEEN_AGAIN = "it was seen again"


def put_down(
    session: Session,
    findings: Iterable[Finding],
    *,
    passage_id: str | None,
    warehouse_id: str,
    at: datetime,
    gate_id: str | None = None,
    zone_id: str | None = None,
    stock_take_id: str | None = None,
    epcis_event_id: str | None = None,
) -> None:
    """Keep what did not fit in a passage or a stock-take, each a task of the warehouse.

    A piece without a delivery names the open note that it may have left by. What goes on (``Finding.standing_at``) stays the
    one open task that it is. ``epcis_event_id`` is the event that was captured of it, which a result may correct.
    """
    found = list(findings)
    noted = notes.notes_over(session, [one.piece_id for one in found if one.kind == Kind.NO_DELIVERY and one.piece_id])
    same = {
        "passage_id": passage_id,
        "warehouse_id": warehouse_id,
        "at": at,
        "gate_id": gate_id,
        "zone_id": zone_id,
        "stock_take_id": stock_take_id,
        "epcis_event_id": epcis_event_id,
        "state": Discrepancy.initial,
    }
    place_id = gate_id or (warehouse_id if stock_take_id else None)
    rows = [
        {
            **same,
            "id": clock.new_id("discrepancy"),
            "kind": one.kind.value,
            "piece_id": one.piece_id,
            "delivery_id": one.delivery_id,
            "epc": one.epc,
            "parent": one.parent,
            "other_parent": one.other_parent,
            "detail": one.detail,
            "note_id": noted.get(one.piece_id or "") if one.kind == Kind.NO_DELIVERY else None,
            "standing": one.standing_at(place_id),
        }
        for one in found
    ]
    if rows:
        session.execute(insert(Discrepancy).on_conflict_do_nothing(), rows)


def name_event(session: Session, passage_id: str, epcis_event_id: str) -> None:
    """Say which EPCIS event was captured of the passage that tasks were put down for."""
    _change(session, Discrepancy.passage_id == passage_id, epcis_event_id=epcis_event_id)


def withdraw(session: Session, passage_ids: Collection[str], at: datetime) -> None:
    """Late reads took passages back: what is open of theirs was nothing. What somebody has closed stays as it is."""
    for one in _lock_open(session, among(Discrepancy.passage_id, passage_ids)):
        one.withdraw(at)
    session.flush()


def close_found(
    session: Session,
    *,
    warehouse_id: str,
    piece_ids: Collection[str],
    at: datetime,
    epcis_event_id: str | None = None,
) -> None:
    """Pieces were seen again: the warehouse's open tasks of their being missing end as ``found``."""
    missing = (Discrepancy.warehouse_id == warehouse_id, Discrepancy.kind == Kind.MISSING.value, Discrepancy.at <= at)
    for one in _lock_open(session, *missing, among(Discrepancy.piece_id, piece_ids)):
        one.close(Caller.system("logistics").user_id, Result.FOUND, SEEN_AGAIN, at)
        one.closing_event_ids = [epcis_event_id] if epcis_event_id else []


def assign_discrepancy(
    session: Session, caller: Caller, discrepancy_id: str, *, user_id: str | None, role: str | None
) -> Discrepancy:
    """Give a task to a user of the warehouse, or to whoever has a role there.

    Raises NotFound, NotYourGate, IllegalMove, NotYourStaff or NotYetKnown.
    """
    discrepancy = get(session, Discrepancy, discrepancy_id, caller)
    discrepancy.check_is_ours(caller)
    if user_id is not None:
        staff.check_works_at(session, user_id, caller.party_id)
    discrepancy.assign(caller, owner_id=user_id, owner_role=role or ANYBODY, at=clock.now())
    return discrepancy


def close_discrepancy(
    session: Session,
    caller: Caller,
    discrepancy_id: str,
    *,
    result: Result,
    reason: str,
    piece_ids: Collection[str] = (),
) -> Discrepancy:
    """Close a task with one of the results of its kind; the EPCIS event or correction that follows from it is captured.

    ``piece_ids`` are the pieces that it was about, where the task itself names none. It stays on its delivery with the reason.
    Raises NotFound, NotYourGate, IllegalMove, WrongResult, or NoPiecesNamed where a result wants pieces and nobody names any.
    """
    discrepancy = get(session, Discrepancy, discrepancy_id, caller)
    discrepancy.check_is_ours(caller)
    discrepancy.close(caller.user_id, result, reason, clock.now())
    effect = discrepancy.effect_of(result)
    discrepancy.closing_event_ids = recording.record(session, caller, discrepancy, effect, piece_ids=piece_ids)
    return discrepancy


def _lock_open(session: Session, *where) -> list[Discrepancy]:
    is_open = select(Discrepancy).where(Discrepancy.state == State.OPEN, *where).order_by(Discrepancy.id)
    return list(session.scalars(is_open.with_for_update().execution_options(populate_existing=True)))


def _change(session: Session, *where, **values: str) -> None:
    session.execute(update(Discrepancy).where(*where).values(**values))
