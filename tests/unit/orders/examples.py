"""Examples that the tests of orders share: a market's rules, terms, and strategies for quantities and money."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from chassis.values import Exact, Quantity, UnitPrice
from events.catalog import MarketFees, MarketPeriods, MarketTerms, NumberRange, PeriodRange, TextChoice
from events.orders import Periods, Terms

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def make_market() -> dict[str, Any]:
    """The rules of a market: its terms and its fees."""

    def choice(*allowed: str) -> TextChoice:
        return TextChoice(allowed=list(allowed), default=allowed[0])

    def number(least: str, default: str, most: str) -> NumberRange:
        return NumberRange(least=Exact(least), default=Exact(default), most=Exact(most))

    def period(default: timedelta) -> PeriodRange:
        return PeriodRange(least=timedelta(seconds=1), default=default, most=timedelta(days=30))

    terms = MarketTerms(
        currency=choice("CNY"),
        price_unit=choice("TNE", "KGM", "H87"),
        weight_unit="KGM",
        tax_basis=choice("tax_included", "tax_excluded"),
        tax_rates=[Exact("0.13"), Exact("0.09"), Exact("0")],
        default_tax_rate=Exact("0.13"),
        buyer_deposit_percent=number("0", "10", "20"),
        seller_deposit_percent=number("0", "5", "20"),
        weighing_rule=choice(
            "WITHIN_TOL_SELLER_ELSE_BUYER",
            "LABEL",
            "THEORETICAL",
            "SELLER_WEIGHT",
            "BUYER_WEIGHT",
            "THIRD_PARTY",
            "EXCESS_ONLY",
        ),
        tolerance=number("0", "0.003", "0.05"),
        delivery_mode=choice("self_pickup", "delivered"),
        periods=MarketPeriods(
            deposit=period(timedelta(minutes=30)),
            sign=period(timedelta(days=1)),
            pay=period(timedelta(days=2)),
            inspect=period(timedelta(days=3)),
            load=period(timedelta(hours=72)),
            receive=period(timedelta(days=7)),
            validity=period(timedelta(days=5)),
        ),
    )
    fees = MarketFees(fee_rate=Exact("0.001"), forfeit_fee_rate=Exact("0"), penalty_rate=Exact("0.2"))
    return {"terms": terms, "fees": fees}


def make_frozen_terms(**changed: Any) -> Terms:
    """The terms of a deal."""
    said = {
        "price": UnitPrice(Exact("3850.00"), "CNY", "TNE"),
        "tax_basis": "tax_included",
        "tax_rate": Exact("0.13"),
        "buyer_deposit_percent": Exact("10"),
        "seller_deposit_percent": Exact("5"),
        "weighing_rule": "WITHIN_TOL_SELLER_ELSE_BUYER",
        "tolerance": Exact("0.003"),
        "place": "Tianjin",
        "delivery_mode": "self_pickup",
        "deliver_by": NOW + timedelta(days=20),
        "valid_until": NOW + timedelta(days=2),
        "periods": Periods(
            deposit=timedelta(minutes=30), sign=timedelta(days=1), pay=timedelta(days=2), inspect=timedelta(days=3)
        ),
    }
    return Terms(**{**said, **changed})


def exacts(least: str, most: str, places: int) -> st.SearchStrategy[Exact]:
    """Decimals between two ends, with at most so many places."""
    return st.decimals(least, most, places=places, allow_nan=False, allow_infinity=False).map(Exact)


def weights(unit: str = "KGM", most: str = "99999.999") -> st.SearchStrategy[Quantity]:
    """Weights with three places."""
    return exacts("0.001", most, 3).map(lambda value: Quantity(value, unit))


def prices() -> st.SearchStrategy[UnitPrice]:
    """Prices for a tonne."""
    return exacts("0.01", "99999.99", 2).map(lambda value: UnitPrice(value, "CNY", "TNE"))
