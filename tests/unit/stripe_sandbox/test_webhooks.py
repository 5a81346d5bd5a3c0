"""Webhooks of the sandbox: signed as the SDK checks it, and dropped, doubled, delayed and reordered as scripted."""

import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import stripe

from infra.stripe_sandbox.server import Sandbox
from infra.stripe_sandbox.webhooks import post_to
from tests.unit.stripe_sandbox.conftest import KEY, SECRET


class Endpoint:
    """Collects what is posted to it and answers as told."""

    def __init__(self):
        self.status = 200
        self.types = []
        self.posts = []

    def __call__(self, body, headers):
        event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_sandbox")
        self.posts.append((body, headers["Stripe-Signature"]))
        self.types.append(event.type.removeprefix("payment_intent."))
        return self.status


@pytest.fixture
def endpoint():
    return Endpoint()


def test_each_change_is_told_once_in_order_with_a_signature(sandbox, client, pay, endpoint):
    intent = pay()
    assert sandbox.deliver_all(endpoint) == 3
    assert endpoint.types == ["created", "charge.succeeded", "succeeded"]
    assert sandbox.deliver_all(endpoint) == 0
    body, signature = endpoint.posts[-1]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", signature, "whsec_sandbox")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, "whsec_other")
    told = client.v1.events.list({"type": "payment_intent.succeeded"}).data
    assert [event.data.object["id"] for event in told] == [intent.id]
    assert told[0].pending_webhooks == 0


def test_drop_duplicate_and_reorder(sandbox, client, pay, admin, endpoint):
    admin("scripts", on="webhook", type="payment_intent.created", action="drop")
    admin("scripts", on="webhook", type="charge.*", action="reorder")
    admin("scripts", on="webhook", type="payment_intent.succeeded", action="duplicate")
    pay()
    sandbox.deliver_all(endpoint)
    assert endpoint.types == ["succeeded", "succeeded", "charge.succeeded"]
    assert [event.type for event in client.v1.events.list().data][-1] == "payment_intent.created"


def test_a_delayed_webhook_waits(sandbox, pay, admin, endpoint):
    admin("scripts", on="webhook", action="delay", delay_s=3_600)
    pay()
    sandbox.deliver_all(endpoint)
    assert endpoint.types == ["charge.succeeded", "succeeded"]


def test_an_unanswered_webhook_is_sent_again_later(sandbox, pay, endpoint, monkeypatch):
    pay()
    endpoint.status = 503
    assert sandbox.deliver_all(endpoint) == 3
    assert sandbox.deliver_all(endpoint) == 0
    endpoint.status = 200
    after = time.time() + 2
    monkeypatch.setattr("infra.stripe_sandbox.webhooks.time.time", lambda: after)
    assert sandbox.deliver_all(endpoint) == 3


def test_events_reach_thirty_days_back_and_filter_by_type(client, pay, admin):
    pay()
    types = ["payment_intent.succeeded", "charge.succeeded"]
    assert [event.type for event in client.v1.events.list({"types": types}).data] == types
    assert client.v1.events.retrieve(client.v1.events.list().data[0].id).type == "payment_intent.succeeded"
    admin("clock", advance_s=30 * 24 * 3600)
    assert client.v1.events.list().data == []


def test_a_running_sandbox_posts_by_itself(path):
    told = queue.Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.put(stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], SECRET).type)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    listener = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    post = post_to(f"http://127.0.0.1:{listener.server_port}/v1/card-events")
    sandbox = Sandbox(path, api_key=KEY, webhook_secret=SECRET, post=post).start()
    try:
        client = stripe.StripeClient(KEY, base_addresses={"api": sandbox.url})
        client.v1.payment_intents.create({"amount": 500, "currency": "eur"})
        assert told.get(timeout=10) == "payment_intent.created"
    finally:
        sandbox.stop()
        listener.shutdown()
        listener.server_close()
