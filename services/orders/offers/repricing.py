"""What a row of a price list does to the offer that has its number, or which new offer it makes: rules that look nothing up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from chassis.values import Exact, Quantity, UnitPrice
from events.catalog import MarketTerms
from events.orders import Terms
from services.orders.measures import in_price_unit
from services.orders.offers.lot import check_lot
from services.orders.offers.offered import Offered, State
from services.orders.offers.price_reasons import RowRefused
from services.orders.offers.price_rows import PriceRow
from services.orders.offers.terms import complete_terms
from services.orders.products.model import Product

Effect = Literal["unchanged", "revised", "withdrawn"]

_NEEDED = ("product", "price", "quantity", "place", "warehouse", "deliver_by")
_TERMS = ("tax_basis", "tax_rate", "place", "delivery_mode", "deliver_by", "valid_until", "weighing_rule")


class NewTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms that a row names; None is the market's default."""

    price: UnitPrice
    place: str
    deliver_by: datetime
    valid_until: datetime | None = None
    tax_basis: Any = None
    tax_rate: Exact | None = None
    buyer_deposit_percent: Exact | None = None
    seller_deposit_percent: Exact | None = None
    weighing_rule: Any = None
    tolerance: Exact | None = None
    delivery_mode: Any = None
    periods: Any = None
    deposit_kind: Any = None
    deposit_use: Any = None
    release: Any = None
    dispute_limit: Exact | None = None
    weigher_id: str | None = None


def check_complete(row: PriceRow) -> None:
    """Whether a row says what a new offer needs. Raises RowRefused."""
    for name in _NEEDED:
        if getattr(row, name) is None:
            raise RowRefused(name, "a new offer needs this")


def make_terms(row: PriceRow, product: Product, market: MarketTerms, now: datetime, known: dict[Any, Terms]) -> Terms:
    """The terms of a new offer of a product; ``known`` are those of other rows, which often differ in their price alone.

    Raises TermsNotAllowed.
    """
    sold_in = (unit for unit in product.trade_units if unit in market.price_unit.allowed)
    unit = row.unit or next(sold_in, market.price_unit.default)
    price = UnitPrice(row.price, row.currency or market.currency.default, unit)
    key = (price.currency, unit, *(getattr(row, name) for name in _TERMS))
    if (alike := known.get(key)) is not None:
        return msgspec.structs.replace(alike, price=price)
    said = {name: value for name in _TERMS if (value := getattr(row, name)) is not None}
    terms = known[key] = complete_terms(NewTerms(price=price, **said), market, now)
    return terms


def cut_lot(row: PriceRow, product: Product, unit: str) -> tuple[Quantity, Quantity, Quantity]:
    """How much of a product a row offers, and in which parts, in the unit of the price.

    Raises NotTradedSo, UnitMismatch or TooFine.
    """
    said = {name: Quantity(value, unit) for name, value in _sizes(row).items()}
    parts = product.divide(said["quantity"], said.get("minimum"), said.get("step"))
    listed, minimum, step = (in_price_unit(each, unit, field="$.quantity") for each in parts)
    return listed, minimum, step


def apply_row(
    row: PriceRow,
    offer: Offered,
    product: Product | None,
    audience: list[str] | None,
    market: MarketTerms,
    now: datetime,
) -> Effect:
    """Change an offer that is not closed by a row of its number; ``audience`` is None where the row names nobody.

    Raises RowRefused, or what the terms, the product and the model forbid; then nothing was changed.
    """
    if row.quantity is not None and not row.quantity:
        return "withdrawn"
    _check_same(row, offer, audience)
    terms = _change_terms(row, offer)
    sizes = _change_sizes(row, offer, product)
    if offer.state == State.TAKEN and (terms != offer.terms or sizes is not None):
        raise RowRefused("number", "the offer is taken: wait for its deals or use another number")
    if sizes is not None:
        # What may refuse is asked before the first change.
        _check_sizes(sizes)
    if terms != offer.terms:
        offer.revise(complete_terms(terms, market, now, formula=terms.formula), offer.title)
    elif sizes is None:
        return "unchanged"
    if sizes is not None:
        offer.resize(sizes["quantity"], sizes["minimum"], sizes["step"])
    return "revised"


def _check_same(row: PriceRow, offer: Offered, audience: list[str] | None) -> None:
    """What stays what it was for the life of an offer."""
    if audience is not None and audience != offer.audience:
        raise RowRefused("buyer", "the offer is to other buyers: withdraw it and list another")
    if row.unit is not None and row.unit != offer.terms.price.unit:
        raise RowRefused("unit", f"the price is for a {offer.terms.price.unit}: withdraw the offer and list another")
    if row.currency is not None and row.currency != offer.terms.price.currency:
        why = f"the price is in {offer.terms.price.currency}: withdraw the offer and list another"
        raise RowRefused("currency", why)


def _change_terms(row: PriceRow, offer: Offered) -> Terms:
    changed: dict[str, Any] = {name: value for name in _TERMS if (value := getattr(row, name)) is not None}
    if row.price is not None:
        changed["price"] = UnitPrice(row.price, offer.terms.price.currency, offer.terms.price.unit)
    terms = msgspec.structs.replace(offer.terms, **changed)
    if (terms.price, terms.tax_basis) == (offer.terms.price, offer.terms.tax_basis):
        return terms
    # A price that a row says is not made of an index any more.
    return msgspec.structs.replace(terms, formula=None)


def _change_sizes(row: PriceRow, offer: Offered, product: Product | None) -> Mapping[str, Quantity] | None:
    """What shall be left and in which parts, or None where that is so already."""
    said = {name: Quantity(value, offer.remaining.unit) for name, value in _sizes(row).items()}
    if not said:
        return None
    if not offer.is_by_weight:
        raise RowRefused(next(iter(said)), "the offer is of pieces, which say this themselves")
    now = {"quantity": offer.remaining, "minimum": offer.minimum, "step": offer.step}
    if all(now[name] == value for name, value in said.items()):
        return None
    if product is not None:
        product.check_quantities({name: value for name, value in said.items() if now[name] != value})
    return {**now, **said}


def _check_sizes(sizes: Mapping[str, Quantity]) -> None:
    if sizes["minimum"] > sizes["quantity"]:
        raise RowRefused("quantity", f"less than the least that may be taken, {sizes['minimum']}")
    check_lot(sizes["quantity"], sizes["minimum"], sizes["step"])


def _sizes(row: PriceRow) -> dict[str, Exact]:
    sizes = {"quantity": row.quantity, "minimum": row.minimum, "step": row.step}
    return {name: value for name, value in sizes.items() if value is not None}
