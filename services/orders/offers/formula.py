"""A price that is said by a formula, an index and a premium on it: worked out once, when the offer is listed or revised."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import msgspec
from sqlalchemy.orm import Session

from chassis.values import Exact, UnitPrice
from events.catalog import MarketTerms, TextChoice
from events.orders import PriceFormula, Terms
from services.orders.indices.model import IndexFigure
from services.orders.indices.queries import find_figure
from services.orders.offers.terms import SaidTerms, TermsNotAllowed, complete_terms

FIELD = "$.terms.price_formula"
TOO_MUCH = Decimal(10) ** 12
"""What has more digits than ``Exact`` may have."""


class SaidFormula(Protocol):
    """An index, what is paid above it (below zero: less), and the day whose figure counts; None is the last one."""

    index: str
    premium: Exact
    day: date | None


class SaidPricing(SaidTerms, Protocol):
    """The terms that a seller names, with a price or with a formula in its place."""

    price: UnitPrice | None
    price_formula: SaidFormula | None


def settle_terms(session: Session, said: SaidPricing, market: MarketTerms, now: datetime) -> Terms:
    """Whole terms with a fixed price, from a price or a formula and a market's defaults.

    Raises TermsNotAllowed, which names the field, IndexNotKnown or IndexNotPublished.
    """
    if said.price is None and said.price_formula is None:
        raise TermsNotAllowed("a price or a formula is needed", field="$.terms.price")
    if said.price is not None and said.price_formula is not None:
        raise TermsNotAllowed("a price is said already: one of both", field=FIELD)
    if said.price_formula is None:
        return complete_terms(said, market, now)
    figure = find_figure(session, said.price_formula.index, said.price_formula.day, field=FIELD)
    _check_figure(figure, said, market)
    fixed = msgspec.structs.replace(said, price=work_out(figure, said.price_formula), tax_basis=figure.tax_basis)
    return complete_terms(fixed, market, now, formula=note_formula(figure, said.price_formula))


def work_out(figure: IndexFigure, said: SaidFormula) -> UnitPrice:
    """What a formula comes to, rounded half up to the currency's smallest unit. Raises TermsNotAllowed."""
    price = figure.price.plus(said.premium)
    if not 0 < price < TOO_MUCH:
        index = f"{figure.code} of {figure.day} is {figure.price.value:f}"
        raise TermsNotAllowed(f"{index}: the price would be {price:f}", field=f"{FIELD}.premium")
    return UnitPrice(Exact(price), figure.price.currency, figure.price.unit)


def note_formula(figure: IndexFigure, said: SaidFormula) -> PriceFormula:
    """What a price was made of, for those who read the terms."""
    return PriceFormula(index=figure.code, day=figure.day.isoformat(), revision=figure.revision, premium=said.premium)


def _check_figure(figure: IndexFigure, said: SaidPricing, market: MarketTerms) -> None:
    """Whether an index is in what the market trades in, and on the tax basis that the seller names, if any."""
    _check_allowed("currency", figure.price.currency, market.currency)
    _check_allowed("unit", figure.price.unit, market.price_unit)
    _check_allowed("tax basis", figure.tax_basis, market.tax_basis)
    if said.tax_basis not in (None, figure.tax_basis):
        raise TermsNotAllowed(f"the index is {figure.tax_basis}", field="$.terms.tax_basis", allowed=[figure.tax_basis])


def _check_allowed(what: str, found: str, choice: TextChoice) -> None:
    if found not in choice.allowed:
        why = f"its {what} is {found}, the market's {', '.join(choice.allowed)}"
        raise TermsNotAllowed(why, field=f"{FIELD}.index", allowed=choice.allowed)
