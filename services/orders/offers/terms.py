"""The commercial terms of an offer: what a seller may say, and what the market says where it is silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from chassis.problems import Invalid
from chassis.values import Exact, UnitPrice, unit_of
from events.catalog import MarketPeriods, MarketTerms, NumberRange, PeriodRange, TextChoice
from events.orders import (
    DeliveryMode,
    DepositKind,
    DepositUse,
    Periods,
    PriceFormula,
    Release,
    TaxBasis,
    Terms,
    WeighingRule,
)
from services.orders.measures import BY_PIECE

LATEST_DELIVERY = timedelta(days=730)


class TermsNotAllowed(Invalid):
    """The market does not allow this term."""


class SaidPeriods(Protocol):
    """The waits that a seller names; None is the market's default."""

    deposit: timedelta | None
    sign: timedelta | None
    pay: timedelta | None
    inspect: timedelta | None
    load: timedelta | None
    receive: timedelta | None
    supplement: timedelta | None


class SaidTerms(Protocol):
    """The terms that a seller names; None is the market's default."""

    price: UnitPrice
    tax_basis: TaxBasis | None
    tax_rate: Exact | None
    buyer_deposit_percent: Exact | None
    seller_deposit_percent: Exact | None
    weighing_rule: WeighingRule | None
    tolerance: Exact | None
    place: str
    delivery_mode: DeliveryMode | None
    deliver_by: datetime
    valid_until: datetime | None
    periods: SaidPeriods | None
    deposit_kind: DepositKind | None
    deposit_use: DepositUse | None
    release: Release | None
    dispute_limit: Exact | None
    weigher_id: str | None


def complete_terms(
    said: SaidTerms, market: MarketTerms, now: datetime, *, formula: PriceFormula | None = None
) -> Terms:
    """Whole terms from what a seller says and a market's defaults; ``formula`` is what the price was made of, if anything.

    Raises TermsNotAllowed, which names the field.
    """
    _check_price(said.price, market)
    valid_until = said.valid_until or now + market.periods.validity.default
    _check_dates(valid_until, said.deliver_by, market.periods.validity, now)
    terms = Terms(
        price=said.price,
        tax_basis=_choose("tax_basis", said.tax_basis, market.tax_basis),
        tax_rate=_choose_rate(said.tax_rate, market),
        buyer_deposit_percent=_number(
            "buyer_deposit_percent", said.buyer_deposit_percent, market.buyer_deposit_percent
        ),
        seller_deposit_percent=_number(
            "seller_deposit_percent", said.seller_deposit_percent, market.seller_deposit_percent
        ),
        weighing_rule=_choose("weighing_rule", said.weighing_rule, market.weighing_rule),
        tolerance=_number("tolerance", said.tolerance, market.tolerance),
        place=said.place,
        delivery_mode=_choose("delivery_mode", said.delivery_mode, market.delivery_mode),
        deliver_by=said.deliver_by,
        valid_until=valid_until,
        periods=_complete_periods(said.periods, market.periods),
        deposit_kind=_choose("deposit_kind", said.deposit_kind, market.deposit_kind),
        deposit_use=_choose("deposit_use", said.deposit_use, market.deposit_use),
        release=_choose("release", said.release, market.release),
        dispute_limit=said.dispute_limit,
        weigher_id=said.weigher_id,
        formula=formula,
    )
    _check_together(terms, market)
    return terms


def _check_together(terms: Terms, market: MarketTerms) -> None:
    """What one term says about another."""
    if terms.deposit_kind == "earnest":
        for name in ("buyer_deposit_percent", "seller_deposit_percent"):
            _check_between(name, getattr(terms, name), Exact(0), market.earnest_cap_percent, "an earnest is ")
    if terms.dispute_limit is not None:
        _check_between("dispute_limit", terms.dispute_limit, terms.tolerance, market.most_dispute_limit)
    if terms.weighing_rule == "THIRD_PARTY" and terms.weigher_id is None:
        raise TermsNotAllowed("who weighs is to be named", field="$.terms.weigher_id")
    weighed = unit_of(terms.price.unit).dimension == unit_of(market.weight_unit).dimension
    if terms.weighing_rule not in BY_PIECE and not weighed:
        raise TermsNotAllowed(
            f"a price for a {terms.price.unit} is not settled by a scale",
            field="$.terms.weighing_rule",
            allowed=sorted(BY_PIECE),
        )


def _check_price(price: UnitPrice, market: MarketTerms) -> None:
    if price.value <= 0:
        raise TermsNotAllowed("a price is more than nothing", field="$.terms.price.value")
    _choose("price.currency", price.currency, market.currency)
    _choose("price.unit", price.unit, market.price_unit)


def _check_dates(valid_until: datetime, deliver_by: datetime, validity: PeriodRange, now: datetime) -> None:
    if not now + validity.least <= valid_until <= now + validity.most:
        allowed = f"between {validity.least} and {validity.most} from now"
        raise TermsNotAllowed(f"an offer is valid {allowed}", field="$.terms.valid_until")
    if not valid_until < deliver_by <= now + LATEST_DELIVERY:
        raise TermsNotAllowed(
            f"delivery is due after the offer's validity and within {LATEST_DELIVERY.days} days",
            field="$.terms.deliver_by",
        )


def _choose(name: str, said: str | None, choice: TextChoice) -> Any:
    if said is not None and said not in choice.allowed:
        raise TermsNotAllowed(f"one of {', '.join(choice.allowed)}", field=f"$.terms.{name}", allowed=choice.allowed)
    return choice.default if said is None else said


def _choose_rate(said: Exact | None, market: MarketTerms) -> Exact:
    if said is not None and said not in market.tax_rates:
        allowed = [format(rate, "f") for rate in market.tax_rates]
        raise TermsNotAllowed(f"one of {', '.join(allowed)}", field="$.terms.tax_rate", allowed=allowed)
    return market.default_tax_rate if said is None else said


def _number(name: str, said: Exact | None, allowed: NumberRange) -> Exact:
    if said is not None:
        _check_between(name, said, allowed.least, allowed.most)
    return allowed.default if said is None else said


def _check_between(name: str, said: Decimal, least: Decimal, most: Decimal, what: str = "") -> None:
    if not least <= said <= most:
        ends = {"least": format(least, "f"), "most": format(most, "f")}
        text = f"{what}between {ends['least']} and {ends['most']}"
        raise TermsNotAllowed(text, field=f"$.terms.{name}", **ends)


def _complete_periods(said: SaidPeriods | None, market: MarketPeriods) -> Periods:
    names = ("deposit", "sign", "pay", "inspect", "load", "receive", "supplement")
    return Periods(**{name: _period(name, getattr(said, name, None), getattr(market, name)) for name in names})


def _period(name: str, said: timedelta | None, allowed: PeriodRange) -> timedelta:
    if said is not None and not allowed.least <= said <= allowed.most:
        raise TermsNotAllowed(f"between {allowed.least} and {allowed.most}", field=f"$.terms.periods.{name}")
    return allowed.default if said is None else said
