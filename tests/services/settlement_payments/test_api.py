"""Card payments over HTTP: who may ask for what, and what is refused."""

from __future__ import annotations

import pytest


def post(stand, body, **who):
    answer = stand.send("POST", "/v1/card-payments", body, **who)
    return answer.status_code, answer.json["type"].removeprefix("urn:haihe:problem:"), answer.json.get("field")


@pytest.mark.parametrize(
    ("amount", "problem", "field"),
    [
        ({"amount": 0, "currency": "EUR"}, "card_amount_refused", "$.amount.amount"),
        ({"amount": -1, "currency": "EUR"}, "card_amount_refused", "$.amount.amount"),
        ({"amount": 100_000_000, "currency": "EUR"}, "card_amount_refused", "$.amount.amount"),
        ({"amount": 1_000, "currency": "BHD"}, "card_currency_refused", "$.amount.currency"),
        ({"amount": "1", "currency": "EUR"}, "invalid_field", "$.amount.amount"),
    ],
)
def test_amounts_that_no_card_can_pay_are_refused(stand, amount, problem, field):
    assert post(stand, {"amount": amount}) == (422, problem, field)
    assert stand.rows("SELECT id FROM card_payment") == []
    assert stand.rows("SELECT id FROM errand") == []


def test_the_method_must_look_like_one_of_stripes(stand):
    body = {"amount": {"amount": 1, "currency": "EUR"}, "payment_method": "4242424242424242"}
    assert post(stand, body) == (422, "invalid_field", "$.payment_method")


def test_only_finance_pays(stand):
    status, problem, _ = post(stand, {"amount": {"amount": 1, "currency": "EUR"}}, role="seller")
    assert (status, problem) == (403, "missing_role")


def test_under_a_live_key_a_method_must_be_named(make_stand):
    stand = make_stand(stripe_key="sk_live_of_somebody")
    body = {"amount": {"amount": 1_000, "currency": "EUR"}}
    assert post(stand, body) == (422, "payment_method_missing", "$.payment_method")


def test_without_a_key_cards_are_off(make_stand):
    stand = make_stand(stripe_key="")
    assert post(stand, {"amount": {"amount": 1_000, "currency": "EUR"}})[:2] == (503, "cards_off")


def test_nobody_sees_anothers_payments_but_the_operator(stand):
    mine, theirs = stand.pay(), stand.send("POST", "/v1/card-payments", AMOUNT, party="party_b").json["id"]
    assert stand.send("GET", f"/v1/card-payments/{mine}", party="party_b").status_code == 404
    listed = stand.send("GET", "/v1/card-payments", party="party_b").json
    assert [row["id"] for row in listed["items"]] == [theirs]
    listed = stand.send("GET", "/v1/card-payments", party="platform", role="operator").json
    assert [row["id"] for row in listed["items"]] == [theirs, mine]
    assert stand.send("GET", "/v1/card-payments?state=failed").json == {"items": [], "next": None}


def test_lists_are_pages(stand):
    made = [stand.pay() for _ in range(3)][::-1]
    first = stand.send("GET", "/v1/card-payments?limit=2").json
    rest = stand.send("GET", f"/v1/card-payments?limit=2&cursor={first['next']}").json
    assert [row["id"] for row in first["items"] + rest["items"]] == made
    assert rest["next"] is None


AMOUNT = {"amount": {"amount": 10_000, "currency": "EUR"}}
