"""Agreements: who reads and signs them, and that their text never changes."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from events.settlement import DepositsHeld
from tests.services.orders.conftest import Stand, make_terms


def test_only_the_two_sides_and_the_operator_read_an_agreement(stand: Stand) -> None:
    deal = stand.make_effective()
    path = f"/v1/agreements/{deal['id']}"
    for party in ("buyer", "mill"):
        assert stand.get(path, party=party).status == 200
    assert stand.get(path, party="platform", role="operator").status == 200
    for party in ("trader", "warehouse"):
        assert stand.get(path, party=party).status == 404


def test_there_is_no_agreement_before_the_deal_is_effective(stand: Stand) -> None:
    deal = stand.strike()
    assert stand.get(f"/v1/agreements/{deal['id']}").status == 404


def test_what_is_signed_is_what_was_read(stand: Stand) -> None:
    deal = stand.make_effective()
    path = f"/v1/agreements/{deal['id']}/sign"
    before = stand.snapshot()
    wrong = stand.send("POST", path, {"sha256": "0" * 64}, party="buyer", role="signatory")
    assert wrong.problem() == "wrong_hash"
    assert stand.send("POST", path, {"sha256": "xyz"}, party="buyer", role="signatory").status == 422
    right = {"sha256": stand.get(f"/v1/agreements/{deal['id']}").ok()["sha256"]}
    assert stand.send("POST", path, right, party="trader", role="signatory").status == 404
    assert stand.send("POST", path, right, party="buyer", role="purchaser").problem() == "missing_role"
    assert stand.snapshot() == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE agreement SET body = body || ' '",
        "UPDATE agreement SET sha256 = repeat('0', 64)",
        "UPDATE agreement SET seller_signed_by = 'somebody else'",
        "UPDATE agreement SET seller_signed_at = now()",
        "UPDATE agreement SET seller_signed_by = NULL",
        "DELETE FROM agreement",
    ],
)
def test_the_database_refuses_to_change_a_text_or_a_signature(stand: Stand, change: str) -> None:
    deal = stand.make_effective()
    stand.sign(deal["id"], "mill").ok()
    for database in (stand.database, stand.owner):
        with pytest.raises(DBAPIError, match="never change"):
            database.run(lambda session: session.execute(text(change)))


def test_new_terms_of_the_offer_leave_the_agreement_alone(stand: Stand) -> None:
    ids = stand.make_coils("A1", "A2")
    offer = stand.list_offer(*ids).ok()
    deal = stand.take(offer, "piece_A1").ok()
    cheaper = {"terms": make_terms(price={"value": "1", "currency": "CNY", "unit": "TNE"})}
    stand.send("POST", f"/v1/offers/{offer['id']}/revise", cheaper, party="mill", role="seller").ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    body = json.loads(stand.get(f"/v1/agreements/{deal['id']}").ok()["body"])
    assert (body["terms"]["price"]["value"], body["terms_version"]) == ("3850.00", 1)
