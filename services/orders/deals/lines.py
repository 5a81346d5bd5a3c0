"""Tells settlement what the stages of a delivery come to, and hears that their money has moved.

Pieces become the buyer's when the last money of their delivery has moved.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.messages import emit
from chassis.values import Money, Quantity
from events.orders import DeliveryAccepted, PiecesPassed, Stage
from services.orders.deals.amounts import Amounts, withhold, work_out_by
from services.orders.deals.delivery import Delivery, DeliveryState
from services.orders.deals.endings import go_on, record_missed
from services.orders.deals.line import Line, LineState
from services.orders.deals.model import ASK_AGAIN, LOOK_AGAIN, Deal
from services.orders.deals.progress import Progress
from services.orders.deals.queries import find_lines, find_progress
from services.orders.offers import taking


def open_line(session: Session, progress: Progress, delivery: Delivery) -> Line:
    """Tell what an accepted delivery comes to: all of it, or what is not disputed."""
    if delivery.state != DeliveryState.DISPUTED:
        return _add(session, progress, delivery, "whole", delivery.settled, delivery.amounts, delivery.value)
    weights, terms = delivery.weights, progress.deal.terms
    least, most = sorted(work_out_by(terms, weight).gross for weight in (weights.loaded, weights.received))
    value = delivery.value - withhold(delivery.value, least=least, most=most)
    return _add(session, progress, delivery, "undisputed", delivery.settled, delivery.amounts, value)


def open_rest(session: Session, progress: Progress, delivery: Delivery) -> None:
    """Tell what a decided delivery comes to beyond its undisputed line; the two add up to the whole."""
    [first] = find_lines(session, delivery)
    amounts = delivery.amounts - Amounts(first.net, first.tax, first.gross)
    settled = delivery.settled - first.settled.to(delivery.settled.unit)
    _add(session, progress, delivery, "decided", settled, amounts, delivery.value - first.value)


def _add(
    session: Session,
    progress: Progress,
    delivery: Delivery,
    stage: Stage,
    settled: Quantity,
    amounts: Amounts,
    value: Money,
) -> Line:
    line = Line(
        id=clock.new_id("line"),
        delivery_id=delivery.id,
        state=LineState.ACCEPTED,
        stage=stage,
        settled=settled,
        net=amounts.net,
        tax=amounts.tax,
        gross=amounts.gross,
        value=value,
        reason=delivery.reason,
        is_last=progress.is_over and not progress.has_dispute,
    )
    delivery.is_last = line.is_last
    session.add(line)
    _tell(session, progress.deal, delivery, line)
    return line


def _tell(session: Session, deal: Deal, delivery: Delivery, line: Line) -> None:
    event = DeliveryAccepted(
        deal_id=deal.id,
        delivery_id=delivery.id,
        loaded=delivery.loaded,
        received=delivery.received,
        settled=line.settled,
        price=deal.terms.price,
        tax_rate=deal.terms.tax_rate,
        net=line.net,
        tax=line.tax,
        gross=line.gross,
        is_last=line.is_last,
        value=line.value,
        stage=line.stage,
        rule=deal.terms.weighing_rule,
        third_party=delivery.third_party,
        reason=line.reason,
    )
    emit(session, event, of=deal)


def settle_line(
    session: Session,
    caller: Caller,
    deal_id: str,
    delivery_id: str,
    stage: Stage,
    *,
    statement_id: str,
    shortfall: Money,
) -> None:
    """The money of a line has moved; what it came to beyond the escrow the buyer still owes."""
    progress = find_progress(session, get(session, Deal, deal_id, caller))
    delivery = progress.delivery(delivery_id)
    lines = _lines_of(session, progress.deal, delivery)
    for line in lines:
        if line.stage == stage and line.can("owe"):
            line.settle(statement_id, shortfall=shortfall)
            delivery.statement_id = statement_id
            _settle(session, progress, delivery, lines)


def end_supplement(
    session: Session, caller: Caller, deal_id: str, delivery_id: str, stage: Stage, *, missed: Money
) -> None:
    """The buyer has paid what a line came to beyond the escrow, or has defaulted on it; the deal goes on."""
    progress = find_progress(session, get(session, Deal, deal_id, caller))
    delivery = progress.delivery(delivery_id)
    lines = _lines_of(session, progress.deal, delivery)
    for line in lines:
        if line.stage == stage and line.state == LineState.OWING:
            line.end_supplement(missed)
            if missed:
                record_missed(session, progress)
            _settle(session, progress, delivery, lines)


def _lines_of(session: Session, deal: Deal, delivery: Delivery) -> list[Line]:
    """The lines of a delivery; one that was accepted by a former version has one that says what it came to."""
    lines = find_lines(session, delivery)
    if lines or delivery.state != DeliveryState.ACCEPTED:
        return lines
    former = Line(
        id=clock.new_id("line"),
        delivery_id=delivery.id,
        state=LineState.ACCEPTED,
        stage="whole",
        settled=delivery.settled,
        net=delivery.net,
        tax=delivery.tax,
        gross=delivery.gross,
        value=work_out_by(deal.terms, delivery.quantity).gross if delivery.value is None else delivery.value,
        is_last=delivery.is_last,
    )
    session.add(former)
    return [former]


def _settle(session: Session, progress: Progress, delivery: Delivery, lines: list[Line]) -> None:
    if any(line.state == LineState.OWING for line in lines) and delivery.can("owe"):
        delivery.move("owe")
    if all(line.state == LineState.SETTLED for line in lines) and delivery.can("settle"):
        delivery.move("settle")
        _pass_on(session, progress.deal, delivery)
        go_on(session, progress, told=progress.deal.version)


def _pass_on(session: Session, deal: Deal, delivery: Delivery) -> None:
    """Its pieces are the buyer's: it may sell them on as soon as the catalog has written that down."""
    delivery.passed_at = clock.now()
    if delivery.piece_ids:
        event = PiecesPassed(
            deal_id=deal.id, buyer_id=deal.buyer_id, seller_id=deal.seller_id, piece_ids=delivery.piece_ids
        )
        emit(session, event, of=deal)
        taking.pass_on(session, deal.offer_id, deal.id, piece_ids=delivery.piece_ids, to=deal.buyer_id)


def remind_of_money(session: Session, deal: Deal) -> None:
    """Tell settlement again of the lines whose money it has not told of; less often where that waits for people."""
    at_once = deal.terms.release == "settlement"
    after = LOOK_AGAIN
    for delivery in find_progress(session, deal).deliveries:
        if delivery.state in (DeliveryState.ACCEPTED, DeliveryState.DISPUTED):
            for line in _lines_of(session, deal, delivery):
                if line.state == LineState.ACCEPTED:
                    _tell(session, deal, delivery, line)
                    after = ASK_AGAIN if at_once else after
    deal.ask_again(clock.now(), after=after)
