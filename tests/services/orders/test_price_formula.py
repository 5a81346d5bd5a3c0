"""Prices that are said as an index with a premium: worked out once, kept with what they were made of, shown to the buyer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from chassis.values import Exact, Quantity, UnitPrice
from events.catalog import IndexDescribed
from events.orders import OfferDescribed, PriceFormula
from events.settlement import DepositsHeld
from tests.services.orders.said import BEGINNING, describe_product, make_terms, tonnes
from tests.services.orders.stand import Stand
from tests.services.orders.test_offers_in_bulk import counts, offer_of, store

NOT_SAID: Any = object()


def describe_index(
    day: str = "2026-02-27",
    price: str | None = "3800.005",
    version: int = 1,
    code: str = "HRC-TJ",
    *,
    currency: str = "CNY",
    unit: str = "TNE",
    **changed: Any,
) -> IndexDescribed:
    """A day of an index as the catalog describes it; withheld where there is no price."""
    said = {
        "market": "steel",
        "revision": version,
        "method": 1,
        "state": "final" if price else "withheld",
        "deals": 7,
        "volume": Quantity(Exact("900"), "TNE"),
        "price": UnitPrice(Exact(price), currency, unit) if price else None,
    }
    return IndexDescribed(index_day_id=f"{code}:{day}", version=version, code=code, day=day, **{**said, **changed})


def formula(premium: str = "-50", index: str = "HRC-TJ", price: Any = NOT_SAID, **more: Any) -> dict[str, Any]:
    """Terms whose price is said by a formula."""
    terms = make_terms(price_formula={"index": index, "premium": premium, **more})
    return {**{name: said for name, said in terms.items() if name != "price"}, **({} if price is NOT_SAID else price)}


def list_by(stand: Stand, terms: dict[str, Any]) -> Any:
    """List a hundred tonnes by terms."""
    lot = {"quantity": "100", "minimum": "1", "step": "1"}
    said = {
        "market": "steel",
        "title": "coils",
        "warehouse_id": "warehouse",
        "terms": terms,
        **{name: {"value": value, "unit": "TNE"} for name, value in lot.items()},
    }
    return stand.send("POST", "/v1/offers", said, party="mill", role="seller")


def kept(stand: Stand) -> list[tuple[Any, ...]]:
    """The figures that the service keeps."""
    return sorted(stand.rows("SELECT code, day, version, state, price ->> 'value' FROM index_figure"))


def test_a_formula_is_fixed_to_a_price_that_says_what_it_was_made_of(stand: Stand) -> None:
    stand.hear(describe_index("2026-02-26", "3790"), describe_index("2026-02-27", "3800.005", version=3))
    stand.told()
    offer = list_by(stand, formula()).ok()
    assert offer["terms"]["price"] == {"value": "3750.01", "currency": "CNY", "unit": "TNE"}
    assert offer["terms"]["tax_basis"] == "tax_included"
    made_of = {"index": "HRC-TJ", "day": "2026-02-27", "revision": 3, "premium": "-50"}
    assert offer["terms"]["formula"] == made_of
    [told] = stand.told()
    assert isinstance(told, OfferDescribed)
    assert told.terms.formula == PriceFormula(index="HRC-TJ", day="2026-02-27", revision=3, premium=Exact("-50"))
    stand.hear(describe_index("2026-03-02", "5000"), describe_index("2026-02-27", "9000", version=4))
    assert stand.get(f"/v1/offers/{offer['id']}").ok()["terms"] == offer["terms"]
    deal = stand.take(offer, quantity={"value": "10", "unit": "TNE"}).ok()
    assert deal["gross"]["amount"] == 3750010 and deal["terms"]["formula"] == made_of
    assert stand.broken() == {}


def test_the_agreement_says_what_the_price_was_made_of(stand: Stand) -> None:
    stand.hear(describe_index())
    stand.make_coils("A1")
    offer = stand.list_offer("piece_A1", terms={"price": None, "price_formula": formula("12.5")["price_formula"]}).ok()
    deal = stand.take(offer, "piece_A1").ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    body = stand.get(f"/v1/agreements/{deal['id']}").ok()["body"]
    assert "3812.51 CNY/吨（指数 HRC-TJ，2026-02-27，第 1 版，升贴水 +12.5）" in body
    assert "3812.51 CNY/t (index HRC-TJ of 2026-02-27, revision 1, premium +12.5)" in body


@pytest.mark.parametrize(
    ("day", "price", "of"),
    [
        (None, "3820.00", "2026-02-27"),
        ("2026-02-27", "3820.00", "2026-02-27"),
        ("2026-03-01", "3820.00", "2026-02-27"),
        ("2099-01-01", "3820.00", "2026-02-27"),
        ("2026-02-26", "3790.00", "2026-02-24"),
        ("2026-02-24", "3790.00", "2026-02-24"),
    ],
)
def test_the_last_published_day_up_to_the_named_one_counts(stand: Stand, day: str | None, price: str, of: str) -> None:
    stand.hear(
        describe_index("2026-02-24", "3790"),
        describe_index("2026-02-25", None),
        describe_index("2026-02-27", "3820", state="provisional"),
        describe_index("2026-02-28", None),
        describe_index("2026-02-28", "1", code="OTHER"),
    )
    terms = list_by(stand, formula("0", day=day)).ok()["terms"]
    assert (terms["price"]["value"], terms["formula"]["day"]) == (price, of)


@pytest.mark.parametrize(
    ("index", "premium", "currency", "price"),
    [
        ("3800.004", "0.001", "CNY", "3800.01"),
        ("3800.004", "0.0009", "CNY", "3800.00"),
        ("3800.5", "0", "JPY", "3801"),
        ("3800.4999", "0", "JPY", "3800"),
        ("10", "-9.995", "CNY", "0.01"),
    ],
)
def test_a_price_is_rounded_half_up_to_the_smallest_unit_of_its_currency(
    stand: Stand, index: str, premium: str, currency: str, price: str
) -> None:
    allow(stand, "currency", "CNY", "JPY")
    stand.hear(describe_index(price=index, currency=currency))
    assert list_by(stand, formula(premium)).ok()["terms"]["price"]["value"] == price


def allow(stand: Stand, term: str, *allowed: str) -> None:
    """Let the market allow other words of a term."""
    words = "[" + ", ".join(f'"{word}"' for word in allowed) + "]"
    path = f"{{{term},allowed}}"
    stand.plant(f"UPDATE market SET terms = jsonb_set(terms, '{path}', '{words}')")


REFUSED = [
    (formula(index="HRC-XX"), "index_not_known", "$.terms.price_formula.index"),
    (formula(index="WITHHELD"), "index_not_published", "$.terms.price_formula.index"),
    (formula(day="2026-02-26"), "index_not_published", "$.terms.price_formula.day"),
    (formula("-3800.005"), "terms_not_allowed", "$.terms.price_formula.premium"),
    (formula("-3800.0009"), "terms_not_allowed", "$.terms.price_formula.premium"),
    (formula("-999999"), "terms_not_allowed", "$.terms.price_formula.premium"),
    (formula("999999999999.999999"), "terms_not_allowed", "$.terms.price_formula.premium"),
    (formula(index="IN-EUR"), "terms_not_allowed", "$.terms.price_formula.index"),
    (formula(index="BY-LITRE"), "terms_not_allowed", "$.terms.price_formula.index"),
    ({**formula(), "tax_basis": "tax_excluded"}, "terms_not_allowed", "$.terms.tax_basis"),
    ({**formula(), "price": make_terms()["price"]}, "terms_not_allowed", "$.terms.price_formula"),
    ({**formula(), "price_formula": None}, "terms_not_allowed", "$.terms.price"),
    (
        {**formula(), "price_formula": {"index": "hrc'--", "premium": "1"}},
        "invalid_field",
        "$.terms.price_formula.index",
    ),
    (
        {**formula(), "price_formula": {"index": "HRC-TJ", "premium": 1}},
        "invalid_field",
        "$.terms.price_formula.premium",
    ),
    (formula(day="2026-02-30"), "invalid_field", "$.terms.price_formula.day"),
]


@pytest.mark.parametrize(("terms", "problem", "field"), REFUSED, ids=range(len(REFUSED)))
def test_a_formula_that_gives_no_price_is_refused_and_changes_nothing(
    stand: Stand, terms: dict[str, Any], problem: str, field: str
) -> None:
    stand.hear(
        describe_index(),
        describe_index(price=None, code="WITHHELD"),
        describe_index(code="IN-EUR", price="500", currency="EUR"),
        describe_index(code="BY-LITRE", price="5", unit="LTR"),
    )
    offer = list_by(stand, make_terms()).ok()
    before = stand.snapshot()
    answer = list_by(stand, terms)
    assert (answer.problem(), answer.body.get("field")) == (problem, field)
    path = f"/v1/offers/{offer['id']}/revise"
    revised = stand.send("POST", path, {"terms": terms}, party="mill", role="seller")
    assert (revised.problem(), revised.body.get("field")) == (problem, field)
    assert stand.snapshot() == before


def test_the_tax_basis_is_that_of_the_index_if_the_market_allows_it(stand: Stand) -> None:
    stand.hear(describe_index(tax_basis="tax_excluded"))
    assert list_by(stand, formula()).ok()["terms"]["tax_basis"] == "tax_excluded"
    list_by(stand, {**formula(), "tax_basis": "tax_excluded"}).ok()
    allow(stand, "tax_basis", "tax_included")
    answer = list_by(stand, formula())
    assert (answer.problem(), answer.body["field"]) == ("terms_not_allowed", "$.terms.price_formula.index")
    assert answer.body["allowed"] == ["tax_included"]


def test_revising_takes_a_new_figure_over_and_a_plain_price_ends_the_formula(stand: Stand) -> None:
    stand.hear(describe_index("2026-02-27", "3800"))
    offer = list_by(stand, formula("10")).ok()
    path = f"/v1/offers/{offer['id']}/revise"
    stand.hear(describe_index("2026-03-02", "3900"))
    revised = stand.send("POST", path, {"terms": formula("10")}, party="mill", role="seller").ok()
    assert (revised["version"], revised["terms"]["price"]["value"]) == (2, "3910.00")
    assert revised["terms"]["formula"]["day"] == "2026-03-02"
    assert stand.take(offer, quantity={"value": "10", "unit": "TNE"}).problem() == "stale_offer"
    plain = stand.send("POST", path, {"terms": make_terms()}, party="mill", role="seller").ok()
    assert (plain["version"], plain["terms"]["price"]["value"], plain["terms"]["formula"]) == (3, "3850.00", None)


def test_figures_are_kept_as_they_were_last_described(stand: Stand) -> None:
    stand.hear(
        describe_index("2026-02-27", "3800", version=2),
        describe_index("2026-02-27", "3700", version=1),
        describe_index("2026-03-02", "3900", version=1),
        describe_index("2026-03-02", None, version=2),
    )
    assert kept(stand) == [
        ("HRC-TJ", date(2026, 2, 27), 2, "final", "3800"),
        ("HRC-TJ", date(2026, 3, 2), 2, "withheld", None),
    ]
    assert list_by(stand, formula("0")).ok()["terms"]["price"]["value"] == "3800.00"


def test_days_of_long_before_the_newest_one_of_an_index_are_let_go(stand: Stand) -> None:
    newest = date(2026, 3, 2)
    days = {back: (newest - timedelta(days=back)).isoformat() for back in (0, 400, 401, 1000)}
    events = [describe_index(day, str(4000 + back)) for back, day in days.items()]
    alone = describe_index(days[1000], "7", code="QUIET")
    stand.hear(alone, *events)
    expected = [(code, date.fromisoformat(day)) for code, day in
                (("HRC-TJ", days[400]), ("HRC-TJ", days[0]), ("QUIET", days[1000]))]  # fmt: skip
    assert [row[:2] for row in kept(stand)] == expected
    stand.plant("DELETE FROM index_figure")
    stand.hear(*reversed(events), alone)
    assert [row[:2] for row in kept(stand)] == expected


def test_a_price_list_leaves_a_formula_alone_until_it_names_another_price(stand: Stand) -> None:
    stand.hear(describe_index("2026-02-27", "3800"), describe_product("product_1"))
    made = {"product_id": "product_1", "number": "N1", "quantity": tonnes("100"), "warehouse_id": "warehouse"}
    said = {"market": "steel", "terms": formula("10"), **made}
    offer = stand.send("POST", "/v1/offers", said, party="mill", role="seller").ok()
    assert counts(store(stand, {"number": "N1", "price": "3810", "quantity": "100"})) == (0, 0, 1)
    assert offer_of(stand, "N1") == offer
    later = (BEGINNING + timedelta(days=21)).isoformat()
    assert counts(store(stand, {"number": "N1", "price": "3810.00", "deliver_by": later})) == (0, 1, 0)
    terms = offer_of(stand, "N1")["terms"]
    assert (terms["price"], terms["formula"]) == (offer["terms"]["price"], offer["terms"]["formula"])
    assert counts(store(stand, {"number": "N1", "tax_basis": "tax_excluded"})) == (0, 1, 0)
    assert offer_of(stand, "N1")["terms"]["formula"] is None
    stand.hear(describe_index("2026-03-02", "3900"))
    path = f"/v1/offers/{offer['id']}/revise"
    stand.send("POST", path, {"terms": formula("10")}, party="mill", role="seller").ok()
    assert counts(store(stand, {"number": "N1", "price": "3900"})) == (0, 1, 0)
    terms = offer_of(stand, "N1")["terms"]
    assert (terms["price"]["value"], terms["formula"]) == ("3900", None)
