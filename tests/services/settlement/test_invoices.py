"""Invoices: the seller's, recorded to the cent; the platform's own for each fee; and escrow that waits for the first."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pypdf import PdfReader

from events.settlement import DeliverySettled
from tests.letters import find_blank, list_absent_fonts
from tests.services.settlement.stand import Answer, Stand, cny, coils


def money(amount: int, currency: str = "CNY") -> dict[str, Any]:
    """Fen as bodies say them."""
    return {"amount": amount, "currency": currency}


def invoices(stand: Stand, party: str = "mill", query: str = "") -> list[dict[str, Any]]:
    """What a party sees."""
    return stand.get(f"/v1/invoices{query}", party=party).ok()["items"]


def slip(**changed: Any) -> dict[str, Any]:
    """The seller's invoice of 95.00 as the statement has it."""
    amounts = {"net": money(8_407), "tax": money(1_093), "gross": money(9_500)}
    return {"number": "25312000000123456789", "issued_on": "2026-03-02", **amounts, **changed}


def record(stand: Stand, id: str, body: dict[str, Any], **caller: Any) -> Answer:
    """Record an invoice, as the mill unless told otherwise."""
    return stand.send("POST", f"/v1/invoices/{id}/record", body, **({"party": "mill"} | caller))


def delivered(stand: Stand) -> str:
    """A delivery was settled; the id of the invoice that the mill is to write."""
    stand.fund()
    stand.accept(9_500, value=10_000)
    stand.told()
    (goods,) = invoices(stand, query="?kind=goods")
    return goods["id"]


def test_what_the_seller_is_to_invoice_is_what_the_statement_says(stand: Stand) -> None:
    id = delivered(stand)
    view = stand.get(f"/v1/invoices/{id}").ok()
    assert (view["state"], view["delivery_id"], view["stage"]) == ("expected", "delivery_1", "whole")
    assert (view["net"], view["tax"], view["gross"]) == (money(8_407), money(1_093), money(9_500))
    assert (view["issuer_id"], view["payer_id"], view["tax_rate"]) == ("mill", "buyer", "0.13")
    recorded = record(stand, id, slip()).ok()
    assert (recorded["state"], recorded["number"]) == ("recorded", "25312000000123456789")
    assert record(stand, id, slip()).ok() == recorded
    assert record(stand, id, slip(number="2")).problem() == "illegal_move"
    assert stand.told() == [] and stand.broken() == {}


@pytest.mark.parametrize("name", ["net", "tax", "gross"])
def test_an_amount_that_differs_is_refused_with_the_difference(stand: Stand, name: str) -> None:
    id = delivered(stand)
    right = slip()
    answer = record(stand, id, slip(**{name: money(right[name]["amount"] + 1)}))
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, "invoice_differs", f"$.{name}")
    assert (answer.body["difference"], answer.body["expected"]) == (money(1), right[name])
    assert stand.get(f"/v1/invoices/{id}").ok()["state"] == "expected"


def test_an_invoice_in_another_currency_or_from_the_future_is_refused(stand: Stand) -> None:
    id = delivered(stand)
    assert record(stand, id, slip(gross=money(9_500, "EUR"))).problem() == "currency_mismatch"
    assert record(stand, id, slip(issued_on="2026-03-04")).problem() == "invoice_from_the_future"
    assert record(stand, id, slip(issued_on="yesterday")).status == 422


def test_a_number_is_recorded_once(stand: Stand) -> None:
    stand.fund()
    stand.accept(4_500, value=5_000, is_last=False)
    stand.accept(4_500, value=5_000, delivery="delivery_2")
    amounts = {"net": money(3_982), "tax": money(518), "gross": money(4_500)}
    first, second = (each["id"] for each in invoices(stand, query="?kind=goods"))
    record(stand, first, slip(**amounts)).ok()
    assert record(stand, second, slip(**amounts)).problem() == "invoice_number_used"
    assert record(stand, second, slip(**amounts, number="2")).ok()["state"] == "recorded"


def test_the_sellers_finance_alone_records(stand: Stand) -> None:
    id = delivered(stand)
    assert record(stand, id, slip(), party="buyer").problem() == "not_the_issuer"
    assert record(stand, id, slip(), party="stranger").problem() == "not_found"
    assert record(stand, id, slip(), role="seller").problem() == "missing_role"
    assert record(stand, id, slip(), role="operator").problem() == "missing_role"


def test_only_who_pays_a_fee_sees_its_invoice(stand: Stand) -> None:
    delivered(stand)
    (fee,) = invoices(stand, query="?kind=fee")
    assert invoices(stand, "buyer", "?kind=fee") == [] and invoices(stand, "stranger") == []
    assert (fee["state"], fee["number"], fee["payer_id"]) == ("issued", "CNY-00000001", "mill")
    assert (fee["net"], fee["tax"], fee["gross"]) == (money(9), money(1), money(10))
    assert stand.get(f"/v1/invoices/{fee['id']}", party="buyer").problem() == "not_found"
    assert stand.get(f"/v1/invoices/{fee['id']}/document", party="buyer").problem() == "not_found"
    assert record(stand, fee["id"], slip()).problem() == "not_the_issuer"


def test_fee_invoices_are_numbered_without_a_gap_and_go_to_who_bears_the_fee(stand: Stand) -> None:
    stand.await_payment(rates={"forfeit_fee_rate": "0.1"}, pieces=coils(a=5_000, b=5_000))
    stand.pay().ok()
    stand.accept(0, value=0, is_last=False)
    stand.accept(5_000, value=5_000, delivery="delivery_2", is_last=False)
    stand.end("part_1", 5_000, by="seller", forfeit=250, piece_ids=["b"])
    assert [(each["number"], each["gross"]["amount"]) for each in invoices(stand, query="?kind=fee")] == [
        ("CNY-00000001", 5)
    ]
    (theirs,) = invoices(stand, "buyer", "?kind=fee")
    assert (theirs["number"], theirs["gross"], theirs["net"]) == ("CNY-00000002", money(25), money(24))
    assert stand.broken() == {}


def awaiting_invoice(stand: Stand) -> str:
    """A delivery of a deal whose escrow waits for the seller's invoice; the id of that."""
    stand.await_payment(release="invoice")
    stand.pay().ok()
    stand.told()
    stand.accept(9_500, value=10_000)
    (goods,) = invoices(stand)
    return goods["id"]


def test_escrow_that_waits_for_the_invoice_is_paid_when_it_is_recorded(stand: Stand) -> None:
    id = awaiting_invoice(stand)
    stand.accept(9_500, value=10_000)
    stand.complete()
    assert stand.told() == [] and stand.balances()["buyer:escrow"] == 10_000 and stand.broken() == {}
    assert stand.get("/v1/statements").ok()["items"] == []
    assert record(stand, id, slip(tax=money(1_092))).problem() == "invoice_differs"
    assert stand.balances()["buyer:escrow"] == 10_000
    record(stand, id, slip()).ok()
    record(stand, id, slip()).ok()
    (settled,) = stand.told()
    assert isinstance(settled, DeliverySettled) and settled.paid == cny(9_500)
    assert stand.balances() == {
        "buyer:available": 90_500, "mill:available": 109_490, "platform:fee": 10, "platform:clearing_bank": -200_000,
    }  # fmt: skip
    stand.accept(9_500, value=10_000)
    assert stand.told() == [settled] and stand.broken() == {}


def test_a_delivery_that_came_to_nothing_waits_for_no_invoice(stand: Stand) -> None:
    stand.await_payment(release="invoice")
    stand.pay().ok()
    stand.accept(0, value=10_000)
    assert stand.balances()["buyer:available"] == 100_000 and invoices(stand) == [] and stand.broken() == {}


def test_a_part_that_ends_meanwhile_leaves_what_waits_for_its_invoice(stand: Stand) -> None:
    stand.await_payment(release="invoice", pieces=coils(a=4_000, b=6_000))
    stand.pay().ok()
    stand.accept(4_400, value=4_000, is_last=False)
    stand.end("part_1", 6_000, by="seller", forfeit=300, piece_ids=["b"])
    assert stand.balances()["buyer:escrow"] == 4_000 and stand.balances()["buyer:frozen"] == 400
    assert stand.broken() == {}
    (goods,) = invoices(stand, query="?state=expected")
    body = {name: goods[name] for name in ("net", "tax", "gross")} | {"number": "1", "issued_on": "2026-03-01"}
    record(stand, goods["id"], body).ok()
    assert stand.balances()["mill:available"] == 100_000 - 300 + 4_400 - 4
    assert stand.rows("SELECT state FROM deposits") == [("resolved",)] and stand.broken() == {}


def test_recordings_at_once_pay_once(stand: Stand) -> None:
    id = awaiting_invoice(stand)
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(record, stand, id, slip(number=str(n % 2))) for n in range(6)]
        statuses = [answer.result().status for answer in answers]
    assert set(statuses) == {200, 409} and len(stand.told()) == 1
    assert stand.balances()["mill:available"] == 109_490 and stand.broken() == {}


def read(answer: Answer) -> str:
    """The text of a document."""
    assert answer.status == 200 and answer.body.startswith(b"%PDF-")
    assert list_absent_fonts(answer.body) == find_blank(answer.body) == []
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.body)).pages)


def test_a_fee_invoice_is_a_document_and_the_sellers_is_none(stand: Stand) -> None:
    goods = delivered(stand)
    (fee,) = invoices(stand, query="?kind=fee")
    text = read(stand.get(f"/v1/invoices/{fee['id']}/document", party="mill"))
    for said in (
        "平台服务费发票 Platform fee invoice",
        "CNY-00000001",
        "2026-03-02",
        "mill",
        "6 %",
        "0.09 CNY",
        "0.10 CNY",
    ):
        assert said in text
    assert stand.get(f"/v1/invoices/{goods}/document", party="mill").problem() == "no_document"


def test_a_statement_is_a_document_with_the_same_amounts(stand: Stand) -> None:
    stand.await_payment(deposit_use="counts", pieces=coils(a=4_000, b=6_000), rates={"forfeit_fee_rate": "0.1"})
    stand.pay().ok()
    stand.accept(
        4_400, value=4_000, is_last=False, rule="WITHIN_TOL_SELLER_ELSE_BUYER", reason="R is outside tolerance"
    )
    stand.end("part_1", 6_000, by="seller", forfeit=300, piece_ids=["b"])
    (supplement,) = stand.get("/v1/supplements").ok()["items"]
    stand.send("POST", f"/v1/supplements/{supplement['id']}/pay").ok()
    statement = stand.statement()
    path = f"/v1/statements/{statement['id']}/document"
    document = stand.get(path)
    text = read(document)
    for said in ("结算单", "WITHIN_TOL_SELLER_ELSE_BUYER", "R is outside tolerance", "44.00 CNY", "8.25 TNE"):
        assert said in text
    for line in statement["lines"]:
        shares = {name: share["amount"] for name, share in line["shares"].items()}
        for amount in filter(None, shares.values()):
            assert f"{amount / 100:,.2f} CNY" in text
        assert line["journal_id"] in text
    assert stand.get(path, party="mill").body == document.body
    assert stand.get(path, party="stranger").problem() == "not_found"
    assert statement["totals"]["from_supplement"] == money(400) and statement["gross"] == money(4_400)
