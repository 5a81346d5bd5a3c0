"""Running a request once for its key, as Stripe does.

The first answer that an endpoint gave is kept 24 hours and replayed, a 500 too; a parallel request with the key is 409;
the key with other parameters is an idempotency_error. Refusals before an endpoint began (bad parameters, 401, 429) keep
nothing. Source: docs.stripe.com/api/idempotent_requests.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.stripe_sandbox.errors import BadParameter, KeyInUse, KeyReused, Scripted, StripeError
from infra.stripe_sandbox.objects import now
from infra.stripe_sandbox.store import Object, Store

KEPT_S = 24 * 3600
MAX_KEY = 255


@dataclass(frozen=True)
class Call:
    """One request: its id, its key or None, what identifies its content, what it does, and its scripted fault."""

    id: str
    key: str | None
    fingerprint: str
    run: Callable[[], Object]
    fault: Object


@dataclass(frozen=True)
class Answer:
    """What a request is answered."""

    status: int
    body: Object
    headers: dict[str, str] = field(default_factory=dict)


class Desk:
    """Takes requests in; the only place that opens transactions for the API."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_flight: set[str] = set()
        self._lock = threading.Lock()

    def perform(self, call: Call) -> Answer:
        """The answer, replayed or new. Refusals are answers, never exceptions."""
        try:
            with self._alone(call.key):
                return self._replayed(call) or self._new(call)
        except StripeError as error:
            return Answer(error.status, error.body())

    @contextmanager
    def _alone(self, key: str | None) -> Iterator[None]:
        if key is not None and len(key) > MAX_KEY:
            raise BadParameter(f"Idempotency keys are at most {MAX_KEY} characters")
        with self._lock:
            if key is not None and key in self._in_flight:
                raise KeyInUse(key)
            self._in_flight.add(key or "")
        try:
            yield
        finally:
            with self._lock:
                self._in_flight.discard(key or "")

    def _replayed(self, call: Call) -> Answer | None:
        kept = self._store.get("keys", call.key) if call.key else None
        if kept is None or kept["created"] <= now(self._store) - KEPT_S:
            return None
        if kept["fingerprint"] != call.fingerprint:
            raise KeyReused(kept["id"])
        retry = {"Stripe-Should-Retry": "false"} if kept["status"] >= 500 else {}
        return Answer(
            kept["status"], kept["body"], {"Idempotent-Replayed": "true", "Original-Request": kept["request"], **retry}
        )

    def _new(self, call: Call) -> Answer:
        if call.fault.get("fault") == "hang":
            time.sleep(call.fault["seconds"])
        with self._store.transaction():
            self._store.request = {"id": call.id, "idempotency_key": call.key}
            status, body, kept = self._outcome(call)
            if call.key and kept:
                row = {"id": call.key, "created": now(self._store), "fingerprint": call.fingerprint, "request": call.id}
                self._store.put("keys", {**row, "status": status, "body": body})
        return Answer(status, body)

    def _outcome(self, call: Call) -> tuple[int, Object, bool]:
        fault, status = call.fault.get("fault"), call.fault.get("status", 500)
        try:
            if fault == "status":
                raise Scripted(status)
            body = call.run()
            if fault == "status_after_commit":
                return status, Scripted(status).body(), True
            return 200, body, True
        except StripeError as error:
            if not error.commits:
                self._store.discard()
            return error.status, error.body(), error.kept


def prune(store: Store) -> int:
    """Forget the keys that are older than a day; returns how many."""
    old = [row["id"] for row in store.oldest_first("keys") if row["created"] <= now(store) - KEPT_S]
    for key in old:
        store.drop("keys", key)
    return len(old)
