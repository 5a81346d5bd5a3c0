"""A card payment from the request to the credit, on good days and on Stripe's bad ones: money moves once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

CREATE = {"on": "request", "method": "POST", "path": "/v1/payment_intents"}
FEE = 320
CREDITED = {
    "party_a:available:EUR": 10_000,
    "platform:clearing_card:EUR": FEE - 10_000,
    "platform:card_fees:EUR": -FEE,
}
MINUTE = timedelta(minutes=1)


def intents(stand):
    return [(row.status, row.amount_received) for row in stand.stripe.v1.payment_intents.list({"limit": 100}).data]


def assert_credited_once(stand, payment_id):
    assert stand.see(payment_id)["state"] == "succeeded"
    assert stand.balances() == CREDITED
    assert intents(stand) == [("succeeded", 10_000)]
    assert stand.broken() == []
    assert stand.rows("SELECT id FROM card_payment WHERE due_at IS NOT NULL") == []


def test_a_payment_is_created_charged_and_credited(stand):
    payment_id = stand.pay()
    created = stand.see(payment_id)
    assert (created["state"], created["amount"]) == ("created", {"amount": 10_000, "currency": "EUR"})
    assert (created["payment_method"], created["intent_id"], created["ended_at"]) == ("pm_card_visa", None, None)
    assert stand.balances() == {}
    stand.settle()
    assert_credited_once(stand, payment_id)
    intent = stand.stripe.v1.payment_intents.retrieve(stand.see(payment_id)["intent_id"])
    assert intent.metadata.to_dict() == {"payment_id": payment_id, "party_id": "party_a"}
    assert intent.transfer_group == payment_id


def test_answer_webhook_and_sweep_credit_once_together(stand):
    stand.script(on="webhook", type="payment_intent.*", action="duplicate", times=10)
    payment_id = stand.pay()
    stand.settle()
    assert stand.deliver() == 5
    stand.settle()
    stand.advance(timedelta(hours=1))
    assert_credited_once(stand, payment_id)
    assert stand.rows("SELECT type, state, count(*) FROM card_event GROUP BY 1, 2") == [
        ("payment_intent.succeeded", "applied", 1)
    ]


def test_the_webhook_alone_brings_the_success(stand):
    stand.script(**CREATE, fault="lose_answer", times=3)
    payment_id = stand.pay()
    assert stand.errands.step() == 1
    assert stand.see(payment_id)["state"] == "created"
    stand.deliver()
    stand.settle()
    assert_credited_once(stand, payment_id)
    stand.advance(MINUTE)
    assert_credited_once(stand, payment_id)


def test_the_sweep_alone_brings_the_success(stand):
    stand.script(**CREATE, fault="lose_answer", times=1_000)
    stand.script(on="webhook", action="drop", times=1_000)
    payment_id = stand.pay()
    stand.settle()
    stand.advance(4 * MINUTE)
    assert stand.see(payment_id)["state"] == "created"
    stand.advance(MINUTE)
    assert stand.deliver() == 0
    assert_credited_once(stand, payment_id)


def test_the_chase_alone_brings_the_success(stand):
    stand.script(**CREATE, fault="lose_answer", times=1_000)
    stand.script(on="request", path="/v1/events", fault="status", status=500, times=1_000)
    payment_id = stand.pay()
    for _ in range(19):
        stand.advance(MINUTE)
    stand.script(on="request", method="GET", path="/v1/charges", fault="drop", times=3)
    stand.advance(MINUTE)
    stand.advance(MINUTE)
    assert_credited_once(stand, payment_id)


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 429},
        {"fault": "drop", "times": 4},
        {"fault": "lose_answer"},
        {"fault": "lose_answer", "times": 4},
        {"fault": "hang", "seconds": 0.05},
    ],
)
def test_an_unknown_outcome_is_asked_for_again_under_the_same_key(stand, fault):
    stand.script(**CREATE, **fault)
    payment_id = stand.pay()
    stand.settle()
    stand.advance(MINUTE)
    assert_credited_once(stand, payment_id)
    assert stand.rows("SELECT attempt, charge_key FROM card_payment") == [(1, f"charge:{payment_id}:1")]


def test_a_key_that_replays_a_500_is_given_up_only_when_nothing_was_charged(stand):
    stand.script(**CREATE, fault="status", status=500)
    payment_id = stand.pay()
    stand.settle()
    assert_credited_once(stand, payment_id)
    assert stand.rows("SELECT attempt, charge_key FROM card_payment") == [(2, f"charge:{payment_id}:2")]


def test_a_500_that_hid_a_charge_does_not_charge_again(stand):
    stand.script(**CREATE, fault="status_after_commit", status=500)
    payment_id = stand.pay()
    stand.settle()
    assert_credited_once(stand, payment_id)
    assert stand.rows("SELECT attempt FROM card_payment") == [(1,)]


def test_a_worker_that_dies_before_it_records_asks_again_and_charges_once(stand, monkeypatch):
    payment_id = stand.pay()
    monkeypatch.setattr(stand.errands, "_record", lambda *_: None)
    stand.errands.step()
    monkeypatch.undo()
    assert intents(stand) == [("succeeded", 10_000)]
    assert stand.see(payment_id)["state"] == "created"
    stand.advance(3 * MINUTE)
    assert_credited_once(stand, payment_id)


def test_answer_and_webhook_at_the_same_moment_credit_once(stand, monkeypatch):
    """The errand's record and the event's timer meet at the payment's row: one waits and finds it done."""
    payment_ids = [stand.pay() for _ in range(5)]
    outcomes = []
    monkeypatch.setattr(stand.errands, "_record", lambda session, *outcome: outcomes.append(outcome))
    for _ in payment_ids:
        stand.errands.step()
    monkeypatch.undo()
    stand.deliver()

    def record(*outcome):
        stand.database.run(lambda session: stand.errands._record(session, *outcome))

    both = [threading.Thread(target=record, args=outcome) for outcome in outcomes]
    both.append(threading.Thread(target=stand.timers.step))
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert {stand.see(payment_id)["state"] for payment_id in payment_ids} == {"succeeded"}
    assert stand.balances() == {"party_a:available:EUR": 50_000, "platform:clearing_card:EUR": -50_000}
    assert stand.rows("SELECT count(*) FROM journal") == [(5,)]


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ("pm_card_of_nobody", "resource_missing", None),
    ],
)
def test_a_card_that_is_declined_says_why_and_moves_nothing(stand, method, code, decline_code):
    payment_id = stand.pay(payment_method=method)
    stand.settle()
    stand.deliver()
    stand.advance(timedelta(hours=1))
    found = stand.see(payment_id)
    assert (found["state"], found["failure_code"], found["decline_code"]) == ("failed", code, decline_code)
    assert found["failure_detail"]
    assert stand.balances() == {}
    assert stand.broken() == []


def test_an_amount_that_stripe_refuses_fails(stand):
    payment_id = stand.pay(amount=1)
    stand.settle()
    assert stand.see(payment_id)["failure_code"] == "amount_too_small"
    assert intents(stand) == []


def test_a_payment_that_never_reached_stripe_fails_when_that_is_certain(stand):
    stand.script(**CREATE, fault="drop", times=1_000)
    payment_id = stand.pay()
    for _ in range(14):
        stand.advance(MINUTE)
    assert stand.see(payment_id)["state"] == "created"
    for _ in range(7):
        stand.advance(MINUTE)
    found = stand.see(payment_id)
    assert (found["state"], found["failure_code"]) == ("failed", "not_charged")
    assert (intents(stand), stand.balances()) == ([], {})


def test_while_stripe_cannot_be_reached_nothing_is_decided(stand):
    stand.script(on="request", fault="drop", times=10_000)
    payment_id = stand.pay()
    for _ in range(12):
        stand.advance(10 * MINUTE)
    assert stand.see(payment_id)["state"] == "created"


def test_a_charge_is_never_asked_for_after_its_window(stand):
    payment_id = stand.pay()
    stand.frozen.advance(15 * MINUTE + timedelta(seconds=1))
    stand.settle()
    assert stand.see(payment_id)["failure_code"] == "not_charged"
    assert intents(stand) == []


def test_a_late_success_outranks_a_failure(stand):
    payment_id = stand.pay()
    stand.frozen.advance(16 * MINUTE)
    stand.settle()
    assert stand.see(payment_id)["state"] == "failed"
    stand.stripe.v1.payment_intents.create(
        {
            "amount": 10_000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True,
            "metadata": {"payment_id": payment_id}, "transfer_group": payment_id,
        }
    )  # fmt: skip
    stand.deliver()
    stand.settle()
    assert_credited_once(stand, payment_id)
    assert stand.see(payment_id)["failure_code"] is None


@pytest.mark.parametrize("brought_by", ["webhook", "chase"])
@pytest.mark.parametrize("decline", [None, "do_not_honor"])
def test_a_bank_that_takes_its_time(stand, brought_by, decline):
    stand.script(on="card", outcome="processing")
    payment_id = stand.pay()
    stand.settle()
    found = stand.see(payment_id)
    assert (found["state"], stand.balances()) == ("processing", {})
    stand.deliver()
    stand.admin(f"payment_intents/{found['intent_id']}/settle", **({"decline": decline} if decline else {}))
    if brought_by == "webhook":
        stand.deliver()
        stand.settle()
    else:
        stand.script(on="request", path="/v1/events", fault="status", status=500, times=1_000)
        stand.advance(29 * MINUTE)
        assert stand.see(payment_id)["state"] == "processing"
        stand.advance(MINUTE)
    if decline is None:
        assert_credited_once(stand, payment_id)
    else:
        assert (stand.see(payment_id)["state"], stand.see(payment_id)["decline_code"]) == ("failed", decline)
        assert (stand.balances(), intents(stand)) == ({}, [("canceled", 0)])
