"""What happens to a deal when the deadline of its state is over, and to a delivery when its inspection is."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.orders.deals import commands, deliveries, lines, payments
from services.orders.deals.model import Deal
from services.orders.deals.queries import find_progress
from services.orders.deals.states import State


def handle_due(session: Session, caller: Caller, deal_id: str) -> None:
    """Do what is due; nothing when the deal has moved on meanwhile."""
    deal, now = get(session, Deal, deal_id, caller), clock.now()
    if not deal.is_due(now):
        return
    if deal.state in (State.DEPOSITS_PENDING, State.EFFECTIVE):
        commands.end_unsigned(session, caller, deal)
    elif deal.state == State.SIGNED:
        payments.call_payment(session, deal)
    elif deal.state == State.DELIVERING:
        _chase(session, deal)
    else:
        lines.remind_of_money(session, deal)


def _chase(session: Session, deal: Deal) -> None:
    """Ask for the payment of the rest, then for the trucks; once both are known wait for the trucks there are."""
    progress = find_progress(session, deal)
    if progress.unpaid:
        payments.call_payment(session, deal)
    elif deal.takes_trucks:
        deliveries.call_deliveries(session, deal)
    else:
        deliveries.end_undelivered(session, progress, told=deal.version)
