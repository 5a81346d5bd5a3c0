"""Sending webhooks: each owed delivery is signed and posted until it is answered 2xx, at most three days long.

Signature: ``Stripe-Signature: t=<unix>,v1=<hex>`` with HMAC-SHA256 over ``<t>.<body>`` (docs.stripe.com/webhooks).
"""

import hashlib
import hmac
import json
import time
import urllib.request
from collections.abc import Callable

from infra.stripe_sandbox.store import Object, Store

Post = Callable[[bytes, dict[str, str]], int]
GIVE_UP_AFTER_S = 3 * 24 * 3600
LONGEST_PAUSE_S = 3600
TIMEOUT_S = 10


def sign(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature header of a body sent at a unix time."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post_to(url: str) -> Post:
    """A way to post to ``url`` that answers the status; 0 when nobody answered."""

    def post(body: bytes, headers: dict[str, str]) -> int:
        asked = urllib.request.Request(url, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    return post


def deliver_next(store: Store, *, secret: str, post: Post) -> bool:
    """Send the oldest delivery that is due, once; False when none was. No transaction is open meanwhile."""
    with store.transaction():
        delivery = _next_due(store, time.time())
        event = store.get("events", delivery["event"]) if delivery else None
    if delivery is None:
        return False
    body = json.dumps(event, indent=2).encode()
    headers = {"Content-Type": "application/json", "Stripe-Signature": sign(body, secret, int(time.time()))}
    status = post(body, headers)
    with store.transaction():
        _record(store, delivery["id"], delivered=200 <= status < 300)
    return True


def _next_due(store: Store, at: float) -> Object | None:
    for delivery in store.oldest_first("deliveries"):
        if delivery["after"] and store.get("deliveries", delivery["after"]):
            continue
        if delivery["not_before"] <= at or (delivery["after"] and not delivery["tries"]):
            return delivery
    return None


def _record(store: Store, delivery_id: str, *, delivered: bool) -> None:
    delivery = store.get("deliveries", delivery_id)
    if delivery is None:
        return
    pause = min(2 ** delivery["tries"], LONGEST_PAUSE_S)
    if delivered or time.time() - delivery["owed_at"] > GIVE_UP_AFTER_S:
        store.drop("deliveries", delivery_id)
        if event := store.get("events", delivery["event"]):
            store.put("events", {**event, "pending_webhooks": 0})
    else:
        store.put("deliveries", {**delivery, "tries": delivery["tries"] + 1, "not_before": time.time() + pause})
