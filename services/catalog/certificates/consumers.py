"""What the catalog does when orders speaks of deals that are paid."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DealDescribed
from services.catalog.certificates import commands


def on_deal_described(session: Session, caller: Caller, event: DealDescribed) -> None:
    commands.note_deal(session, event)


HANDLERS = {DealDescribed: on_deal_described}
