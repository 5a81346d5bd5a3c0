"""Listing, revising, withdrawing and expiring offers, and who sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.values import Exact, Quantity
from events.orders import OfferDescribed
from tests.services.orders.conftest import Stand, describe_party, describe_piece, make_terms, tonnes


def test_a_piece_is_in_one_live_offer(stand: Stand) -> None:
    stand.make_coils("A1", "A2", "A3")
    stand.list_offer("piece_A1", "piece_A2").ok()
    before = stand.snapshot()
    refused = stand.list_offer("piece_A3", "piece_A2")
    assert refused.problem() == "piece_not_free"
    assert refused.body["numbers"] == ["A2"]
    assert stand.snapshot() == before


@pytest.mark.parametrize(
    ("pieces", "changed", "problem"),
    [
        (["piece_unheard_of"], {}, "not_yet_known"),
        (["piece_A1", "piece_foreign"], {}, "piece_not_yours"),
        (["piece_A1", "piece_elsewhere"], {}, "pieces_apart"),
        (["piece_A1", "piece_A1"], {}, "piece_twice"),
        (["piece_A1", "piece_fine"], {}, "too_fine"),
        (["piece_A1"], {"market": "autos"}, "not_yet_known"),
        (["piece_A1"], {"quantity": tonnes("5")}, "wrong_offer"),
        (["piece_A1"], {"warehouse_id": "warehouse"}, "wrong_offer"),
        (["piece_A1"], {"terms": make_terms(tax_rate="0.5")}, "terms_not_allowed"),
        (["piece_A1"], {"terms": make_terms(price={"value": "-1", "currency": "CNY", "unit": "TNE"})}, "invalid_field"),
        ([], {}, "wrong_offer"),
        (
            [],
            {"quantity": tonnes("5"), "minimum": tonnes("1"), "warehouse_id": "warehouse", "title": "t"},
            "wrong_offer",
        ),
        ([], {"piece_ids": []}, "invalid_field"),
        ([], {"colour": "red", "piece_ids": ["piece_A1"]}, "invalid_field"),
    ],
)
def test_what_cannot_be_listed_is_refused_by_name_and_leaves_nothing(
    stand: Stand, pieces: list[str], changed: dict, problem: str
) -> None:
    stand.make_coils("A1")
    stand.hear(
        describe_piece("piece_foreign", number="F", owner_id="trader"),
        describe_piece("piece_elsewhere", number="E", warehouse_id="other"),
        describe_piece("piece_fine", number="G", net_kg="8250.1234"),
    )
    before = stand.snapshot()
    said = {"market": "steel", "terms": make_terms(), **changed, **({"piece_ids": pieces} if pieces else {})}
    assert stand.send("POST", "/v1/offers", said, party="mill", role="seller").problem() == problem
    assert stand.snapshot() == before


@pytest.mark.parametrize(
    ("quantity", "minimum", "step", "problem"),
    [
        ("100", "0", "1", "wrong_lot"),
        ("100", "101", "1", "wrong_lot"),
        ("100", "1", "0", "wrong_lot"),
        ("0", "1", "1", "wrong_lot"),
        ("-1", "1", "1", "invalid_field"),
    ],
)
def test_an_offer_by_weight_has_a_sensible_lot(
    stand: Stand, quantity: str, minimum: str, step: str, problem: str
) -> None:
    assert stand.list_weight(quantity, minimum, step).problem() == problem


def test_a_suspended_company_lists_nothing(stand: Stand) -> None:
    ids = stand.make_coils("A1")
    stand.hear(describe_party("mill", 2, state="suspended"))
    assert stand.list_offer(*ids).problem() == "party_suspended"


def test_new_terms_make_a_version_that_takers_must_have_seen(stand: Stand) -> None:
    ids = stand.make_coils("A1")
    offer = stand.list_offer(*ids).ok()
    cheaper = make_terms(price={"value": "3800", "currency": "CNY", "unit": "TNE"})
    revised = stand.send(
        "POST", f"/v1/offers/{offer['id']}/revise", {"terms": cheaper}, party="mill", role="seller"
    ).ok()
    assert (revised["version"], revised["terms"]["price"]["value"]) == (2, "3800")
    stale = stand.take(offer, *ids)
    assert (stale.problem(), stale.body["version"]) == ("stale_offer", 2)
    assert stand.take(revised, *ids).ok()["gross"]["amount"] == 3135000


def test_a_revision_keeps_unit_and_currency_and_is_the_sellers(stand: Stand) -> None:
    offer = stand.list_offer(*stand.make_coils("A1")).ok()
    path = f"/v1/offers/{offer['id']}/revise"
    by_kg = {"terms": make_terms(price={"value": "3.8", "currency": "CNY", "unit": "KGM"})}
    assert stand.send("POST", path, by_kg, party="mill", role="seller").problem() == "unit_changed"
    assert (
        stand.send("POST", path, {"terms": make_terms()}, party="trader", role="seller").problem() == "not_your_offer"
    )
    assert stand.send("POST", path, {"terms": make_terms()}, party="mill", role="purchaser").problem() == "missing_role"


def test_a_withdrawn_offer_frees_what_nobody_took(stand: Stand) -> None:
    ids = stand.make_coils("A1", "A2")
    offer = stand.list_offer(*ids).ok()
    stand.take(offer, ids[0]).ok()
    stand.told()
    withdraw = ("POST", f"/v1/offers/{offer['id']}/withdraw")
    assert stand.send(*withdraw, party="mill", role="seller").ok()["state"] == "withdrawn"
    [told] = stand.told()
    assert (told.state, told.piece_ids, told.taken_piece_ids) == ("withdrawn", [], [ids[0]])
    assert stand.send(*withdraw, party="mill", role="seller").problem() == "illegal_move"
    assert stand.take(offer, ids[1]).problem() == "offer_withdrawn"
    assert stand.list_offer(ids[1]).ok()["state"] == "listed"
    assert stand.broken() == {}


def test_an_offer_lapses_when_its_time_is_over_even_before_the_timer_looks(stand: Stand) -> None:
    ids = stand.make_coils("A1")
    offer = stand.list_offer(*ids).ok()
    stand.frozen.advance(timedelta(days=2))
    assert stand.take(offer, *ids).problem() == "offer_expired"
    assert (
        stand.send("POST", f"/v1/offers/{offer['id']}/withdraw", party="mill", role="seller").problem()
        == "offer_expired"
    )
    stand.told()
    assert stand.advance(timedelta(0)) == 1
    [told] = stand.told()
    assert isinstance(told, OfferDescribed) and told.state == "expired"
    assert stand.take(offer, *ids).problem() == "offer_expired"
    later = {"valid_until": (stand.frozen.at + timedelta(days=1)).isoformat()}
    assert stand.list_offer(*ids, terms=later).ok()["state"] == "listed"
    assert stand.broken() == {}


def test_open_offers_are_everybodys_to_see_and_closed_ones_only_their_sellers(stand: Stand) -> None:
    offer = stand.list_offer(*stand.make_coils("A1")).ok()
    closed = stand.list_weight("10").ok()
    stand.send("POST", f"/v1/offers/{closed['id']}/withdraw", party="mill", role="seller").ok()
    assert [each["id"] for each in stand.get("/v1/offers").ok()["items"]] == [offer["id"]]
    assert len(stand.get("/v1/offers", party="mill").ok()["items"]) == 2
    assert len(stand.get("/v1/offers", party="platform", role="operator").ok()["items"]) == 2
    assert stand.get(f"/v1/offers/{closed['id']}").status == 404
    assert stand.get("/v1/offers?state=withdrawn").ok()["items"] == []
    assert stand.get("/v1/offers?market=autos").ok()["items"] == []
    assert stand.get("/v1/offers?colour=red").problem() == "unknown_parameter"


def test_pages_go_on_where_they_ended(stand: Stand) -> None:
    offers = [stand.list_weight("10").ok()["id"] for _ in range(5)]
    first = stand.get("/v1/offers?limit=3").ok()
    second = stand.get(f"/v1/offers?limit=3&cursor={first['next']}").ok()
    assert [each["id"] for each in first["items"] + second["items"]] == offers[::-1]
    assert second["next"] is None


def test_a_projection_keeps_the_higher_version(stand: Stand) -> None:
    stand.hear(
        describe_piece("piece_A1", 3, number="A1", net_kg="9000"),
        describe_piece("piece_A1", 2, number="A1", net_kg="1"),
    )
    assert stand.list_offer("piece_A1").ok()["remaining"]["value"] == "9"


@pytest.mark.parametrize("reason", ["certificate_missing", "certificate_names_other_heat"])
def test_a_blocked_piece_is_not_listed_and_is_named_with_the_reason(stand: Stand, reason: str) -> None:
    stand.make_coils("A1")
    stand.hear(describe_piece("piece_A2", number="A2", blocked=reason))
    before = stand.snapshot()
    refused = stand.list_offer("piece_A1", "piece_A2")
    assert (refused.status, refused.problem()) == (409, "piece_blocked")
    assert refused.body["pieces"] == [{"piece_id": "piece_A2", "number": "A2", "reason": reason}]
    assert stand.snapshot() == before
    stand.hear(describe_piece("piece_A2", 2, number="A2"))
    stand.list_offer("piece_A1", "piece_A2").ok()


def test_by_theoretical_weight_that_is_what_is_frozen_and_priced(stand: Stand) -> None:
    theoretical = Quantity(Exact("8000"), "KGM")
    stand.hear(describe_piece("piece_A1", number="A1", theoretical=theoretical))
    stand.make_coils("A2")
    terms = {"weighing_rule": "THEORETICAL"}
    before = stand.snapshot()
    refused = stand.list_offer("piece_A1", "piece_A2", terms=terms)
    assert (refused.problem(), refused.body["number"]) == ("no_theoretical_weight", "A2")
    assert stand.snapshot() == before
    offer = stand.list_offer("piece_A1", terms=terms).ok()
    assert offer["remaining"] == tonnes("8")
    by_label = {"terms": make_terms(weighing_rule="LABEL")}
    path = f"/v1/offers/{offer['id']}/revise"
    assert stand.send("POST", path, by_label, party="mill", role="seller").problem() == "weight_changed"
    deal = stand.take(offer, "piece_A1").ok()
    assert (deal["quantity"], deal["gross"]["amount"]) == (tonnes("8"), 3080000)
    by_scale = stand.list_offer("piece_A2").ok()
    path = f"/v1/offers/{by_scale['id']}/revise"
    revised = {"terms": make_terms(weighing_rule="THEORETICAL")}
    assert stand.send("POST", path, revised, party="mill", role="seller").problem() == "weight_changed"
    assert stand.broken() == {}


def test_who_weighs_is_a_third_party(stand: Stand) -> None:
    ids = stand.make_coils("A1")
    third = {"weighing_rule": "THIRD_PARTY", "weigher_id": "trader"}
    before = stand.snapshot()
    assert stand.list_offer(*ids, terms={"weighing_rule": "THIRD_PARTY"}).problem() == "terms_not_allowed"
    assert stand.list_offer(*ids, terms={**third, "weigher_id": "mill"}).problem() == "not_third_party"
    assert stand.list_offer(*ids, terms={**third, "weigher_id": "nobody"}).problem() == "not_yet_known"
    stand.hear(describe_party("trader", 2, state="suspended"))
    assert stand.list_offer(*ids, terms=third).problem() == "party_suspended"
    stand.hear(describe_party("trader", 3, group="MILLS"), describe_party("mill", 2, group="mills"))
    assert stand.list_offer(*ids, terms=third).body["reason"] == "group"
    assert stand.snapshot() == before
    stand.hear(describe_party("trader", 4))
    offer = stand.list_offer(*ids, terms=third).ok()
    before = stand.snapshot()
    assert stand.take(offer, *ids, party="trader").problem() == "not_third_party"
    stand.hear(describe_party("buyer", 2, group="HAI"), describe_party("trader", 5, group="HAI"))
    refused = stand.take(offer, *ids)
    assert (refused.problem(), refused.body["reason"]) == ("not_third_party", "group")
    assert stand.snapshot() == before
    stand.hear(describe_party("trader", 6))
    assert stand.take(offer, *ids).ok()["terms"]["weigher_id"] == "trader"


def test_a_term_that_contradicts_another_is_refused_and_nothing_changes(stand: Stand) -> None:
    ids = stand.make_coils("A1")
    before = stand.snapshot()
    for terms, field in (
        ({"dispute_limit": "0.001"}, "$.terms.dispute_limit"),
        ({"deposit_use": "eaten"}, "$.terms.deposit_use"),
        ({"periods": {"supplement": "P31D"}}, "$.terms.periods.supplement"),
    ):
        refused = stand.list_offer(*ids, terms=terms)
        assert (refused.status, refused.body["field"]) == (422, field)
    assert stand.snapshot() == before
