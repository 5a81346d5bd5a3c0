"""Money that comes in or goes out in other ways than it should: unmatched, from a stranger, twice, by card, and sent back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from infra.stripe_sandbox.balances import card_fee
from infra.stripe_sandbox.server import Sandbox
from tests.journeys.town import Town

AMOUNT = 1_000_000


def credit_of(town: Town, reference: str, **changed: Any) -> dict[str, Any]:
    """A bank credit of the buyer's, as it should be but for ``changed``."""
    quoted = town.buyer.desk.get("/v1/accounts")["reference"]
    credit = {
        "bank_reference": reference,
        "value_date": town.now().date().isoformat(),
        "payer_account": town.buyer.account_number,
        "payer_name": town.buyer.name,
        "amount": {"amount": AMOUNT, "currency": "CNY"},
        "remittance": f"top-up {quoted}",
    }
    return credit | changed


DOUBTS = {
    "unknown_reference": {"remittance": "货款 payment"},
    "unregistered_payer": {"payer_account": "6222999999999999"},
}


@pytest.mark.parametrize("doubt", ["unknown_reference", "unregistered_payer"])
def test_a_doubtful_credit_waits_until_it_is_assigned(town: Town, doubt: str) -> None:
    with town.moves(buyer_available=AMOUNT, platform_clearing_bank=-AMOUNT):
        with town.moves(platform_suspense=AMOUNT, platform_clearing_bank=-AMOUNT):
            credit = town.operator.post("/v1/bank-credits", credit_of(town, f"ASSIGN-{doubt}", **DOUBTS[doubt]))
        assert (credit["state"], credit["doubt"], credit["party_id"]) == ("suspense", doubt, None)
        with town.refuses(404, "not_found"):
            town.buyer.desk.get(f"/v1/bank-credits/{credit['id']}")
        path = f"/v1/bank-credits/{credit['id']}"
        assigned = town.operator.post(f"{path}/assign", {"party_id": town.buyer.party_id})
        assert (assigned["state"], assigned["party_id"]) == ("credited", town.buyer.party_id)
        for act in ("assign", "return"):
            with town.refuses(409, "illegal_move"):
                town.operator.post(f"{path}/{act}", {"party_id": town.mill.party_id} if act == "assign" else None)


def test_a_doubtful_credit_goes_back(town: Town) -> None:
    with town.moves():
        credit = town.operator.post("/v1/bank-credits", credit_of(town, "RETURN-1", **DOUBTS["unknown_reference"]))
        returned = town.operator.post(f"/v1/bank-credits/{credit['id']}/return")
        assert returned["state"] == "returned"
        with town.refuses(409, "illegal_move"):
            town.operator.post(f"/v1/bank-credits/{credit['id']}/assign", {"party_id": town.buyer.party_id})


def test_the_banks_reference_counts_once(town: Town) -> None:
    with town.moves(buyer_available=AMOUNT, platform_clearing_bank=-AMOUNT):
        first = town.operator.post("/v1/bank-credits", credit_of(town, "TWICE-1"))
        assert town.operator.post("/v1/bank-credits", credit_of(town, "TWICE-1")) == first
        for other in ({"amount": {"amount": 2, "currency": "CNY"}}, {"payer_name": "Somebody Else"}):
            with town.refuses(409, "bank_reference_reused"):
                town.operator.post("/v1/bank-credits", credit_of(town, "TWICE-1", **other))


@pytest.mark.parametrize("amount", [0, -1, 10**16])
def test_an_amount_that_cannot_be_is_refused(town: Town, amount: int) -> None:
    said = {"amount": amount, "currency": "CNY"}
    with town.refuses(422, "amount_refused"):
        town.operator.post("/v1/bank-credits", credit_of(town, f"ODD-{amount}", amount=said))
    with town.refuses(422, "amount_refused"):
        town.buyer.desk.post("/v1/payouts", {"amount": said, "bank_account_id": town.buyer.account_id})


def test_a_payout_comes_back(town: Town) -> None:
    with town.moves():
        body = {"amount": {"amount": AMOUNT, "currency": "CNY"}, "bank_account_id": town.buyer.account_id}
        with town.moves(buyer_available=-AMOUNT, platform_payout_transit=AMOUNT):
            payout = town.buyer.desk.post("/v1/payouts", body)
            path = f"/v1/payouts/{payout['id']}"
            with town.refuses(409, "illegal_move"):
                town.operator.post(f"{path}/confirm")
            assert town.operator.post(f"{path}/send", {"bank_reference": "OUT-1"})["state"] == "sent"
        returned = town.operator.post(f"{path}/return", {"reason": "account closed"})
        assert returned["state"] == "returned"
        for act, said in (("confirm", None), ("return", {"reason": "again"}), ("send", {"bank_reference": "OUT-2"})):
            with town.refuses(409, "illegal_move"):
                town.operator.post(f"{path}/{act}", said)


def test_a_payout_of_more_than_there_is_or_elsewhere_is_refused(town: Town) -> None:
    have = town.balance("buyer")
    more = {"amount": {"amount": have + 1, "currency": "CNY"}, "bank_account_id": town.buyer.account_id}
    with town.refuses(409, "insufficient_funds") as problem:
        town.buyer.desk.post("/v1/payouts", more)
    assert problem["missing"]["amount"] == 1
    answer = town.world.client(town.buyer.desk._token).post(
        "/v1/payouts", more | {"bank_account_id": town.mill.account_id}
    )
    assert answer.problem() == "not_yet_known" and town.balance("buyer") == have


@pytest.fixture
def sandbox(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The stand-in for Stripe, and a platform that knows where it is."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.01)
    known = town.world.settings("settlement")
    running = Sandbox(
        tmp_path / "stripe.log", api_key=known.stripe_key, webhook_secret=known.stripe_webhook_secret
    ).start()
    monkeypatch.setattr(town.world, "stripe_url", running.url)
    town.world.start(town.world.broker)
    yield running
    running.stop()


def deliver_events(town: Town, sandbox: Sandbox) -> None:
    """Stripe sends its webhooks, and they are worked off."""

    def post(body: bytes, headers: dict[str, str]) -> int:
        return town.world.client().send("POST", "/v1/card-events", body=body, headers=headers).status

    sandbox.deliver_all(post)
    town.settle()


def pay_by_card(town: Town, **more: str) -> str:
    body = {"amount": {"amount": AMOUNT, "currency": "CNY"}, **more}
    payment = town.buyer.desk.post("/v1/card-payments", body)
    town.settle()
    return f"/v1/card-payments/{payment['id']}"


def test_a_card_pays_once_however_often_it_is_told(town: Town, sandbox: Sandbox) -> None:
    fee = card_fee(AMOUNT)
    with town.moves(buyer_available=AMOUNT, platform_clearing_card=fee - AMOUNT, platform_card_fees=-fee):
        path = pay_by_card(town)
        for _ in range(2):
            deliver_events(town, sandbox)
        assert town.buyer.desk.get(path)["state"] == "succeeded"


def test_a_declined_card_pays_nothing(town: Town, sandbox: Sandbox) -> None:
    with town.moves():
        path = pay_by_card(town, payment_method="pm_card_chargeDeclined")
        deliver_events(town, sandbox)
        failed = town.buyer.desk.get(path)
        assert (failed["state"], failed["failure_code"]) == ("failed", "card_declined")


def test_a_forged_card_event_is_refused(town: Town, sandbox: Sandbox) -> None:
    before = town.world.contents()
    for headers in ({}, {"Stripe-Signature": "t=1,v1=00"}):
        answer = town.world.client().send("POST", "/v1/card-events", body=b'{"id": "evt_1"}', headers=headers)
        assert answer.status in (400, 401, 403, 422)
    assert town.world.contents() == before
