"""Proposes cancellations and answers them, and hears whether logistics let the part go.

A paid part ends when logistics has let go of it; what is unpaid logistics has not heard of, so it ends at once. The
deal's lock is taken first. While a part is being taken back nothing else is decided about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.messages import emit
from chassis.problems import NotFound, NotYetKnown
from chassis.values import Quantity
from events.orders import PartRecalled, Side
from services.orders.cancellations.model import (
    OPEN_FOR,
    Cancellation,
    PartNotOpen,
    State,
    WrongPart,
    check_open,
)
from services.orders.deals.deliveries import end_undelivered
from services.orders.deals.endings import end_part
from services.orders.deals.model import Deal, TooLate
from services.orders.deals.parts import Part
from services.orders.deals.payments import PAYABLE
from services.orders.deals.progress import Progress
from services.orders.deals.queries import find_progress
from services.orders.deals.states import Reason
from services.orders.measures import in_price_unit
from services.orders.pieces.model import check_named_once

CancelReason = Literal["agreed", "force_majeure"]


def propose(
    session: Session,
    caller: Caller,
    deal_id: str,
    *,
    piece_ids: Sequence[str] | None,
    quantity: Quantity | None,
    reason: CancelReason,
    note: str | None,
) -> Cancellation:
    """One side proposes to cancel a paid part that is on no truck, or all that is unpaid, for the other one to answer.

    Raises NotYourDeal, WrongPart, PieceTwice, PartNotOpen, TooLate, NotYetKnown or NotFound.
    """
    deal, now = get(session, Deal, deal_id, caller), clock.now()
    side = deal.side_of(caller.party_id)
    part = _part_of(deal, piece_ids, quantity)
    _check_open(find_progress(session, deal), part)
    if now >= deal.deliver_by:
        raise TooLate(f"it was to be delivered by {deal.deliver_by:%Y-%m-%d %H:%M:%SZ}", due_at=deal.deliver_by)
    cancellation = Cancellation(
        id=clock.new_id("cancellation"),
        deal_id=deal.id,
        state=State.PROPOSED,
        due_at=min(now + OPEN_FOR, deal.deliver_by),
        proposed_by=side,
        piece_ids=part.piece_ids,
        quantity=part.quantity,
        reason=reason,
        note=note,
        proposed_at=now,
    )
    session.add(cancellation)
    return cancellation


def _part_of(deal: Deal, piece_ids: Sequence[str] | None, quantity: Quantity | None) -> Part:
    if deal.pieces:
        if not piece_ids or quantity is not None:
            raise WrongPart("name pieces of the deal", field="$.piece_ids")
        check_named_once(piece_ids)
        return Part(sorted(piece_ids), deal.carried(Part(list(piece_ids), deal.quantity)).quantity)
    if quantity is None or piece_ids is not None or not quantity:
        raise WrongPart("name a quantity", field="$.quantity")
    return Part([], in_price_unit(quantity, deal.quantity.unit, field="$.quantity"))


def _check_open(progress: Progress, part: Part) -> None:
    """Raises PartNotOpen; NotYetKnown where its payment may not have been heard of yet.

    What is unpaid ends by agreement as a whole: so a payment that crosses the agreement pays for nothing that goes on.
    """
    deal, waiting, unpaid = progress.deal, progress.waiting, progress.unpaid
    if deal.state not in PAYABLE:
        raise PartNotOpen(f"the deal is {deal.state}", state=str(deal.state))
    check_open(part, Part([*waiting.piece_ids, *unpaid.piece_ids], waiting.quantity + unpaid.quantity))
    if not (waiting.holds(part) or (unpaid.holds(part) and part.holds(unpaid))):
        raise NotYetKnown("that it is paid has not been heard of yet; what is unpaid can be cancelled as a whole")


def agree(session: Session, caller: Caller, cancellation_id: str, deal_id: str) -> Cancellation:
    """The other side agrees: what is unpaid ends; of a paid part logistics is asked to let go, and answers.

    Raises NotYourDeal, NotYourAnswer, ProposalExpired, PartNotOpen, IllegalMove, NotFound, or NotYetKnown while
    logistics has still to answer about another part.
    """
    deal, cancellation, side = _hold(session, caller, cancellation_id, deal_id)
    cancellation.agree(side, clock.now())
    if deal.recalled is not None:
        raise NotYetKnown("whether another part was let go of has not been heard of yet")
    progress = find_progress(session, deal)
    _check_open(progress, cancellation.part)
    if progress.waiting.holds(cancellation.part):
        deal.recalled = cancellation.part
        _recall(session, deal, cancellation)
    else:
        _let_go(session, progress, cancellation, paid=False)
    return cancellation


def decline(session: Session, caller: Caller, cancellation_id: str, deal_id: str) -> Cancellation:
    """The other side does not agree. Raises NotYourDeal, NotYourAnswer, ProposalExpired, IllegalMove or NotFound."""
    _, cancellation, side = _hold(session, caller, cancellation_id, deal_id)
    cancellation.decline(side, clock.now())
    return cancellation


def withdraw(session: Session, caller: Caller, cancellation_id: str, deal_id: str) -> Cancellation:
    """The side that proposed it takes it back. Raises NotYourDeal, NotYourAnswer, ProposalExpired, IllegalMove or NotFound."""
    _, cancellation, side = _hold(session, caller, cancellation_id, deal_id)
    cancellation.withdraw(side, clock.now())
    return cancellation


def hear_recall(session: Session, caller: Caller, deal_id: str, recall_id: str, *, is_free: bool) -> None:
    """Logistics has let go of the part, which ends with nobody at fault; or some of it is on a truck, and all goes on."""
    deal = get(session, Deal, deal_id, caller)
    cancellation = get(session, Cancellation, recall_id, caller)
    if cancellation.state != State.AGREED:
        return
    deal.recalled, progress = None, find_progress(session, deal)
    if is_free:
        _let_go(session, progress, cancellation, paid=True)
    else:
        cancellation.answer("fail", clock.now())
        end_undelivered(session, progress, told=deal.version)


def _let_go(session: Session, progress: Progress, cancellation: Cancellation, *, paid: bool) -> None:
    told, reason = progress.deal.version, Reason(cancellation.reason)
    cancellation.answer("cancel", clock.now())
    end_part(session, progress, cancellation.part, by=None, reason=reason, paid=paid)
    end_undelivered(session, progress, told=told)


def handle_due(session: Session, caller: Caller, cancellation_id: str) -> None:
    """A proposal that nobody answered expires; logistics is asked again about an agreed one."""
    deal_id = see(session, Cancellation, cancellation_id, caller).deal_id
    deal, now = get(session, Deal, deal_id, caller), clock.now()
    cancellation = get(session, Cancellation, cancellation_id, caller)
    if cancellation.due_at is None or now < cancellation.due_at:
        return
    if cancellation.can("expire"):
        cancellation.expire(now)
    else:
        cancellation.ask_again(now)
        _recall(session, deal, cancellation)


def _recall(session: Session, deal: Deal, cancellation: Cancellation) -> None:
    event = PartRecalled(
        deal_id=deal.id,
        recall_id=cancellation.id,
        piece_ids=cancellation.piece_ids,
        quantity=cancellation.quantity,
    )
    emit(session, event, of=deal)


def _hold(session: Session, caller: Caller, cancellation_id: str, deal_id: str) -> tuple[Deal, Cancellation, Side]:
    deal = get(session, Deal, deal_id, caller)
    side = deal.side_of(caller.party_id)
    cancellation = get(session, Cancellation, cancellation_id, caller)
    if cancellation.deal_id != deal.id:
        raise NotFound(f"no cancellation {cancellation_id!r} of this deal")
    return deal, cancellation, side
