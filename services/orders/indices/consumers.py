"""What orders does on hearing of price indices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.catalog import IndexDescribed
from services.orders.indices import commands


@together
def on_indices_described(session: Session, caller: Caller, events: Sequence[IndexDescribed]) -> None:
    """Keep each as it stands."""
    commands.describe_indices(session, events)


HANDLERS = {IndexDescribed: on_indices_described}
