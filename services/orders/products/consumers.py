"""What orders does on hearing of products."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.catalog import ProductDescribed
from services.orders.products import commands


@together
def on_products_described(session: Session, caller: Caller, events: Sequence[ProductDescribed]) -> None:
    """Keep each as it stands."""
    commands.describe_products(session, events)


HANDLERS = {ProductDescribed: on_products_described}
