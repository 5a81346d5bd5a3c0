"""Agreements: who reads and signs them, and that their text never changes."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from events.catalog import MarketDescribed
from events.settlement import DepositsHeld
from services.orders.contracts.documents import write_document
from services.orders.contracts.model import Agreement, State, hash_body
from tests.letters import find_blank, list_absent_fonts
from tests.services.orders.conftest import Stand, describe_piece, make_terms, tonnes
from tests.unit.orders.examples import make_market


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


def read_text(pdf: bytes) -> str:
    """What the pages of a PDF say."""
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_what_is_signed_holds_the_clauses_of_its_market_filled_in(stand: Stand) -> None:
    stand.hear(describe_piece("piece_A1", number="A1", attributes={"heat_no": "230506", "grade": "Q235B"}))
    deal = stand.take(stand.list_offer("piece_A1").ok(), "piece_A1").ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    body = json.loads(stand.get(f"/v1/agreements/{deal['id']}").ok()["body"])
    subject, terms = body["clauses"]
    assert subject["heading"] == {"zh": "标的", "en": "Subject"}
    assert subject["text"] == {
        "zh": "卖方Mill向买方Buyer出售热轧卷，共 1 件，数量 8.25 吨，单价 3850 CNY/吨（含税价）。",
        "en": "The seller Mill sells to the buyer Buyer: Hot rolled coil, 1 in all, 8.25 t at 3850 CNY/t (tax included).",
    }
    assert terms["text"] == {
        "zh": "2 天内付款；允差 3 ‰；争议限 无；仓库 Warehouse；{unheard_of}。",
        "en": "Payment within 2 days; 3 ‰; none; Warehouse; 1 ‰; 20 %.",
    }
    [piece] = body["pieces"]
    assert piece["gross"] == {"amount": 3176250, "currency": "CNY"}
    [goods] = body["goods"]
    assert goods["attributes"] == {"grade": "Q235B", "heat_no": "230506"}


def test_a_markets_new_clauses_leave_an_agreement_alone(stand: Stand) -> None:
    deal = stand.make_effective()
    before = stand.get(f"/v1/agreements/{deal['id']}").ok()
    stand.hear(MarketDescribed(market="steel", version=2, name={}, clauses=[], **make_market()))
    assert stand.get(f"/v1/agreements/{deal['id']}").ok() == before


def test_a_quantity_is_called_by_its_offers_title(stand: Stand) -> None:
    deal = stand.take(stand.list_weight("40").ok(), quantity=tonnes("40")).ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    body = json.loads(stand.get(f"/v1/agreements/{deal['id']}").ok()["body"])
    assert "coils, 40 t at 3850 CNY/t" in body["clauses"][0]["text"]["en"]
    assert stand.fetch(f"/v1/agreements/{deal['id']}/document").data.startswith(b"%PDF-")


def test_the_document_is_the_same_bytes_until_somebody_signs(stand: Stand) -> None:
    deal = stand.make_effective()
    path = f"/v1/agreements/{deal['id']}/document"
    first = stand.fetch(path)
    assert (first.status_code, first.content_type) == (200, "application/pdf")
    assert first.headers["Content-Disposition"].endswith(f"agreement-{deal['id']}.pdf")
    assert first.data.startswith(b"%PDF-")
    stand.frozen.advance(timedelta(hours=1))
    assert stand.fetch(path, party="mill").data == first.data
    stand.sign(deal["id"], "mill").ok()
    signed = stand.fetch(path).data
    assert signed != first.data
    assert list_absent_fonts(signed) == find_blank(signed) == []
    text = read_text(signed)
    assert stand.get(f"/v1/agreements/{deal['id']}").ok()["sha256"] in text
    for said in (
        "Mill",
        "A1",
        "8.25",
        "63,525.00 CNY",
        "user_mill_signatory",
        "2026-03-02 09:00:00 UTC",
        "卖方Mill向买方",
    ):
        assert said in text, said


def test_only_the_two_sides_and_the_operator_fetch_the_document(stand: Stand) -> None:
    deal = stand.make_effective()
    path = f"/v1/agreements/{deal['id']}/document"
    assert stand.fetch(path, party="platform", role="operator").status_code == 200
    for party in ("trader", "warehouse"):
        assert stand.fetch(path, party=party).status_code == 404


def test_an_agreement_of_a_former_version_is_a_document_too() -> None:
    said = {
        "offer_id": "offer_1", "struck_at": "2026-03-02T08:00:00Z", "quantity": {"value": "8.25", "unit": "TNE"},
        "pieces": [{"piece_id": "piece_1", "number": "A1", "net": {"value": "8.25", "unit": "TNE"}, "gross": None}],
        **{side: {"name": side, "country": "CN", "identifiers": []} for side in ("buyer", "seller")},
        **{
            name: {"amount": 1, "currency": "CNY"}
            for name in ("net", "tax", "gross", "buyer_deposit", "seller_deposit")
        },
    }  # fmt: skip
    body = json.dumps(said)
    agreement = Agreement(id="deal_1", state=State.SIGNED, body=body, sha256=hash_body(body))
    assert write_document(agreement).body == write_document(agreement).body
