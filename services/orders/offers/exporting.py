"""A seller's open offers as a price list, in the columns in which one is uploaded: sent back as it is, it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.uploads.reasons import Language
from chassis.uploads.writers import Format, write_table
from chassis.wire import Look
from services.orders.offers.model import Offer
from services.orders.offers.offered import OPEN
from services.orders.offers.price_reasons import WORDS
from services.orders.offers.price_rows import FIELDS
from services.orders.products.queries import find_numbers

BATCH = 1_000
_WORDS = {"tax_basis", "delivery_mode"}
_NUMBERS = [field.kind == "number" for field in FIELDS]


def write_offers(look: Look, caller: Caller, market: str | None, format: Format, language: Language) -> Iterator[bytes]:
    """The pieces of a file with the caller's open offers that have a number, oldest first, read some at a time."""
    headings = [field.label[language] for field in FIELDS]
    rows = (_cells(offer, numbers, language) for offer, numbers in _read(look, caller, market))
    return write_table(format, headings, rows, numbers=_NUMBERS)


def _read(look: Look, caller: Caller, market: str | None) -> Iterator[tuple[Offer, Mapping[str, str]]]:
    after = ""
    while found := look(lambda session, after=after: _read_batch(session, caller, market, after)):
        yield from found
        after = found[-1][0].id


def _read_batch(
    session: Session, caller: Caller, market: str | None, after: str
) -> list[tuple[Offer, Mapping[str, str]]]:
    query = select(Offer).where(
        Offer.seller_id == caller.party_id, Offer.state.in_(sorted(OPEN)), Offer.number.is_not(None), Offer.id > after
    )
    if market is not None:
        query = query.where(Offer.market == market)
    offers = list(session.scalars(query.order_by(Offer.id).limit(BATCH)))
    numbers = find_numbers(session, {offer.product_id for offer in offers if offer.product_id})
    return [(offer, numbers) for offer in offers]


def _cells(offer: Offer, numbers: Mapping[str, str], language: Language) -> list[str]:
    terms = offer.terms
    said = {
        "number": offer.number,
        "product": numbers.get(offer.product_id or "", offer.product_id),
        "buyer": "; ".join(offer.audience or ()),
        "price": terms.price.value,
        "currency": terms.price.currency,
        "unit": terms.price.unit,
        "warehouse": offer.warehouse_id,
    }
    if offer.is_by_weight:
        said |= {"quantity": offer.remaining.value, "minimum": offer.minimum.value, "step": offer.step.value}
    return [_cell(field.name, said.get(field.name, getattr(terms, field.name, None)), language) for field in FIELDS]


def _cell(name: str, value: Any, language: Language) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return WORDS.names[value] if name in _WORDS and language == "zh" else value or ""
