"""Looks up the tickets of deliveries, and which of them are in force."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.values import Quantity
from services.logistics.shipments.model import Delivery, End
from services.logistics.weighing.model import Correction, State, WeighTicket, in_kilograms

IN_FORCE, REPLACED, TOO_LATE = "in_force", "replaced", "too_late"


class Standing(msgspec.Struct, frozen=True):
    """A ticket with its standing: in_force or replaced, or what its correction says where that is not in force.

    A third party's ticket that came after its delivery was accepted without it is too_late.
    """

    ticket: WeighTicket
    state: str
    signed_by: list[str]


def tickets_of(session: Session, delivery_ids: Collection[str]) -> dict[str, list[Standing]]:
    """Every ticket of deliveries, by delivery, oldest first."""
    rows = (
        select(WeighTicket, Correction, Delivery)
        .join(Delivery, Delivery.id == WeighTicket.delivery_id)
        .outerjoin(Correction, Correction.id == WeighTicket.id)
        .where(WeighTicket.delivery_id.in_(delivery_ids))
        .order_by(WeighTicket.id)
    )
    triples = session.execute(rows).all()
    replaced = {fix.replaces for _, fix, _ in triples if fix is not None and fix.state == State.IN_FORCE}
    found: dict[str, list[Standing]] = defaultdict(list)
    for ticket, fix, delivery in triples:
        state = _state_of(ticket, fix, delivery, ticket.id in replaced)
        found[ticket.delivery_id].append(Standing(ticket, state, [] if fix is None else fix.signed_by))
    return found


def _state_of(ticket: WeighTicket, fix: Correction | None, delivery: Delivery, is_replaced: bool) -> str:
    if fix is not None and fix.state != State.IN_FORCE:
        return str(fix.state)
    if is_replaced:
        return REPLACED
    is_ignored = ticket.end == End.THIRD_PARTY and delivery.third_party is None and delivery.is_decided
    return TOO_LATE if is_ignored else IN_FORCE


def weights_in_force(session: Session, delivery_id: str) -> dict[End, Quantity]:
    """The net weights of the tickets of a delivery that are in force, by end; what has no ticket is left out."""
    standings = tickets_of(session, [delivery_id])[delivery_id]
    return {End(one.ticket.end): in_kilograms(one.ticket.net_kg) for one in standings if one.state == IN_FORCE}


def corrections_of(session: Session, delivery_id: str, *states: State) -> list[Correction]:
    """The corrections of a delivery in some states, the one that came into force last first."""
    found = select(Correction).where(Correction.delivery_id == delivery_id, Correction.state.in_(states))
    return list(session.scalars(found.order_by(Correction.in_force_at.desc(), Correction.id.desc())))
