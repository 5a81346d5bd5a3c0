"""What a seller may say of its terms, and what the market says for it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chassis.values import Exact, UnitPrice
from services.orders.offers.terms import TermsNotAllowed, complete_terms
from tests.unit.orders.examples import NOW, make_market

MARKET = make_market()["terms"]
SILENT = dict.fromkeys(
    (
        "tax_basis", "tax_rate", "buyer_deposit_percent", "seller_deposit_percent", "weighing_rule", "tolerance",
        "delivery_mode", "valid_until", "periods", "deposit_kind", "deposit_use", "release", "dispute_limit", "weigher_id",
    )
)  # fmt: skip


def said(**words: Any) -> Any:
    price = UnitPrice(Exact("3850"), "CNY", "TNE")
    return SimpleNamespace(
        **{**SILENT, "price": price, "place": "Tianjin", "deliver_by": NOW + timedelta(days=20), **words}
    )


def test_what_a_seller_leaves_out_is_the_markets_default() -> None:
    terms = complete_terms(said(), MARKET, NOW)
    assert (terms.tax_rate, terms.tolerance, terms.weighing_rule) == (
        Exact("0.13"), Exact("0.003"), "WITHIN_TOL_SELLER_ELSE_BUYER",
    )  # fmt: skip
    assert terms.valid_until == NOW + timedelta(days=5)
    assert (terms.periods.pay, terms.periods.supplement) == (timedelta(days=2), timedelta(days=3))
    assert (terms.deposit_kind, terms.deposit_use, terms.release) == ("performance_bond", "counts", "settlement")
    assert (terms.dispute_limit, terms.weigher_id) == (None, None)


def test_what_a_seller_says_stands() -> None:
    periods = SimpleNamespace(
        deposit=timedelta(seconds=5),
        sign=None,
        pay=None,
        inspect=None,
        load=None,
        receive=None,
        supplement=timedelta(days=9),
    )
    terms = complete_terms(said(tax_rate=Exact("0"), tolerance=Exact("0"), periods=periods), MARKET, NOW)
    assert (terms.tax_rate, terms.tolerance, terms.periods.deposit) == (Exact("0"), Exact("0"), timedelta(seconds=5))
    assert (terms.periods.sign, terms.periods.supplement) == (timedelta(days=1), timedelta(days=9))


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"price": UnitPrice(Exact("0"), "CNY", "TNE")}, "$.terms.price.value"),
        ({"price": UnitPrice(Exact("1"), "EUR", "TNE")}, "$.terms.price.currency"),
        ({"price": UnitPrice(Exact("1"), "CNY", "MTR")}, "$.terms.price.unit"),
        ({"tax_rate": Exact("0.17")}, "$.terms.tax_rate"),
        ({"tolerance": Exact("0.06")}, "$.terms.tolerance"),
        ({"tolerance": Exact("-0.01")}, "$.terms.tolerance"),
        ({"buyer_deposit_percent": Exact("20.01")}, "$.terms.buyer_deposit_percent"),
        ({"seller_deposit_percent": Exact("-1")}, "$.terms.seller_deposit_percent"),
        ({"valid_until": NOW}, "$.terms.valid_until"),
        ({"valid_until": NOW + timedelta(days=31)}, "$.terms.valid_until"),
        ({"deliver_by": NOW + timedelta(days=5)}, "$.terms.deliver_by"),
        ({"deliver_by": NOW + timedelta(days=731)}, "$.terms.deliver_by"),
        ({"deposit_kind": "gift"}, "$.terms.deposit_kind"),
        ({"deposit_use": "lost"}, "$.terms.deposit_use"),
        ({"release": "never"}, "$.terms.release"),
        ({"dispute_limit": Exact("0.0029")}, "$.terms.dispute_limit"),
        ({"dispute_limit": Exact("0.0501")}, "$.terms.dispute_limit"),
        ({"weighing_rule": "THIRD_PARTY"}, "$.terms.weigher_id"),
        ({"weighing_rule": "EXCESS_ONLY", "price": UnitPrice(Exact("1"), "CNY", "H87")}, "$.terms.weighing_rule"),
        ({"periods": SimpleNamespace(supplement=timedelta(days=31))}, "$.terms.periods.supplement"),
        ({"periods": SimpleNamespace(pay=timedelta(0))}, "$.terms.periods.pay"),
        ({"periods": SimpleNamespace(inspect=timedelta(seconds=-1))}, "$.terms.periods.inspect"),
        ({"periods": SimpleNamespace(sign=timedelta(days=31))}, "$.terms.periods.sign"),
    ],
)
def test_what_the_market_forbids_is_refused_with_its_field(words: dict[str, Any], field: str) -> None:
    with pytest.raises(TermsNotAllowed) as refused:
        complete_terms(said(**words), MARKET, NOW)
    assert refused.value.members["field"] == field


CAPPED = msgspec.structs.replace(MARKET, earnest_cap_percent=Exact("10"))


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_an_earnest_is_refused_above_the_cap_of_its_market_and_another_deposit_is_not(side: str) -> None:
    field = f"{side}_deposit_percent"
    complete_terms(said(deposit_kind="earnest", **{field: Exact("10")}), CAPPED, NOW)
    complete_terms(said(deposit_kind="performance_bond", **{field: Exact("10.01")}), CAPPED, NOW)
    with pytest.raises(TermsNotAllowed) as refused:
        complete_terms(said(deposit_kind="earnest", **{field: Exact("10.01")}), CAPPED, NOW)
    assert (refused.value.members["field"], refused.value.members["most"]) == (f"$.terms.{field}", "10")


def test_a_dispute_limit_lies_between_the_tolerance_and_the_markets_most() -> None:
    for limit in ("0.003", "0.05"):
        assert complete_terms(said(dispute_limit=Exact(limit)), MARKET, NOW).dispute_limit == Exact(limit)


def test_a_price_for_a_piece_is_settled_by_the_label() -> None:
    price = UnitPrice(Exact("1"), "CNY", "H87")
    assert complete_terms(said(weighing_rule="LABEL", price=price), MARKET, NOW).price == price
