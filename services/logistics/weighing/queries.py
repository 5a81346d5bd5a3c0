"""Looks up the tickets of deliveries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.logistics.weighing.model import WeighTicket


def tickets_of(session: Session, delivery_ids: Collection[str]) -> dict[str, list[WeighTicket]]:
    """Every ticket of deliveries, by delivery, oldest first."""
    found: dict[str, list[WeighTicket]] = defaultdict(list)
    for ticket in session.scalars(
        select(WeighTicket).where(WeighTicket.delivery_id.in_(delivery_ids)).order_by(WeighTicket.id)
    ):
        found[ticket.delivery_id].append(ticket)
    return found
