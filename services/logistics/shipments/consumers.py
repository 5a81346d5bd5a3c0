"""What logistics does on hearing of deals."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DealDescribed, DeliveriesCalled
from services.logistics.deals import commands as deals
from services.logistics.shipments import commands


def on_deal_described(session: Session, caller: Caller, event: DealDescribed) -> None:
    """Keep the deal as orders tells it, and call off what it no longer needs."""
    commands.follow_deal(session, caller, event)


def on_deliveries_called(session: Session, caller: Caller, event: DeliveriesCalled) -> None:
    """Set up no more trucks."""
    deals.close_deliveries(session, caller, event.deal_id)


HANDLERS = {DealDescribed: on_deal_described, DeliveriesCalled: on_deliveries_called}
