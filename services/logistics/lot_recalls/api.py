"""Recalls of lots and their notices over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, View, command, query
from chassis.values import LongText, ShortText
from services.logistics.lot_recalls import commands, queries
from services.logistics.lot_recalls.model import Grade, LotRecall, NoticeState, Outcome, RecallNotice
from services.logistics.trace.naming import ThingName

routes = Blueprint("lot_recalls", __name__)

STARTS = ("seller", "admin", "operator")
ANSWERS = ("warehouse", "purchaser", "seller", "admin")


class StartRecall(Body):
    """What is recalled (an EPC URN, a Digital Link, a barcode's text or the id of a piece), how bad it is (I, II or III), why,
    what holders are to do, and until when they are to answer.
    """

    id: ThingName
    grade: Grade
    reason: ShortText
    instruction: LongText
    due_at: Instant


class RenewRecall(Body):
    """Until when holders are to answer now."""

    due_at: Instant


class EndRecall(Body):
    """What came of it, or why it was a mistake."""

    summary: ShortText


class ResolveNotice(Body):
    """What became of the goods: quarantined, returned, destroyed, sold or not_found."""

    outcome: Outcome
    note: ShortText | None = None


class HeldView(View):
    """A thing or lot in somebody's hands: ``state`` is held, on_the_way, over (sold, dispensed, destroyed or used up), or passed_on
    to somebody who is no company here and is told by whoever sent it.
    """

    id: str
    label: str
    state: str
    since: datetime
    place: str | None

    @classmethod
    def of(cls, told: dict[str, Any]) -> HeldView:
        return cls(**{**told, "since": datetime.fromisoformat(told["since"])})


class NoticeView(View):
    """A notice to a holder. The holder is told all that it has, whoever recalls what its own events say."""

    id: str
    recall_id: str
    party_id: str
    thing: str
    grade: str
    reason: str
    instruction: str
    due_at: datetime | None
    state: str
    held: int
    things: list[HeldView]
    delivery_ids: list[str]
    deal_ids: list[str]
    sent_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    outcome: str | None
    note: str | None

    @classmethod
    def of(cls, caller: Caller, notice: RecallNotice, recall: LotRecall) -> NoticeView:
        is_theirs = caller.is_operator or caller.party_id == notice.party_id
        things = notice.things if is_theirs else notice.known
        return cls(
            id=notice.id,
            recall_id=recall.id,
            party_id=notice.party_id,
            thing=recall.thing,
            grade=recall.grade,
            reason=recall.reason,
            instruction=recall.instruction,
            due_at=recall.due_at,
            state=notice.state,
            held=notice.held if is_theirs else len(things),
            things=[HeldView.of(one) for one in things],
            delivery_ids=notice.delivery_ids if is_theirs else [],
            deal_ids=notice.deal_ids if is_theirs else [],
            sent_at=notice.sent_at,
            acknowledged_at=notice.acknowledged_at,
            acknowledged_by=notice.acknowledged_by if is_theirs else None,
            resolved_at=notice.resolved_at,
            outcome=notice.outcome,
            note=notice.note,
        )


class UnreachedView(View):
    """A holder that is no company here: the name that events use, and how many things it has."""

    holder: str
    held: int


class PaperView(View):
    """A paper that recalled goods travelled under."""

    type: str | None
    id: str


class LotRecallView(View):
    """A recall. ``notices`` lists those to holders that the owner's own events name; the counts are of all.

    ``share_acknowledged`` is its effectiveness: acknowledged notices of all, null where nobody else holds any.
    """

    id: str
    owner_id: str
    thing: str
    grade: str
    reason: str
    instruction: str
    state: str
    due_at: datetime | None
    opened_at: datetime
    renewed_at: datetime | None
    ended_at: datetime | None
    summary: str | None
    affected: int
    notices_sent: int
    acknowledged: int
    resolved: int
    share_acknowledged: float | None
    own: list[HeldView]
    unreached: list[UnreachedView]
    papers: list[PaperView]
    notices: list[NoticeView]

    @classmethod
    def of(cls, caller: Caller, shown: queries.Shown) -> LotRecallView:
        recall, effect = shown.recall, shown.effect
        return cls(
            id=recall.id,
            owner_id=recall.owner_id,
            thing=recall.thing,
            grade=recall.grade,
            reason=recall.reason,
            instruction=recall.instruction,
            state=recall.state,
            due_at=recall.due_at,
            opened_at=recall.opened_at,
            renewed_at=recall.renewed_at,
            ended_at=recall.ended_at,
            summary=recall.summary,
            affected=recall.affected,
            notices_sent=effect.notices,
            acknowledged=effect.acknowledged,
            resolved=effect.resolved,
            share_acknowledged=effect.share_acknowledged,
            own=[HeldView.of(one) for one in recall.own],
            unreached=[UnreachedView(**one) for one in recall.unreached],
            papers=[PaperView(**one) for one in recall.papers],
            notices=[NoticeView.of(caller, notice, recall) for notice in shown.notices],
        )


class ListNotices(Paging):
    """Which notices to list."""

    state: NoticeState | None = None


def _view(session: Session, caller: Caller, recall: LotRecall) -> LotRecallView:
    return LotRecallView.of(caller, queries.show_recall(session, caller, recall))


@routes.post("/v1/lot-recalls")
@command(role=STARTS, status=201)
def start_recall(session: Session, caller: Caller, body: StartRecall) -> LotRecallView:
    """Recall a lot, a thing or a piece: everybody who holds it, or what was made of it, gets a notice. Its maker's alone."""
    recall = commands.start_recall(
        session,
        caller,
        name=body.id,
        grade=body.grade,
        reason=body.reason,
        instruction=body.instruction,
        due_at=body.due_at,
    )
    return _view(session, caller, recall)


@routes.get("/v1/lot-recalls")
@query()
def list_recalls(session: Session, caller: Caller, params: Paging) -> Page[LotRecallView]:
    """The recalls that the caller's company has started, newest first, without their notices."""
    found = queries.list_recalls(session, caller, params.cursor, params.limit)
    return found.map(lambda shown: LotRecallView.of(caller, shown))


@routes.get("/v1/lot-recalls/<recall_id>")
@query()
def show_recall(session: Session, caller: Caller, recall_id: str) -> LotRecallView:
    """A recall: who holds what by the owner's own events, who has answered, and how many others were told."""
    return LotRecallView.of(caller, queries.see_recall(session, caller, recall_id))


@routes.post("/v1/lot-recalls/<recall_id>/renew")
@command(role=STARTS)
def renew_recall(session: Session, caller: Caller, recall_id: str, body: RenewRecall) -> LotRecallView:
    """Look for holders again: goods move. New holders get notices, those who have more than before are asked again."""
    return _view(session, caller, commands.renew_recall(session, caller, recall_id, body.due_at))


@routes.post("/v1/lot-recalls/<recall_id>/close")
@command(role=STARTS)
def close_recall(session: Session, caller: Caller, recall_id: str, body: EndRecall) -> LotRecallView:
    """End a recall that has done what it was for."""
    return _view(session, caller, commands.close_recall(session, caller, recall_id, body.summary))


@routes.post("/v1/lot-recalls/<recall_id>/cancel")
@command(role=STARTS)
def cancel_recall(session: Session, caller: Caller, recall_id: str, body: EndRecall) -> LotRecallView:
    """End a recall that was a mistake; its notices are withdrawn."""
    return _view(session, caller, commands.cancel_recall(session, caller, recall_id, body.summary))


@routes.get("/v1/recall-notices")
@query()
def list_notices(session: Session, caller: Caller, params: ListNotices) -> Page[NoticeView]:
    """The notices to the caller's company, and those of its own recalls, newest first."""
    found = queries.list_notices(session, caller, params.state, params.cursor, params.limit)
    return found.map(lambda pair: NoticeView.of(caller, *pair))


@routes.get("/v1/recall-notices/<notice_id>")
@query()
def show_notice(session: Session, caller: Caller, notice_id: str) -> NoticeView:
    """One notice."""
    return NoticeView.of(caller, *queries.see_notice(session, caller, notice_id))


@routes.post("/v1/recall-notices/<notice_id>/acknowledge")
@command(role=ANSWERS)
def acknowledge_notice(session: Session, caller: Caller, notice_id: str) -> NoticeView:
    """Say that the notice was read and the goods are held back."""
    commands.acknowledge_notice(session, caller, notice_id)
    return NoticeView.of(caller, *queries.see_notice(session, caller, notice_id))


@routes.post("/v1/recall-notices/<notice_id>/resolve")
@command(role=ANSWERS)
def resolve_notice(session: Session, caller: Caller, notice_id: str, body: ResolveNotice) -> NoticeView:
    """Say what became of the goods."""
    commands.resolve_notice(session, caller, notice_id, outcome=body.outcome, note=body.note)
    return NoticeView.of(caller, *queries.see_notice(session, caller, notice_id))
