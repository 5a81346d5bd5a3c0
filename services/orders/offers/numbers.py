"""Sellers' own numbers of offers: one offer that is not closed has a number, and what is over gives it free."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.orders.offers.model import Offer
from services.orders.offers.offered import CLOSED, NumberInUse, Offered

SYSTEM = Caller.system("orders")


def lock_numbers(session: Session, seller_id: str) -> None:
    """Let nobody else list numbered offers of a seller until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"numbers of offers of {seller_id}", 0))))


def find_holder(session: Session, seller_id: str, number: str) -> Offer | None:
    """The offer that has a number of a seller, locked, whose own numbers are locked; None when the number is free."""
    holds = select(Offer.id).where(
        Offer.seller_id == seller_id, Offer.number == number, Offer.state.not_in(sorted(CLOSED))
    )
    id = session.scalar(holds)
    return None if id is None else get(session, Offer, id, SYSTEM)


def is_over(offer: Offered) -> bool:
    """Whether nothing of an offer can be for sale again, though it is not closed yet."""
    return offer.can("expire") and clock.now() >= offer.valid_until


def refuse_number(offer: Offer) -> NumberInUse:
    """The problem of a number that an offer has."""
    return NumberInUse(f"{offer.number} is {offer.state}", field="$.number", offer_id=offer.id, state=str(offer.state))
