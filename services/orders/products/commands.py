"""Keeps what the catalog says of products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from chassis.database import project_many
from events.catalog import ProductDescribed
from services.orders.products.model import Product


def describe_products(session: Session, events: Sequence[ProductDescribed]) -> None:
    """Keep products as they stand, with one statement; an older version changes nothing."""
    project_many(session, Product, ["id"], [_row(event) for event in events])


def _row(event: ProductDescribed) -> dict[str, Any]:
    unit = event.trade_units[0] if event.trade_units else event.base_unit
    return {
        "id": event.product_id,
        "version": event.version,
        "market": event.market,
        "owner_id": event.owner_id,
        "number": event.number,
        "state": event.state,
        "title": event.title,
        "trade_units": event.trade_units or [unit],
        "step_value": event.step,
        "step_unit": unit,
        "minimum_value": event.minimum,
        "minimum_unit": unit,
        "licences": event.licences,
        "blocked": event.blocked,
    }
