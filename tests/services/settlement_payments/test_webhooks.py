"""The door for Stripe's webhooks: signed, taken in once, handled once, never believed beyond what they prove."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from chassis.auth import Caller
from infra.stripe_sandbox.webhooks import sign
from services.settlement.payments import hearing, stripe_client
from services.settlement.payments.heard import SWEEP_OVERLAP_S
from tests.services.settlement_payments.conftest import SECRET

SYSTEM = Caller.system("settlement")


def event(event_id="evt_1", type="payment_intent.succeeded", **members):
    intent = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 500, "amount_received": 500}
    intent |= {"currency": "eur", "metadata": {}, **members}
    return json.dumps({"id": event_id, "object": "event", "type": type, "data": {"object": intent}}).encode()


def post(stand, body, signature):
    headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": signature} if signature else {})
    return stand.app.test_client().post("/v1/card-events", data=body, headers=headers)


def signed(body, at=None, secret=SECRET):
    return sign(body, secret, int(time.time() if at is None else at))


FORGERIES = {
    "none": lambda: None,
    "empty": lambda: "",
    "nonsense": lambda: "nonsense",
    "bad digest": lambda: f"t={int(time.time())},v1=00",
    "other secret": lambda: signed(event(), secret="whsec_other"),
    "other body": lambda: signed(event(event_id="evt_2")),
    "too old": lambda: signed(event(), at=time.time() - 400),
    "old scheme": lambda: signed(event()).replace("v1=", "v0="),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_body_that_stripe_did_not_just_sign_is_refused(stand, forgery):
    answer = post(stand, event(), FORGERIES[forgery]())
    assert (answer.status_code, answer.json["type"]) == (401, "urn:haihe:problem:signature_refused")
    assert stand.rows("SELECT id FROM card_event") == []


def test_without_a_secret_nothing_is_believed(make_stand):
    stand = make_stand(stripe_webhook_secret="")
    body = event()
    assert post(stand, body, signed(body, secret="")).status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id":1}', event(amount="x"), event(event_id="e" * 65), b"\xff"])
def test_a_signed_body_that_makes_no_sense_is_invalid(stand, body):
    answer = post(stand, body, signed(body))
    assert answer.status_code in (401, 422)
    assert stand.rows("SELECT id FROM card_event") == []


def test_the_same_event_is_taken_in_once(stand):
    for _ in range(3):
        answer = post(stand, event(), signed(event()))
        assert (answer.status_code, answer.json) == (200, {"id": "evt_1"})
    assert stand.rows("SELECT id, state FROM card_event") == [("evt_1", "received")]


def test_other_kinds_are_let_go_and_foreign_intents_ignored(stand):
    for body in (
        event("evt_1", "charge.succeeded"),
        event("evt_2"),
        event("evt_3", metadata={"payment_id": "card_payment_unknown"}),
    ):
        assert post(stand, body, signed(body)).status_code == 200
    stand.settle()
    assert stand.rows("SELECT id, state FROM card_event ORDER BY id") == [("evt_2", "ignored"), ("evt_3", "ignored")]
    assert stand.balances() == {}


@pytest.mark.parametrize(
    "lie", [{"amount": 9_999}, {"amount_received": 9_999}, {"currency": "usd"}, {"id": "pi_other"}]
)
def test_a_success_that_is_not_this_payments_credits_nothing(stand, lie):
    stand.script(on="card", outcome="processing")
    payment_id = stand.pay()
    stand.settle()
    told = {"id": stand.see(payment_id)["intent_id"], "amount": 10_000, "amount_received": 10_000}
    body = event(**told | {"metadata": {"payment_id": payment_id}} | lie)
    post(stand, body, signed(body))
    stand.settle()
    assert (stand.see(payment_id)["state"], stand.balances()) == ("processing", {})


def test_an_old_failure_is_looked_up_and_not_believed(stand):
    """The failure of a first try is told late: meanwhile the intent has succeeded, and Stripe says so when asked."""
    stand.script(on="card", outcome="processing")
    payment_id = stand.pay()
    stand.settle()
    intent_id = stand.see(payment_id)["intent_id"]
    stand.admin(f"payment_intents/{intent_id}/settle")
    body = event(
        "evt_old", "payment_intent.payment_failed", id=intent_id, status="requires_payment_method", amount=10_000,
        amount_received=0, metadata={"payment_id": payment_id}, last_payment_error={"code": "card_declined"},
    )  # fmt: skip
    post(stand, body, signed(body))
    stand.settle()
    assert stand.see(payment_id)["state"] == "succeeded"
    assert stand.balances()["party_a:available:EUR"] == 10_000


def test_news_out_of_order_change_nothing(stand):
    stand.script(on="card", outcome="processing")
    stand.script(on="webhook", type="payment_intent.processing", action="reorder")
    stand.script(on="webhook", type="charge.*", action="drop")
    payment_id = stand.pay()
    stand.settle()
    stand.admin(f"payment_intents/{stand.see(payment_id)['intent_id']}/settle")
    stand.deliver()
    stand.settle()
    types = [type for (type,) in stand.rows("SELECT type FROM card_event ORDER BY received_at, ctid")]
    assert types == ["payment_intent.succeeded", "payment_intent.processing"]
    assert stand.see(payment_id)["state"] == "succeeded"
    assert stand.rows("SELECT kind FROM errand WHERE state = 'owed'") == []


def test_the_sweep_pages_through_everything_and_reads_on_from_there(stand, monkeypatch):
    monkeypatch.setattr("services.settlement.payments.stripe_client.EVENTS_A_PAGE", 2)
    for _ in range(5):
        stand.pay()
    stand.settle()
    stand.advance(timedelta(minutes=5))
    assert stand.rows("SELECT state, count(*) FROM card_event GROUP BY 1") == [("applied", 5)]
    [(since, after)] = stand.rows("SELECT since, after FROM card_sweep")
    newest = stand.stripe.v1.events.list({"limit": 1}).data[0].created
    assert (since, after) == (newest, None)
    assert stand.rows("SELECT count(*) FROM errand WHERE kind = 'list_card_events'") == [(3,)]
    stand.admin("clock", advance_s=SWEEP_OVERLAP_S + 60)
    stand.advance(timedelta(minutes=5))
    assert stand.rows("SELECT count(*) FROM card_event") == [(5,)]


def test_a_page_that_stripe_forgot_begins_the_pass_again(stand):
    assert stripe_client.list_events(stand.stripe, since=0, after="evt_forgotten") == {"lost": True}
    event = {"id": "evt_9", "type": "payment_intent.succeeded", "intent": {}}
    record(stand, None, {"events": [event], "newest": 7, "more": True})
    assert stand.rows("SELECT since, after FROM card_sweep") == [(0, "evt_9")]
    record(stand, None, {"events": [], "newest": 9, "more": False})
    assert stand.rows("SELECT since, after FROM card_sweep") == [(0, "evt_9")]
    record(stand, "evt_9", {"lost": True})
    assert stand.rows("SELECT since, after FROM card_sweep") == [(0, None)]


def record(stand, after, outcome):
    payload = {"subject": "card_sweep", "since": 0, "after": after}
    stand.database.run(lambda session: hearing.record_sweep(session, SYSTEM, payload, outcome))


def test_handled_events_are_forgotten_after_stripe_has_forgotten_them(stand):
    stand.pay()
    stand.settle()
    stand.deliver()
    stand.settle()
    stand.advance(timedelta(days=34))
    assert stand.rows("SELECT count(*) FROM card_event") == [(1,)]
    stand.admin("clock", advance_s=36 * 24 * 3600)
    stand.advance(timedelta(days=2))
    assert stand.rows("SELECT count(*) FROM card_event") == [(0,)]


def test_where_cards_are_off_the_sweep_asks_nobody(make_stand, stand):
    off = make_stand(stripe_key="")
    off.advance(timedelta(hours=1))
    assert off.rows("SELECT DISTINCT state FROM errand") == [("done",)]
