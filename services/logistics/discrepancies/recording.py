"""Records what a discrepancy turned out to have been: as an EPCIS event on somebody's word, or as the correction of one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.discrepancies.kinds import Effect
from services.logistics.discrepancies.model import Discrepancy, NoPiecesNamed
from services.logistics.epcis.fields import Event
from services.logistics.epcis.object_event import name_transactions
from services.logistics.manual import capturing, events
from services.logistics.manual.capturing import Named
from services.logistics.manual.events import Method, Step
from services.logistics.shipments import queries as shipments

_PASSED = {Effect.LEFT: events.DEPARTING, Effect.CAME: events.ARRIVING}
_NOW = {
    Effect.HERE: events.FOUND,
    Effect.RETURNED: events.RETURNED,
    Effect.LOST: events.LOST,
    Effect.STOLEN: events.STOLEN,
}
_TURNS = {Effect.TURN_IN: events.ARRIVING, Effect.TURN_OUT: events.DEPARTING}
_AWAY = frozenset({Effect.LEFT, Effect.LOST, Effect.STOLEN, Effect.TURN_OUT})
"""Effects after which the things are not in the warehouse."""


def record(
    session: Session, caller: Caller, task: Discrepancy, effect: Effect, *, piece_ids: Collection[str]
) -> list[str]:
    """The ids of the events that follow from an effect, in the order in which they were captured; none where nothing does.

    Raises NoPiecesNamed or NotFound.
    """
    if effect == Effect.STANDS:
        return []
    if effect == Effect.TAKE_BACK:
        return _take_back(session, task)
    if effect in _TURNS:
        return _turn(session, task, _TURNS[effect], None if effect in _AWAY else _home(task))
    if effect == Effect.REPACK:
        return _repack(session, task)
    if effect == Effect.PACK:
        return _pack(session, task)
    named = _things_of(session, caller, task, piece_ids)
    undone = _take_back(session, task) if effect == Effect.HERE and _was_captured(session, task, named) else []
    return [*undone, _observe(session, task, effect, named)]


def _things_of(session: Session, caller: Caller, task: Discrepancy, piece_ids: Collection[str]) -> list[Named]:
    ids = [task.piece_id] if task.piece_id else sorted(set(piece_ids))
    if ids:
        return capturing.name_pieces(session, caller, ids)
    if task.epc and ":" in task.epc:
        return [Named(task.epc, None)]
    raise NoPiecesNamed("say which pieces it was", field="$.piece_ids")


def _observe(session: Session, task: Discrepancy, effect: Effect, named: list[Named]) -> str:
    """What passed did so at the time of the task; what is so now is so from now on."""
    step, at = (_PASSED[effect], task.at) if effect in _PASSED else (_NOW[effect], clock.now())
    papers = shipments.papers_of(session, task.delivery_id) if task.delivery_id and effect in _PASSED else None
    event = events.write_manual(
        step,
        at=at,
        epcs=[one.epc for one in named],
        method=Method.WORD,
        read_point=_read_point(task, effect),
        biz_location=None if effect in _AWAY else _home(task),
        transactions=name_transactions(papers.delivery_id, papers.deal_id) if papers else (),
        reason=task.reason,
    )
    return capturing.capture(session, event, owner_id=task.warehouse_id or "", named=named, papers=papers)


def _read_point(task: Discrepancy, effect: Effect) -> str | None:
    if effect in _PASSED and task.gate_id:
        return events.name_gate(task.gate_id)
    return events.name_zone(task.zone_id) if task.zone_id and effect == Effect.HERE else None


def _home(task: Discrepancy) -> str:
    if task.zone_id:
        return events.name_zone(task.zone_id)
    return events.name_warehouse(task.warehouse_id or "")


def _was_captured(session: Session, task: Discrepancy, named: list[Named]) -> bool:
    event = _find(session, task)
    return event is not None and any(events.names(event, one.epc) for one in named)


def _take_back(session: Session, task: Discrepancy) -> list[str]:
    """What was captured is declared wrong; what is right of it is captured anew."""
    if (event := _find(session, task)) is None:
        return []
    epc = _epc_in(session, task, event)
    right = events.write_replacement(event, without=epc, place=None) if epc else None
    return capturing.correct(session, event, right, owner_id=task.warehouse_id or "", at=clock.now())


def _turn(session: Session, task: Discrepancy, step: Step, place: str | None) -> list[str]:
    """What was captured is declared wrong; it passed this way: all of it, or one EPC of it alone."""
    if (event := _find(session, task)) is None:
        return []
    epc = _epc_in(session, task, event)
    if epc is None:
        turned = events.write_replacement(event, step=step, place=place)
        return capturing.correct(session, event, turned, owner_id=task.warehouse_id or "", at=clock.now())
    rest = events.write_replacement(event, without=epc, place=None)
    turned = events.write_replacement(events.only_about(event, epc), step=step, place=place)
    return capturing.correct(session, event, rest, turned, owner_id=task.warehouse_id or "", at=clock.now())


def _repack(session: Session, task: Discrepancy) -> list[str]:
    """It is packed in the parent that it came with, and was taken out of the one that it was known in."""
    if not (task.epc and task.parent):
        return []
    at, told = clock.now(), []
    if task.other_parent:
        told.append(_write_packing(task, "DELETE", at, task.other_parent))
    told.append(_write_packing(task, "ADD", at, task.parent))
    return [capturing.capture(session, event, owner_id=task.warehouse_id or "") for event in told]


def _pack(session: Session, task: Discrepancy) -> list[str]:
    """All that was captured with the parent is packed in it, since it was seen there."""
    named = capturing.things_in(session, task.epcis_event_id or "", owner_id=task.warehouse_id or "")
    children = [one for one in named if one.epc != task.parent]
    if not (task.parent and children):
        return []
    event = events.write_packing(
        "ADD",
        at=task.at,
        parent=task.parent,
        children=[one.epc for one in children],
        method=Method.WORD,
        read_point=events.name_gate(task.gate_id) if task.gate_id else None,
        biz_location=_home(task),
        reason=task.reason,
    )
    return [capturing.capture(session, event, owner_id=task.warehouse_id or "", named=children)]


def _write_packing(task: Discrepancy, action: str, at: datetime, parent: str) -> Event:
    return events.write_packing(
        action, at=at, parent=parent, children=[task.epc or ""], method=Method.WORD, reason=task.reason
    )


def _find(session: Session, task: Discrepancy) -> Event | None:
    if task.epcis_event_id is None:
        return None
    return capturing.find_event(session, task.epcis_event_id, owner_id=task.warehouse_id or "")


def _epc_in(session: Session, task: Discrepancy, event: Event) -> str | None:
    """The EPC of the event that the task is about; None when it is about the whole event."""
    if task.epc is not None:
        return task.epc if events.names(event, task.epc) else None
    if task.piece_id is None:
        return None
    worn = capturing.names_of_piece(session, task.piece_id, event)
    return next((epc for epc in worn if events.names(event, epc)), None)
