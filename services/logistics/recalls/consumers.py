"""What logistics does on hearing of deals: of their state, their parts and the end of their deliveries."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DealDescribed, DeliveriesCalled, PartEnded, PartRecalled
from services.logistics.recalls import commands


def on_deal_described(session: Session, caller: Caller, event: DealDescribed) -> None:
    """Keep the deal as orders tells it, and call off what it no longer needs."""
    commands.follow_deal(session, caller, event)


def on_deliveries_called(session: Session, caller: Caller, event: DeliveriesCalled) -> None:
    """Set up no more trucks."""
    commands.close_deliveries(session, caller, event.deal_id)


def on_part_recalled(session: Session, caller: Caller, event: PartRecalled) -> None:
    """Give the part back unless some of it is on a truck."""
    commands.recall_part(session, caller, event)


def on_part_ended(session: Session, caller: Caller, event: PartEnded) -> None:
    """Know that the deal will be described without the part."""
    commands.note_ended_part(session, caller, event)


HANDLERS = {
    DealDescribed: on_deal_described,
    DeliveriesCalled: on_deliveries_called,
    PartRecalled: on_part_recalled,
    PartEnded: on_part_ended,
}
