"""What only tests use, as JSON under /sandbox: scripts that make the sandbox misbehave, its clock, late answers."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from infra.stripe_sandbox import disputes, events, idempotency, intents, objects, payouts, refunds, scripts
from infra.stripe_sandbox.errors import BadParameter
from infra.stripe_sandbox.store import Store

MAX_ADVANCE_S = 400 * 24 * 3600


def admin_routes(store: Store) -> Blueprint:
    """The routes of /sandbox over a store."""
    routes = Blueprint("sandbox", __name__, url_prefix="/sandbox")

    @routes.post("/scripts")
    def add_script() -> ResponseReturnValue:
        with store.transaction():
            return scripts.add(store, _body())

    @routes.delete("/scripts")
    def clear_scripts() -> ResponseReturnValue:
        with store.transaction():
            scripts.clear(store)
        return {}

    @routes.post("/clock")
    def advance_clock() -> ResponseReturnValue:
        """Let time pass: authorisations expire, payouts arrive, keys are forgotten, money becomes available."""
        seconds = _body().get("advance_s")
        if not isinstance(seconds, int) or not 0 <= seconds <= MAX_ADVANCE_S:
            raise BadParameter("advance_s: whole seconds", param="advance_s")
        with store.transaction():
            objects.advance(store, seconds)
            return pass_time(store)

    @routes.post("/payment_intents/<key>/settle")
    def settle_intent(key: str) -> ResponseReturnValue:
        with store.transaction():
            return objects.shown(store, intents.settle(store, key, _body().get("decline")), [])

    @routes.post("/charges/<key>/dispute")
    def dispute_charge(key: str) -> ResponseReturnValue:
        with store.transaction():
            return objects.shown(store, disputes.dispute(store, key, _body().get("amount")), [])

    @routes.post("/refunds/<key>/fail")
    def fail_refund(key: str) -> ResponseReturnValue:
        with store.transaction():
            return objects.shown(store, refunds.fail_refund(store, key), [])

    @routes.get("/deliveries")
    def list_deliveries() -> ResponseReturnValue:
        with store.transaction():
            return {"data": list(store.oldest_first("deliveries"))}

    return routes


def pass_time(store: Store) -> dict[str, int]:
    """Do what has become due by the sandbox's clock, inside the caller's transaction; counts by kind."""
    return {
        "expired": intents.expire_due(store),
        "arrived": payouts.arrive_due(store),
        "pruned": idempotency.prune(store) + events.prune(store),
    }


def _body() -> dict:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadParameter("a JSON object is expected")
    return body
