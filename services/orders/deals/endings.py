"""Ends parts of deals, and a deal when nothing of it is left open.

Each part ends once: delivered, or here, by one side's breach or because both let go of it. What ended goes back to its
offer. The deal's lock is held by whoever calls.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis import clock
from chassis.messages import emit
from chassis.values import Money, Quantity
from events.orders import DealCancelled, DealCompleted, DealDefaulted, PartEnded, Side
from services.orders.deals.ended import EndedPart
from services.orders.deals.model import Deal
from services.orders.deals.parts import Part
from services.orders.deals.progress import Progress
from services.orders.deals.states import Reason, State
from services.orders.deals.telling import describe
from services.orders.measures import add_up
from services.orders.offers import taking


def end_part(session: Session, progress: Progress, part: Part, *, by: Side | None, reason: Reason, paid: bool) -> None:
    """End a part of a deal, paid or not: ``by`` a side's breach, which costs it its deposit's share, or None by nobody's.

    Whether the deal itself is over is for ``go_on`` to see.
    """
    deal, nothing = progress.deal, Money.zero(progress.deal.gross.currency)
    value = progress.value_of(part) if paid else progress.value_unpaid(part)
    forfeit = progress.forfeit_of(value, by) if by else nothing
    ended = _record(session, deal, part, by=by, reason=reason, value=value, forfeit=forfeit, paid=paid)
    event = PartEnded(
        deal_id=deal.id,
        part_id=ended.id,
        by=by,
        piece_ids=part.piece_ids,
        quantity=part.quantity,
        value=value,
        is_paid=paid,
        forfeit=forfeit,
        reason=reason,
    )
    emit(session, event, of=deal)
    progress.ended.append(ended)
    deal.returned = add_up([deal.returned, part.quantity], deal.quantity.unit)
    deal.version += 1
    taking.give_back(session, deal.offer_id, deal.id, piece_ids=part.piece_ids, quantity=part.quantity)


def record_missed(session: Session, progress: Progress) -> None:
    """Write down that the buyer did not pay what a delivery came to beyond the escrow: its goods are delivered."""
    deal, nothing = progress.deal, Money.zero(progress.deal.gross.currency)
    part = Part([], Quantity.zero(deal.quantity.unit))
    reason = Reason.SUPPLEMENT_NOT_PAID
    missed = _record(session, deal, part, by="buyer", reason=reason, value=nothing, forfeit=nothing, paid=False)
    progress.ended.append(missed)


def _record(
    session: Session,
    deal: Deal,
    part: Part,
    *,
    by: Side | None,
    reason: Reason,
    value: Money,
    forfeit: Money,
    paid: bool,
) -> EndedPart:
    ended = EndedPart(
        id=clock.new_id("part"),
        deal_id=deal.id,
        kind="defaulted" if by else "cancelled",
        by=by,
        reason=reason,
        piece_ids=part.piece_ids,
        quantity=part.quantity,
        value=value,
        forfeit=forfeit,
        is_paid=paid,
        at=clock.now(),
    )
    session.add(ended)
    return ended


def go_on(session: Session, progress: Progress, *, told: int) -> None:
    """See where a deal stands after something of it was paid, delivered, settled or ended, and move it on.

    Others hear of it when it has changed since ``told``, the version they know.
    """
    deal = progress.deal
    if progress.is_over and not progress.delivered:
        _end_without_delivery(session, progress)
    elif progress.is_over:
        if deal.can("settle"):
            deal.advance("settle", None)
            deal.ask_again(clock.now())
        if progress.is_settled and deal.can("complete"):
            _complete(session, progress)
    elif deal.state == State.DELIVERING:
        deal.wait_for(progress.unpaid, clock.now())
    if deal.version != told:
        describe(session, deal)


def _end_without_delivery(session: Session, progress: Progress) -> None:
    deal, now = progress.deal, clock.now()
    broken = next((part for part in progress.ended if part.by), None)
    if broken is None:
        reason = Reason(progress.ended[-1].reason)
        deal.cancel(reason, now)
        emit(session, DealCancelled(deal_id=deal.id, reason=reason), of=deal)
        return
    forfeit = progress.forfeited_by(broken.by)
    deal.default(broken.by, Reason(broken.reason), forfeit, now)
    event = DealDefaulted(deal_id=deal.id, by=broken.by, forfeit=forfeit, reason=broken.reason, buyer_id=deal.buyer_id)
    emit(session, event, of=deal)


def _complete(session: Session, progress: Progress) -> None:
    """End a deal well: what was delivered is the buyer's, all of it by now but for what was settled in former versions."""
    deal, delivered = progress.deal, progress.delivered
    deal.complete(clock.now())
    piece_ids = sorted(id for each in delivered for id in each.piece_ids)
    event = DealCompleted(deal_id=deal.id, buyer_id=deal.buyer_id, seller_id=deal.seller_id, piece_ids=piece_ids)
    emit(session, event, of=deal)
    waiting = sorted(id for each in delivered if each.passed_at is None for id in each.piece_ids)
    taking.pass_on(session, deal.offer_id, deal.id, piece_ids=waiting, to=deal.buyer_id)
