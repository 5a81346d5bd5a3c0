"""Starts, renews and ends recalls, and takes in what holders answer.

Whoever recalls sees what its own events say; the platform looks further, so that the notices reach everybody who holds any.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.messages import emit
from chassis.problems import NotFound
from events.logistics import RecallNoticeSent
from services.logistics.companies.queries import find_companies
from services.logistics.epcis.digital_links import take_apart
from services.logistics.epcis.named_events import find_maker
from services.logistics.lot_recalls.holders import (
    Arrival,
    Holding,
    find_holders,
    list_deliveries,
    list_papers,
    write_delivery,
)
from services.logistics.lot_recalls.model import (
    Grade,
    LotRecall,
    NoticeState,
    NotTheMaker,
    Outcome,
    RecallNotice,
    State,
    already_recalled,
    check_is_ahead,
)
from services.logistics.pieces.queries import owner_of_piece
from services.logistics.shipments.queries import buyers_of_deliveries
from services.logistics.trace.graph import MOST_THINGS, Direction, Role, Walk
from services.logistics.trace.known import Known
from services.logistics.trace.loading import TraceTooLarge, run_walks
from services.logistics.trace.naming import find_roots

_DEPTH = 50
_GLNS = ("414", "417")
_PIECE = "urn:haihe:piece:"


def start_recall(
    session: Session, caller: Caller, *, name: str, grade: Grade, reason: str, instruction: str, due_at: datetime
) -> LotRecall:
    """Find every holder of a lot, a thing or a piece and of what was made of it, and send each a notice.

    Raises NotAName, NotFound, NotTheMaker, AlreadyRecalled, DeadlinePassed or TraceTooLarge.
    """
    at = clock.now()
    check_is_ahead(due_at, at)
    roots = find_roots(session, caller, name)
    owner_id = _check_is_maker(session, caller, roots)
    thing = next((root for root in roots if root.startswith(_PIECE)), roots[0])
    going_on = LotRecall.state.in_((State.OPEN, State.OVERDUE))
    if session.scalar(select(LotRecall.id).where(LotRecall.thing == thing, going_on)):
        raise already_recalled()
    recall = LotRecall(
        id=clock.new_id("lotrecall"),
        owner_id=owner_id,
        thing=thing,
        grade=grade,
        reason=reason,
        instruction=instruction,
        state=LotRecall.initial,
        due_at=due_at,
        opened_at=at,
        opened_by=caller.user_id,
        affected=0,
        own=[],
        unreached=[],
        papers=[],
    )
    session.add(recall)
    session.flush()
    _send_notices(session, recall, roots, at)
    return recall


def _check_is_maker(session: Session, caller: Caller, roots: list[str]) -> str:
    """The company that the recall is of. Who may see nothing of it is told that there is nothing."""
    known, _ = run_walks(session, caller, roots, directions=[Direction.FORWARD], at=None, depth=1)
    pieces = [root.removeprefix(_PIECE) for root in roots if root.startswith(_PIECE)]
    maker_id = find_maker(session, roots) or (owner_of_piece(session, pieces[0]) if pieces else None)
    if not known.of and not pieces:
        raise NotFound("no event that you may see names it")
    if maker_id is None or not (caller.is_operator or caller.party_id == maker_id):
        raise NotTheMaker("another company has made it, or nobody has recorded its making")
    return maker_id


def renew_recall(session: Session, caller: Caller, recall_id: str, due_at: datetime) -> LotRecall:
    """Look again where everything is: new holders get notices, those who have more than before are asked again."""
    recall = get(session, LotRecall, recall_id, caller)
    recall.renew(due_at, clock.now())
    _send_notices(session, recall, find_roots(session, Caller.system("logistics"), recall.thing), clock.now())
    return recall


def close_recall(session: Session, caller: Caller, recall_id: str, summary: str) -> LotRecall:
    """The recall has done what it was for; notices stay as they were answered."""
    recall = get(session, LotRecall, recall_id, caller)
    recall.end("close", summary, caller.user_id, clock.now())
    return recall


def cancel_recall(session: Session, caller: Caller, recall_id: str, reason: str) -> LotRecall:
    """The recall was a mistake: its notices are withdrawn."""
    recall = get(session, LotRecall, recall_id, caller)
    recall.end("cancel", reason, caller.user_id, clock.now())
    ids = session.scalars(select(RecallNotice.id).where(RecallNotice.recall_id == recall.id)).all()
    for notice in get_many(session, RecallNotice, ids, Caller.system("logistics")):
        notice.move("withdraw")
    return recall


def pass_deadline(session: Session, caller: Caller, recall_id: str) -> None:
    """The time for answers is over."""
    recall = get(session, LotRecall, recall_id, caller)
    if recall.is_due(clock.now()):
        recall.pass_deadline()


def acknowledge_notice(session: Session, caller: Caller, notice_id: str) -> RecallNotice:
    """The holder has read it. Raises NotFound, NotTheHolder or IllegalMove."""
    notice = get(session, RecallNotice, notice_id, caller)
    notice.check_is_addressee(caller)
    notice.acknowledge(caller.user_id, clock.now())
    return notice


def resolve_notice(
    session: Session, caller: Caller, notice_id: str, *, outcome: Outcome, note: str | None
) -> RecallNotice:
    """The holder says what became of its goods. Raises NotFound, NotTheHolder or IllegalMove."""
    notice = get(session, RecallNotice, notice_id, caller)
    notice.check_is_addressee(caller)
    notice.resolve(outcome, note, caller.user_id, clock.now())
    return notice


def _send_notices(session: Session, recall: LotRecall, roots: list[str], at: datetime) -> None:
    everything, walk = _walk(session, Caller.system("logistics"), roots)
    seen, seen_walk = _walk(session, Caller("system:recall", recall.owner_id), roots)
    holders = _find_holders(session, recall, everything, walk)
    known = _find_holders(session, recall, seen, seen_walk)
    recall.affected = sum(node.role in (Role.ROOT, Role.PRODUCT) for node in walk.nodes.values())
    recall.papers = list_papers(fact for node in seen_walk.nodes for fact in seen.of.get(node, []))
    own = holders.pop(recall.owner_id, Holding()).told
    known.pop(recall.owner_id, None)
    recall.own = own["things"]
    recall.unreached = [
        {"holder": name, "held": holding.told["held"]} for name, holding in sorted(known.items()) if ":" in name
    ]
    there = {notice.party_id: notice for notice in _notices(session, recall)}
    for party_id in sorted({name for name in (*holders, *known) if ":" not in name}):
        told = holders.get(party_id, known.get(party_id, Holding())).told
        told |= {"known": known.get(party_id, Holding()).told["things"]}
        if party_id not in there:
            there[party_id] = _notice(recall, party_id, told, at)
            session.add(there[party_id])
            session.flush()
        elif not there[party_id].hold(told, at):
            continue
        emit(session, _tell(recall, there[party_id]), of=there[party_id])


def _tell(recall: LotRecall, notice: RecallNotice) -> RecallNoticeSent:
    return RecallNoticeSent(
        notice_id=notice.id,
        recall_id=recall.id,
        party_id=notice.party_id,
        thing=recall.thing,
        grade=recall.grade,
        reason=recall.reason,
        instruction=recall.instruction,
        held=notice.held,
        due_at=recall.due_at,
    )


def _walk(session: Session, caller: Caller, roots: list[str]) -> tuple[Known, Walk]:
    """The walk from what is recalled to its end: a recall that left holders out in silence would be worse than none."""
    known, (walk,) = run_walks(session, caller, roots, directions=[Direction.FORWARD], at=None, depth=_DEPTH)
    if not walk.is_whole:
        raise TraceTooLarge(f"it reaches beyond {_DEPTH} levels or {MOST_THINGS} things: recall it in parts")
    return known, walk


def _arrivals(session: Session, known: Known) -> dict[str, Arrival]:
    found = buyers_of_deliveries(session, list_deliveries(known))
    return {write_delivery(id): Arrival(buyer_id, received_at) for id, (buyer_id, received_at) in found.items()}


def _find_holders(session: Session, recall: LotRecall, known: Known, walk: Walk) -> dict[str, Holding]:
    arrivals, companies = _arrivals(session, known), _name_companies(session, known)
    return find_holders(known, walk, arrivals, maker_id=recall.owner_id, companies=companies)


def _name_companies(session: Session, known: Known) -> dict[str, str]:
    """The names of parties and places that events use to the companies that they are here."""
    named = {uri for fact in known.facts.values() for _, uri in fact.destinations}
    glns = {name: parts[1] for name in named if (parts := take_apart(name)) is not None and parts[0] in _GLNS}
    companies = find_companies(session, set(glns.values()))
    return {name: companies[gln] for name, gln in glns.items() if gln in companies}


def _notices(session: Session, recall: LotRecall) -> list[RecallNotice]:
    ids = session.scalars(select(RecallNotice.id).where(RecallNotice.recall_id == recall.id)).all()
    return get_many(session, RecallNotice, ids, Caller.system("logistics"))


def _notice(recall: LotRecall, party_id: str, told: dict[str, Any], at: datetime) -> RecallNotice:
    return RecallNotice(
        id=clock.new_id("notice"),
        recall_id=recall.id,
        owner_id=recall.owner_id,
        party_id=party_id,
        state=NoticeState.SENT,
        sent_at=at,
        **told,
    )
