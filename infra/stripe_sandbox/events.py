"""What the sandbox tells: an event for each change, and a delivery to the webhook for each, as scripted."""

import time

from infra.stripe_sandbox import scripts
from infra.stripe_sandbox.objects import API_VERSION, fresh, new_id, now, page, shown
from infra.stripe_sandbox.parameters import Params, text, texts
from infra.stripe_sandbox.store import Object, Store

KEPT_S = 30 * 24 * 3600
REORDER_AT_MOST_S = 30


def tell(store: Store, type: str, row: Object, *, previous: Params | None = None) -> None:
    """Record that ``row`` changed and owe its webhook, inside the caller's transaction."""
    data: Params = {"object": shown(store, row, [])}
    if previous is not None:
        data["previous_attributes"] = previous
    event = fresh(
        store, "evt", api_version=API_VERSION, type=type, data=data, request=dict(store.request), pending_webhooks=1
    )
    store.put("events", event)
    _owe_deliveries(store, event)


def list_events(store: Store, params: Params) -> Object:
    """The events of the last 30 days, as events.list reaches no further back."""
    oldest = now(store) - KEPT_S
    return page(store, "events", params, lambda event: event["created"] > oldest, type=text, types=texts)


def prune(store: Store) -> int:
    """Forget the events that events.list no longer reaches; returns how many."""
    oldest = now(store) - KEPT_S
    old = [row for row in store.oldest_first("events") if row["created"] <= oldest and not row["pending_webhooks"]]
    for event in old:
        store.drop("events", event["id"])
    return len(old)


def _owe_deliveries(store: Store, event: Object) -> None:
    script = scripts.take(store, "webhook", type=event["type"]) or {"action": "send"}
    copies = {"drop": 0, "duplicate": 2}.get(script["action"], 1)
    held = [row for row in store.oldest_first("deliveries") if row["waits_for_next"]]
    ids = [_owe(store, event, script) for _ in range(copies)]
    store.put("events", {**event, "pending_webhooks": len(ids)})
    for row in held if ids else ():
        store.put("deliveries", {**row, "waits_for_next": False, "after": ids[-1]})


def _owe(store: Store, event: Object, script: Object) -> str:
    waits = {"delay": script.get("delay_s", 0), "reorder": REORDER_AT_MOST_S}.get(script["action"], 0)
    delivery = {
        "id": new_id("dlv"),
        "event": event["id"],
        "owed_at": time.time(),
        "not_before": time.time() + waits,
        "tries": 0,
        "waits_for_next": script["action"] == "reorder",
        "after": None,
    }
    return store.put("deliveries", delivery)["id"]
