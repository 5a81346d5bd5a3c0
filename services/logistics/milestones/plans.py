"""Finds what was planned for deliveries, and by which containers they travel."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.logistics.milestones.model import DeliveryPlan


def find_plan(session: Session, delivery_id: str) -> DeliveryPlan | None:
    """What was planned for a delivery, if anything."""
    return session.scalar(select(DeliveryPlan).where(DeliveryPlan.delivery_id == delivery_id))


def deliveries_in(session: Session, containers: Collection[str]) -> set[str]:
    """The deliveries that travel in one of the containers."""
    if not containers:
        return set()
    wanted = select(DeliveryPlan.delivery_id).where(DeliveryPlan.containers.overlap(sorted(containers)))
    return set(session.scalars(wanted))
