"""Payouts: to a registered account of the company's own, once, and back when the bank returns them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.services.settlement.stand import Answer, Stand


@pytest.fixture
def rich(stand: Stand) -> Stand:
    """The mill has 1,000 and one account, the buyer another."""
    stand.top_up(mill=1000)
    stand.describe_party("mill", "62220002", version=2)
    stand.describe_party("buyer", "62220001")
    return stand


def ask(stand: Stand, amount: int = 600, account: str = "mill_62220002", **options: Any) -> Answer:
    """Ask for a payout to the mill."""
    currency = options.pop("currency", "CNY")
    body = {"amount": {"amount": amount, "currency": currency}, "bank_account_id": account}
    return stand.send("POST", "/v1/payouts", body, **{"party": "mill", **options})


def decide(stand: Stand, id: str, verb: str, body: Any = None, role: str = "bank_feed") -> Answer:
    """What the bank says of a payout."""
    return stand.send("POST", f"/v1/payouts/{id}/{verb}", body, role=role)


def test_a_payout_goes_from_balance_to_bank(rich: Stand) -> None:
    payout = ask(rich).ok()
    assert (payout["state"], payout["number"], payout["bank"]) == ("requested", "62220002", "ICBC")
    assert rich.balances() == {
        "mill:available": 400, "platform:payout_transit": 600, "platform:clearing_bank": -1000,
    }  # fmt: skip
    assert decide(rich, payout["id"], "confirm").problem() == "illegal_move"
    assert decide(rich, payout["id"], "send", {"bank_reference": "o-1"}).ok()["state"] == "sent"
    assert rich.broken() == {}
    assert decide(rich, payout["id"], "confirm").ok()["state"] == "paid"
    assert rich.balances() == {"mill:available": 400, "platform:clearing_bank": -400}
    assert decide(rich, payout["id"], "return", {"reason": "late"}).problem() == "illegal_move"
    assert rich.broken() == {}


@pytest.mark.parametrize("sent", [False, True])
def test_a_returned_payout_is_the_companys_again(rich: Stand, sent: bool) -> None:
    payout = ask(rich).ok()
    if sent:
        decide(rich, payout["id"], "send", {"bank_reference": "o-1"}).ok()
    view = decide(rich, payout["id"], "return", {"reason": "account closed"}, role="operator").ok()
    assert (view["state"], view["reason"]) == ("returned", "account closed")
    assert rich.balances() == {"mill:available": 1000, "platform:clearing_bank": -1000}
    assert decide(rich, payout["id"], "confirm").problem() == "illegal_move"
    assert rich.broken() == {}


def test_no_more_is_paid_out_than_there_is(rich: Stand) -> None:
    answer = ask(rich, 1001)
    assert (answer.problem(), answer.body["missing"]) == ("insufficient_funds", {"amount": 1, "currency": "CNY"})
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(rich, 300).status, range(10)))
    assert sorted(answers) == [201] * 3 + [409] * 7
    assert rich.balances()["mill:available"] == 100 and rich.broken() == {}


def test_only_to_an_account_of_the_company_in_its_currency(rich: Stand) -> None:
    for account in ("buyer_62220001", "mill_ACCMILL", "bank_nowhere"):
        answer = ask(rich, account=account)
        assert (answer.status, answer.problem(), answer.body["field"]) == (503, "not_yet_known", "$.bank_account_id")
    assert ask(rich, currency="EUR").problem() == "currency_mismatch"
    assert ask(rich, 0).problem() == "amount_refused"
    assert rich.balances() == {"mill:available": 1000, "platform:clearing_bank": -1000}
    assert rich.rows("SELECT count(*) FROM payout") == [(0,)]


def test_who_may_ask_and_who_may_decide(rich: Stand) -> None:
    payout = ask(rich).ok()
    assert ask(rich, role="seller").problem() == "missing_role"
    assert ask(rich, role="operator").problem() == "missing_role"
    assert decide(rich, payout["id"], "confirm", role="finance").problem() == "missing_role"
    assert rich.get(f"/v1/payouts/{payout['id']}", party="buyer").problem() == "not_found"
    assert rich.get("/v1/payouts", party="buyer").ok()["items"] == []
    assert rich.get("/v1/payouts?state=requested", role="operator").ok()["items"] == [payout]


def test_a_reference_of_the_bank_belongs_to_one_payout(rich: Stand) -> None:
    first, second = ask(rich, 100).ok(), ask(rich, 100).ok()
    decide(rich, first["id"], "send", {"bank_reference": "o-1"}).ok()
    answer = decide(rich, second["id"], "send", {"bank_reference": "o-1"})
    assert (answer.status, answer.problem()) == (409, "payout_reference_reused")
    assert rich.get(f"/v1/payouts/{second['id']}", party="mill").ok()["state"] == "requested"


def test_a_key_asks_once(rich: Stand) -> None:
    first = ask(rich, key="same-key-1").ok()
    assert ask(rich, key="same-key-1").ok() == first
    assert ask(rich, 5, key="same-key-1").status == 422
    assert rich.balances()["mill:available"] == 400


def test_a_waiting_payout_is_reminded_of(rich: Stand) -> None:
    payout = ask(rich).ok()
    assert rich.advance(timedelta(days=1)) == 1
    decide(rich, payout["id"], "send", {"bank_reference": "o-1"}).ok()
    assert [rich.advance(timedelta(days=1)) for _ in range(3)] == [0, 0, 1]
    assert rich.get(f"/v1/payouts/{payout['id']}", party="mill").ok()["reminders"] == 2
    decide(rich, payout["id"], "confirm").ok()
    assert rich.advance(timedelta(days=30)) == 0 and rich.broken() == {}
