"""Offers of products, numbers of offers, and how much is left to sell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.orders import OfferDescribed
from tests.services.orders.said import BEGINNING, describe_product, make_terms, tonnes
from tests.services.orders.stand import Answer, Stand

BY_PIECE = {"value": "1", "currency": "CNY", "unit": "H87"}


def list_product(stand: Stand, **body: Any) -> Answer:
    """List a hundred tonnes of a product, unless it is said otherwise."""
    said = {"product_id": "product_1", "quantity": tonnes("100"), "warehouse_id": "warehouse", **body}
    return stand.list_offer(**said)


def revise(stand: Stand, offer: dict[str, Any], *, party: str = "mill", **body: Any) -> Answer:
    """Revise an offer with the usual terms and what else is said."""
    return stand.send(
        "POST", f"/v1/offers/{offer['id']}/revise", {"terms": make_terms(), **body}, party=party, role="seller"
    )


def test_a_product_is_offered_in_its_own_units_steps_and_minimum(stand: Stand) -> None:
    stand.hear(describe_product("product_1", step="0.5", minimum="5"))
    stand.told()
    offer = list_product(stand, number="HRC-5.5").ok()
    assert (offer["product_id"], offer["number"], offer["title"]) == (
        "product_1",
        "HRC-5.5",
        "Hot rolled coil Q235B · 热轧卷 Q235B",
    )
    assert (offer["minimum"], offer["step"], offer["remaining"]) == (tonnes("5"), tonnes("0.5"), tonnes("100"))
    assert (offer["audience"], offer["licences"]) == (None, [])
    [told] = stand.told()
    assert isinstance(told, OfferDescribed)
    assert (told.number, told.product_id, told.audience) == ("HRC-5.5", "product_1", None)
    deal = stand.take(offer, quantity=tonnes("7.5")).ok()
    assert deal["quantity"] == tonnes("7.5")
    assert stand.rows("SELECT product_id FROM deal") == [("product_1",)]
    assert stand.take(offer, quantity=tonnes("5.2")).problem() == "not_a_step"
    assert [each["id"] for each in stand.get("/v1/offers?product_id=product_1").ok()["items"]] == [offer["id"]]
    assert stand.get("/v1/offers?number=HRC-5").ok()["items"] == []
    assert stand.broken() == {}


def test_what_is_said_of_a_products_lot_counts_if_the_product_allows_it(stand: Stand) -> None:
    stand.hear(describe_product("product_1", step="0.5", minimum="5"))
    kilograms = {"value": "25000", "unit": "KGM"}
    offer = list_product(stand, title="Coils of May", minimum=kilograms, step=tonnes("2.5")).ok()
    assert (offer["title"], offer["minimum"], offer["step"]) == ("Coils of May", tonnes("25"), tonnes("2.5"))


@pytest.mark.parametrize(
    ("changed", "problem", "field"),
    [
        ({"quantity": tonnes("4")}, "not_traded_so", "$.quantity"),
        ({"quantity": tonnes("100.2")}, "not_traded_so", "$.quantity"),
        ({"quantity": {"value": "100", "unit": "H87"}}, "not_traded_so", "$.quantity"),
        ({"minimum": tonnes("2")}, "not_traded_so", "$.minimum"),
        ({"minimum": tonnes("101")}, "wrong_lot", "$.minimum"),
        ({"step": tonnes("0.3")}, "not_traded_so", "$.step"),
        ({"quantity": None}, "wrong_offer", "$.quantity"),
        ({"warehouse_id": None}, "wrong_offer", "$.warehouse_id"),
        ({"piece_ids": ["piece_A1"], "quantity": None, "warehouse_id": None}, "wrong_offer", "$.product_id"),
        ({"product_id": "product_unheard_of"}, "not_yet_known", "$.product_id"),
        ({"product_id": "product_foreign"}, "product_not_yours", "$.product_id"),
        ({"product_id": "product_draft"}, "product_not_published", "$.product_id"),
        ({"product_id": "product_blocked"}, "product_blocked", "$.product_id"),
        ({"product_id": "product_elsewhere"}, "product_elsewhere", "$.product_id"),
        ({"terms": make_terms(price=BY_PIECE, weighing_rule="LABEL")}, "unit_mismatch", None),
    ],
)  # fmt: skip
def test_what_cannot_be_offered_is_refused_and_leaves_nothing(
    stand: Stand, changed: dict[str, Any], problem: str, field: str | None
) -> None:
    stand.make_coils("A1")
    stand.hear(
        describe_product("product_1", step="0.5"),
        describe_product("product_foreign", owner_id="trader"),
        describe_product("product_draft", number="P-2", state="draft"),
        describe_product("product_blocked", number="P-3", blocked="document_missing"),
        describe_product("product_elsewhere", number="P-4", market="autos"),
    )
    before = stand.snapshot()
    answer = list_product(stand, **changed)
    assert (answer.problem(), answer.body.get("field")) == (problem, field)
    assert stand.snapshot() == before


def test_a_product_is_offered_as_it_was_last_described(stand: Stand) -> None:
    stand.hear(describe_product("product_1", 3, state="retired"), describe_product("product_1", 2))
    assert list_product(stand).problem() == "product_not_published"
    stand.hear(describe_product("product_1", 4))
    list_product(stand).ok()


def test_a_number_names_one_offer_that_is_not_closed(stand: Stand) -> None:
    stand.hear(describe_product("product_1"))
    first = list_product(stand, number="N1").ok()
    before = stand.snapshot()
    refused = list_product(stand, number="N1")
    assert (refused.problem(), refused.body["offer_id"], refused.body["state"]) == (
        "number_in_use",
        first["id"],
        "listed",
    )
    assert stand.snapshot() == before
    stand.take(first, quantity=tonnes("100")).ok()
    assert list_product(stand, number="N1").body["state"] == "taken"
    stand.make_coils("T1", owner="trader")
    assert stand.list_offer("piece_T1", party="trader", number="N1").ok()["number"] == "N1"
    other = list_product(stand, number="N2").ok()
    stand.send("POST", f"/v1/offers/{other['id']}/withdraw", party="mill", role="seller").ok()
    assert list_product(stand, number="N2").ok()["state"] == "listed"
    assert [each["number"] for each in stand.get("/v1/offers?number=N2", party="mill").ok()["items"]] == ["N2", "N2"]


def test_an_offer_that_is_over_gives_its_number_free(stand: Stand) -> None:
    """A wholly taken one may still get something back until then, so it keeps its number; afterwards it is closed."""
    stand.hear(describe_product("product_1"))
    taken = list_product(stand, number="N1").ok()
    deal = stand.take(taken, quantity=tonnes("100")).ok()
    lapsed = list_product(stand, number="N2").ok()
    stand.told()
    stand.frozen.advance(timedelta(days=2))
    terms = make_terms(valid_until=(BEGINNING + timedelta(days=4)).isoformat())
    for number in ("N1", "N2"):
        assert list_product(stand, number=number, terms=terms).ok()["number"] == number
    told = [(event.offer_id, event.state) for event in stand.told()]
    assert told[::2] == [(taken["id"], "expired"), (lapsed["id"], "expired")]
    assert stand.advance(timedelta(0)) == 1
    assert stand.deal(deal["id"])["state"] == "cancelled"
    assert stand.rows("SELECT state, withdrawn_value FROM offer WHERE id = :id", id=taken["id"]) == [("expired", 100)]
    assert stand.broken() == {}


def test_pieces_may_be_offered_under_a_number(stand: Stand) -> None:
    offer = stand.list_offer(*stand.make_coils("A1"), number="卷 A1").ok()
    assert (offer["number"], offer["product_id"]) == ("卷 A1", None)


def test_how_much_is_left_to_sell_is_revised_and_what_was_taken_stays(stand: Stand) -> None:
    stand.hear(describe_product("product_1"))
    offer = list_product(stand).ok()
    stand.take(offer, quantity=tonnes("40")).ok()
    more = revise(stand, offer, quantity=tonnes("80"), minimum=tonnes("10")).ok()
    assert (more["listed"], more["remaining"], more["minimum"]) == (tonnes("120"), tonnes("80"), tonnes("10"))
    less = revise(stand, offer, quantity={"value": "10000", "unit": "KGM"}).ok()
    assert (less["listed"], less["remaining"], less["state"]) == (tonnes("50"), tonnes("10"), "partly_taken")
    before = stand.snapshot()
    for body, problem in (
        ({"quantity": tonnes("3")}, "not_traded_so"),
        ({"quantity": tonnes("8")}, "wrong_lot"),
        ({"step": {"value": "1", "unit": "H87"}}, "not_traded_so"),
    ):
        assert revise(stand, offer, **body).problem() == problem
    assert revise(stand, offer, party="trader", quantity=tonnes("9")).problem() == "not_your_offer"
    assert stand.snapshot() == before
    stand.advance(timedelta(hours=1))
    assert stand.get(f"/v1/offers/{offer['id']}").ok()["remaining"] == tonnes("50")
    assert stand.get(f"/v1/offers/{offer['id']}").ok()["state"] == "listed"
    assert stand.broken() == {}


def test_pieces_are_not_resized(stand: Stand) -> None:
    offer = stand.list_offer(*stand.make_coils("A1")).ok()
    before = stand.snapshot()
    assert revise(stand, offer, quantity=tonnes("3")).problem() == "wrong_offer"
    assert stand.snapshot() == before
