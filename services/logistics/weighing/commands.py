"""Records weigh tickets, and lets buyer and seller correct them together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.problems import NotFound
from chassis.values import Quantity
from events.orders import DeliveryAccepted
from services.logistics.deals.commands import lock_deal
from services.logistics.deals.model import Deal, NotAParty
from services.logistics.shipments import commands as shipments
from services.logistics.shipments.model import Delivery, End
from services.logistics.weighing import queries
from services.logistics.weighing.model import (
    KG,
    Correction,
    CorrectionProposed,
    NotInForce,
    State,
    WeighTicket,
    check_time,
    check_weights,
    in_kilograms,
)


class Weighing(msgspec.Struct, frozen=True, kw_only=True):
    """What a scale said of a truck."""

    end: End
    scale: str
    plate: str
    gross: Quantity
    tare: Quantity
    net: Quantity
    weighed_at: datetime


def record_ticket(
    session: Session, caller: Caller, *, delivery_id: str, weighing: Weighing, replaces: str | None
) -> queries.Standing:
    """The ticket of a delivery: loading by the deal's warehouse, receiving by its buyer, third party by that or the operator.

    With ``replaces`` it is proposed as a correction by one of those, the buyer or the seller; the side of whoever proposes it
    has signed. Raises NotFound, NotTheWarehouse, NotTheBuyer, NotTheWeigher or NotAParty, what ``check_weights`` and
    ``check_time`` raise, and AlreadyWeighed, PastDeadline, NotDeparted, CalledOff, AlreadyAccepted, NotInForce or
    CorrectionProposed.
    """
    if replaces is not None:
        return _propose_correction(session, caller, delivery_id, weighing, replaces)
    deal, delivery = shipments.lock_for_ticket(session, caller, delivery_id, weighing.end)
    ticket = _write_ticket(session, caller, delivery_id, weighing, None)
    shipments.take_weight(session, deal, delivery, weighing.end, Quantity(ticket.net_kg, KG))
    session.add(ticket)
    return queries.Standing(ticket, queries.IN_FORCE, [])


def _write_ticket(
    session: Session, caller: Caller, delivery_id: str, weighing: Weighing, replaces: str | None
) -> WeighTicket:
    gross_kg, tare_kg, net_kg = check_weights(gross=weighing.gross, tare=weighing.tare, net=weighing.net)
    check_time(weighing.weighed_at, clock.now())
    return WeighTicket(
        id=clock.new_id("ticket"),
        delivery_id=delivery_id,
        end=str(weighing.end),
        scale=weighing.scale,
        plate=weighing.plate,
        gross_kg=gross_kg,
        tare_kg=tare_kg,
        net_kg=net_kg,
        weighed_at=weighing.weighed_at,
        recorded_at=clock.now(),
        recorded_by=caller.user_id,
        replaces=replaces,
    )


def _propose_correction(
    session: Session, caller: Caller, delivery_id: str, weighing: Weighing, replaces: str
) -> queries.Standing:
    deal, delivery = shipments.lock_delivery(session, caller, delivery_id)
    _check_may_correct(deal, caller, weighing.end)
    delivery.check_takes_correction()
    _check_replaces(session, delivery, weighing.end, replaces)
    ticket = _write_ticket(session, caller, delivery_id, weighing, replaces)
    correction = Correction(
        id=ticket.id, delivery_id=delivery_id, end=ticket.end, replaces=replaces, state=Correction.initial
    )
    session.add_all([ticket, correction])
    if sides := deal.sides_of(caller):
        _sign(session, deal, delivery, correction, sides, caller)
    return queries.Standing(ticket, str(correction.state), correction.signed_by)


def _check_may_correct(deal: Deal, caller: Caller, end: End) -> None:
    if deal.sides_of(caller):
        return
    if end == End.THIRD_PARTY:
        deal.check_is_weigher(caller)
    elif caller.party_id != deal.warehouse_id:
        raise NotAParty("the goods are neither yours nor in your yard")


def _check_replaces(session: Session, delivery: Delivery, end: End, replaces: str) -> None:
    standing = {one.ticket.id: one for one in queries.tickets_of(session, [delivery.id])[delivery.id]}
    replaced = standing.get(replaces)
    if replaced is None or replaced.ticket.end != end or replaced.state != queries.IN_FORCE:
        raise NotInForce("name the ticket of this end that is in force", field="$.replaces")
    if any(one.replaces == replaces for one in queries.corrections_of(session, delivery.id, State.PROPOSED)):
        raise CorrectionProposed("sign or decline that one first", field="$.replaces")


def sign_correction(session: Session, caller: Caller, delivery_id: str, ticket_id: str) -> queries.Standing:
    """Sign a correction for the caller's side; with both it is in force, and the weights are told again.

    Raises NotFound, NotAParty, AlreadyAccepted, CalledOff, IllegalMove or CorrectionSigned.
    """
    deal, delivery, correction = _lock_correction(session, caller, delivery_id, ticket_id)
    delivery.check_takes_correction()
    _sign(session, deal, delivery, correction, deal.sides_of(caller), caller)
    return _show(session, correction)


def _sign(
    session: Session, deal: Deal, delivery: Delivery, correction: Correction, sides: frozenset[str], caller: Caller
) -> None:
    if correction.sign(sides, caller.user_id, clock.now()):
        session.flush()
        shipments.correct_weights(session, deal, delivery, queries.weights_in_force(session, delivery.id))


def decline_correction(session: Session, caller: Caller, delivery_id: str, ticket_id: str) -> queries.Standing:
    """Buyer or seller does not want a correction, its own or the other's. Raises NotFound, NotAParty or IllegalMove."""
    _, _, correction = _lock_correction(session, caller, delivery_id, ticket_id)
    correction.move("decline")
    return _show(session, correction)


def _lock_correction(
    session: Session, caller: Caller, delivery_id: str, ticket_id: str
) -> tuple[Deal, Delivery, Correction]:
    deal, delivery = shipments.lock_delivery(session, caller, delivery_id)
    correction = get(session, Correction, ticket_id, caller)
    if correction.delivery_id != delivery_id:
        raise NotFound(f"no correction {ticket_id!r} of this delivery")
    if not deal.sides_of(caller):
        raise NotAParty("a correction of this delivery is signed by its buyer and its seller")
    return deal, delivery, correction


def _show(session: Session, correction: Correction) -> queries.Standing:
    ticket = session.get(WeighTicket, correction.id)
    return queries.Standing(ticket, str(correction.state), correction.signed_by)


def accept_weights(session: Session, caller: Caller, event: DeliveryAccepted) -> None:
    """Orders has accepted a delivery: what is proposed is overtaken, and the weights are those that were accepted.

    A correction that came into force while the acceptance was on its way is too late. Raises NotYetKnown or NotFound.
    """
    lock_deal(session, event.deal_id, caller)
    delivery = get(session, Delivery, event.delivery_id, caller)
    corrections = queries.corrections_of(session, delivery.id, State.PROPOSED, State.IN_FORCE)
    for correction in corrections:
        if correction.state == State.PROPOSED:
            correction.move("overtake")
    delivery.accept(event.stage, clock.now())
    third_party = event.third_party
    if third_party is None and not delivery.is_decided:
        third_party = delivery.third_party
    accepted = {End.LOADING: event.loaded, End.RECEIVING: event.received, End.THIRD_PARTY: third_party}
    for end, weight in accepted.items():
        _undo_corrections(session, [one for one in corrections if one.end == end], weight)
    delivery.restore_weights(loaded=event.loaded, received=event.received, third_party=third_party)


def _undo_corrections(session: Session, corrections: Iterable[Correction], accepted: Quantity | None) -> None:
    """Undo the corrections of an end that are in force, the last one first, down to the one that was accepted."""
    for correction in corrections:
        if correction.state != State.IN_FORCE:
            continue
        corrected = in_kilograms(session.get(WeighTicket, correction.id).net_kg)
        if accepted is not None and corrected == accepted.to(KG):
            return
        correction.move("undo")
