"""Shows offers with their pieces."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.orders.offers.commands import Standing
from services.orders.offers.model import Offer
from services.orders.offers.offered import State
from services.orders.pieces.queries import find_promised, find_promised_of


def find_offer(session: Session, caller: Caller, offer_id: str) -> Standing:
    """One offer. Raises NotFound, also when it is closed and not the caller's."""
    offer = see(session, Offer, offer_id, caller)
    return offer, find_promised(session, offer_id)


def list_offers(
    session: Session,
    caller: Caller,
    *,
    market: str | None,
    seller_id: str | None,
    state: State | None,
    number: str | None,
    product_id: str | None,
    cursor: str | None,
    limit: int,
) -> Page[Standing]:
    """Open offers that are shown to the caller and all of its own, newest first."""
    said = {
        Offer.market: market,
        Offer.seller_id: seller_id,
        Offer.state: state,
        Offer.number: number,
        Offer.product_id: product_id,
    }
    where = [column == value for column, value in said.items() if value is not None]
    found = page(session, Offer, caller, cursor, limit, *where)
    promised = find_promised_of(session, [offer.id for offer in found.items])
    return found.map(lambda offer: (offer, promised[offer.id]))
