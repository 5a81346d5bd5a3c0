"""Records weigh tickets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.values import Quantity
from services.logistics.shipments import commands as shipments
from services.logistics.shipments.model import End
from services.logistics.weighing.model import KG, WeighTicket, check_time, check_weights


def record_ticket(
    session: Session,
    caller: Caller,
    *,
    delivery_id: str,
    end: End,
    scale: str,
    plate: str,
    gross: Quantity,
    tare: Quantity,
    net: Quantity,
    weighed_at: datetime,
) -> WeighTicket:
    """The ticket of one end of a delivery: loading by the deal's warehouse, receiving by its buyer.

    Raises NotFound, NotTheWarehouse, NotTheBuyer, what ``check_weights`` and ``check_time`` raise, and
    AlreadyWeighed, PastDeadline, NotDeparted or CalledOff.
    """
    deal, delivery = shipments.lock_for_ticket(session, caller, delivery_id, end)
    gross_kg, tare_kg, net_kg = check_weights(gross=gross, tare=tare, net=net)
    check_time(weighed_at, clock.now())
    shipments.take_weight(session, deal, delivery, end, Quantity(net_kg, KG))
    ticket = WeighTicket(
        id=clock.new_id("ticket"),
        delivery_id=delivery_id,
        end=str(end),
        scale=scale,
        plate=plate,
        gross_kg=gross_kg,
        tare_kg=tare_kg,
        net_kg=net_kg,
        weighed_at=weighed_at,
        recorded_at=clock.now(),
        recorded_by=caller.user_id,
    )
    session.add(ticket)
    return ticket
