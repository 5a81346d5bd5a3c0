"""What our client says to Stripe is what Stripe's own description allows: every request is sent to stripe-mock.

stripe-mock checks address and parameters against the OpenAPI description, keeps no state and always agrees: behaviour
is for the sandbox to test. What the sandbox answers is held against stripe-mock's objects: it invents no member.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import stripe

from chassis import clock
from chassis.settings import Settings
from infra.stripe_sandbox.server import Sandbox
from services.settlement.payments import errands, stripe_client, stripe_money
from services.settlement.payments.model import CHARGE_WINDOW

KEY = "sk_test_123"


@pytest.fixture(scope="module")
def settings() -> Settings:
    url = os.environ.get("HAIHE_TEST_STRIPE")
    if not url and os.environ.get("HAIHE_REQUIRE_ENGINES") == "1":
        pytest.fail("HAIHE_REQUIRE_ENGINES=1, but HAIHE_TEST_STRIPE (the URL of a stripe-mock) is not set")
    if not url:
        pytest.skip("no stripe-mock: set HAIHE_TEST_STRIPE to its URL")
    return Settings(service="settlement", stripe_url=url, stripe_key=KEY)


@pytest.fixture(scope="module")
def client(settings: Settings) -> stripe.StripeClient:
    return stripe_client.open_client(settings)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stripe.StripeClient]:
    path: Path = tmp_path_factory.mktemp("stripe") / "stripe.log"
    sandbox = Sandbox(path, api_key=KEY, webhook_secret="whsec_test").start()
    yield stripe_client.open_client(Settings(stripe_url=sandbox.url, stripe_key=KEY))
    sandbox.stop()


def wanted(**changed: Any) -> dict[str, Any]:
    payment_id = clock.new_id("card_payment")
    return {
        "payment_id": payment_id,
        "party_id": "party_1",
        "amount": 10_000,
        "currency": "EUR",
        "payment_method": "pm_card_visa",
        "key": f"charge:{payment_id}:1",
        "until": (clock.now() + CHARGE_WINDOW).isoformat(),
        **changed,
    }


@pytest.mark.parametrize("currency", ["EUR", "CNY", "JPY"])
def test_a_charge_is_accepted(settings, currency):
    outcome = errands.charge_card(settings, wanted(currency=currency), 1)
    assert outcome["intent"]["id"].startswith("pi_")


def test_a_look_without_an_intent_is_accepted(settings):
    payload = wanted(until=(clock.now() - timedelta(seconds=1)).isoformat())
    assert errands.charge_card(settings, payload, 1).keys() <= {"intent", "nothing"}


def test_a_look_at_an_intent_is_accepted_and_cancels_what_waits(settings):
    """stripe-mock's intents always wait for a payment method, so the cancellation is sent too."""
    outcome = errands.look_up_card_payment(settings, {"payment_id": "p", "intent_id": "pi_1"}, 1)
    assert outcome["intent"]["id"].startswith("pi_")


@pytest.mark.parametrize("after", [None, "evt_1"])
def test_the_sweep_is_accepted(settings, after):
    # The canned event is about another kind of object than the types that were asked for.
    with suppress(msgspec.ValidationError):
        errands.list_card_events(settings, {"since": 1_700_000_000, "after": after}, 1)


@pytest.mark.parametrize("after", [None, "txn_1"])
def test_the_reconciliations_list_is_accepted(client, after):
    page = stripe_money.list_movements(client, since=1_700_000_000, after=after)
    assert page.keys() == {"movements", "newest", "last"}


def test_a_look_at_the_money_of_an_intent_is_accepted(settings):
    """Its charges, refunds and disputes are asked for; stripe-mock's charge was never captured, its refund was made."""
    found = errands.list_card_movements(settings, {"intent_id": "pi_1"}, 1)["movements"]
    assert {movement["kind"] for movement in found} == {"refund"}


def test_a_refund_is_accepted(client):
    asked = {"payment_id": "p", "intent_id": "pi_1", "amount": 500, "key": "p:1", "errand_id": "errand_1"}
    assert "refused" not in stripe_money.refund_card(client, asked, 1)


def test_a_dispute_is_decided_as_under_a_test_key(client):
    client.v1.disputes.update("dp_1", {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    client.v1.disputes.close("dp_1")


def test_stripe_mock_does_refuse_what_is_not_in_the_description(client):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create({"amount": 1, "currency": "eur", "colour": "red"})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create({"currency": "eur"})


def test_the_stand_in_invents_no_member(client, stand_in):
    ours, theirs = objects_of(stand_in), objects_of(client)
    assert {name: row["object"] for name, row in ours.items()} == {name: row["object"] for name, row in theirs.items()}
    invented = {name: set(row) - set(theirs[name]) for name, row in ours.items()}
    assert {name: members for name, members in invented.items() if members} == {}


def objects_of(client: stripe.StripeClient) -> dict[str, dict[str, Any]]:
    """One object of each kind, asked for in the same way of either."""
    v1 = client.v1
    account = v1.accounts.create({"type": "custom", "country": "DE"})
    paid = {"amount": 10_000, "currency": "eur", "confirm": True}
    intent = v1.payment_intents.create({**paid, "payment_method": "pm_card_bypassPending"})
    charge_id = str(intent.latest_charge or "ch_1")
    transfer = v1.transfers.create(
        {"amount": 500, "currency": "eur", "destination": account.id, "source_transaction": charge_id}
    )
    found = {
        "payment_intent": intent,
        "charge": v1.charges.retrieve(charge_id),
        "refund": v1.refunds.create({"charge": charge_id, "amount": 100}),
        "transfer": transfer,
        "reversal": v1.transfers.reversals.create(transfer.id, {"amount": 100}),
        "payout": v1.payouts.create({"amount": 100, "currency": "eur"}),
        "balance": v1.balance.retrieve(),
        "balance_transaction": v1.balance_transactions.list({"limit": 1}).data[0],
        "event": v1.events.list({"limit": 1}).data[0],
        "account": account,
    }
    v1.payment_intents.create({**paid, "payment_method": "pm_card_createDispute"})
    found["dispute"] = v1.disputes.list({"limit": 1}).data[0]
    return {name: row.to_dict() for name, row in found.items()}
