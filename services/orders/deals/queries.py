"""Shows deals with their deliveries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.orders.base import among
from services.orders.deals.delivery import Delivery
from services.orders.deals.model import Deal, State

Standing = tuple[Deal, list[Delivery]]
"""A deal and its deliveries, in the order of their ids."""


def find_deal(session: Session, caller: Caller, deal_id: str) -> Standing:
    """One deal. Raises NotFound."""
    deal = see(session, Deal, deal_id, caller)
    return deal, _deliveries_of(session, [deal_id])[deal_id]


def list_deals(
    session: Session, caller: Caller, *, state: State | None, offer_id: str | None, cursor: str | None, limit: int
) -> Page[Standing]:
    """The deals of the caller's company, newest first; the operator's page has everybody's."""
    said = {Deal.state: state, Deal.offer_id: offer_id}
    where = [column == value for column, value in said.items() if value is not None]
    found = page(session, Deal, caller, cursor, limit, *where)
    deliveries = _deliveries_of(session, [deal.id for deal in found.items])
    return found.map(lambda deal: (deal, deliveries[deal.id]))


def _deliveries_of(session: Session, deal_ids: Iterable[str]) -> dict[str, list[Delivery]]:
    """Deliveries by deal, in one statement; the deals were found visible."""
    found: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in session.scalars(select(Delivery).where(among(Delivery.deal_id, deal_ids)).order_by(Delivery.id)):
        found[delivery.deal_id].append(delivery)
    return found
