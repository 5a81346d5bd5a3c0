"""The sandbox over HTTP: Stripe's v1 routes on Flask, authentication, and answers that get lost on purpose."""

import hashlib
import hmac
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask, Response, jsonify, request

from infra.stripe_sandbox import balances, charges, disputes, events, intents, payouts, refunds, scripts, transfers
from infra.stripe_sandbox.admin import admin_routes
from infra.stripe_sandbox.errors import BadParameter, StripeError, Unauthenticated
from infra.stripe_sandbox.idempotency import Answer, Call, Desk
from infra.stripe_sandbox.objects import KINDS, PLATFORM, find, new_id, shown
from infra.stripe_sandbox.parameters import Params, accept, read_form
from infra.stripe_sandbox.store import Object, Store

Endpoint = Callable[..., Object]
MAX_BODY = 64 * 1024

ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v1/payment_intents", intents.create),
    ("GET", "/v1/payment_intents", intents.list_intents),
    ("POST", "/v1/payment_intents/<key>/confirm", intents.confirm),
    ("POST", "/v1/payment_intents/<key>/capture", intents.capture),
    ("POST", "/v1/payment_intents/<key>/cancel", intents.cancel),
    ("POST", "/v1/refunds", refunds.create_refund),
    ("GET", "/v1/refunds", refunds.list_refunds),
    ("GET", "/v1/disputes", disputes.list_disputes),
    ("POST", "/v1/disputes/<key>", disputes.update_dispute),
    ("POST", "/v1/disputes/<key>/close", disputes.close_dispute),
    ("POST", "/v1/transfers", transfers.create_transfer),
    ("GET", "/v1/transfers", transfers.list_transfers),
    ("POST", "/v1/transfers/<key>/reversals", transfers.reverse_transfer),
    ("POST", "/v1/payouts/<key>/cancel", payouts.cancel_payout),
    ("POST", "/v1/accounts", transfers.create_account),
    ("GET", "/v1/events", events.list_events),
)
OF_AN_ACCOUNT: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v1/payouts", payouts.create_payout),
    ("GET", "/v1/payouts", payouts.list_payouts),
    ("GET", "/v1/charges", charges.list_charges),
    ("GET", "/v1/balance", balances.show_balance),
    ("GET", "/v1/balance_transactions", balances.list_transactions),
)
RETRIEVED = (
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
    "transfers",
    "payouts",
    "balance_transactions",
    "events",
    "accounts",
)


def create_app(store: Store, *, api_key: str) -> Flask:
    """The WSGI application. The routes under /sandbox (scripts, clock) need the same key."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    desk = Desk(store)

    def serve(endpoint: Endpoint) -> Callable[..., Response]:
        def view(**ids: str) -> Response:
            return _answer(store, desk, endpoint, ids)

        return view

    for method, rule, endpoint in (*ENDPOINTS, *_bound_to_account(), *_retrievals()):
        app.add_url_rule(rule, f"{method} {rule}", serve(endpoint), methods=[method])
    app.register_blueprint(admin_routes(store))
    app.before_request(lambda: _authenticate(api_key))
    app.register_error_handler(StripeError, lambda error: (error.body(), error.status))
    app.register_error_handler(404, lambda error: (_unrecognised().body(), 404))
    return app


def _answer(store: Store, desk: Desk, endpoint: Endpoint, ids: dict[str, str]) -> Response:
    params = read_form((*request.args.items(multi=True), *request.form.items(multi=True)))
    expand = params.pop("expand", [])
    if not isinstance(expand, list):
        raise BadParameter("Invalid array: expand", param="expand")
    fault = _scripted_fault(store)
    if fault.get("fault") == "drop":
        return _hang_up()
    call = Call(
        id=new_id("req"),
        key=request.headers.get("Idempotency-Key") if request.method == "POST" else None,
        fingerprint=_fingerprint(params),
        run=lambda: shown(store, endpoint(store, params, *ids.values()), expand),
        fault=fault,
    )
    answer = desk.perform(call)
    return _hang_up() if fault.get("fault") == "lose_answer" else _respond(answer, call.id)


def _bound_to_account() -> list[tuple[str, str, Endpoint]]:
    def bind(endpoint: Endpoint) -> Endpoint:
        return lambda store, params: endpoint(store, params, _account(store))

    return [(method, rule, bind(endpoint)) for method, rule, endpoint in OF_AN_ACCOUNT]


def _retrievals() -> list[tuple[str, str, Endpoint]]:
    def retrieve(table: str) -> Endpoint:
        def endpoint(store: Store, params: Params, key: str) -> Object:
            accept(params)
            return find(store, table, key)

        return endpoint

    return [("GET", f"/v1/{table}/<key>", retrieve(table)) for table in RETRIEVED if table in KINDS]


def _account(store: Store) -> str:
    account = request.headers.get("Stripe-Account")
    return find(store, "accounts", account, param="Stripe-Account")["id"] if account else PLATFORM


def _authenticate(api_key: str) -> None:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not hmac.compare_digest(given.encode(), api_key.encode()):
        raise Unauthenticated("Invalid API Key provided")


def _fingerprint(params: Params) -> str:
    return hashlib.sha256(repr((request.method, request.path, sorted(params.items()))).encode()).hexdigest()


def _scripted_fault(store: Store) -> dict[str, Any]:
    with store.transaction():
        return scripts.take(store, "request", method=request.method, path=request.path) or {}


def _respond(answer: Answer, request_id: str) -> Response:
    response = jsonify(answer.body)
    response.status_code = answer.status
    response.headers.update({"Request-Id": request_id, **answer.headers})
    return response


def _hang_up() -> Response:
    """Cut the connection, so that the caller learns nothing of what became of its request."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def _unrecognised() -> StripeError:
    return StripeError(f"Unrecognized request URL ({request.method}: {request.path}).")
