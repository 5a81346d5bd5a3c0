"""The outside client: every word that is said to Stripe, and what its answers mean. No transaction is open meanwhile.

Outcomes are plain mappings, because the worker keeps them: ``intent`` (what Stripe says), ``refused`` (it did nothing),
``nothing`` (there is no charge of ours), ``burnt`` (the key replays a 500 for ever, and there is no charge of ours).
Anything else raises, and is asked again under the same key.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import stripe

from chassis import clock
from chassis.settings import Settings
from chassis.values import Identifier, MinorUnits, ShortText
from chassis.wire import read_json
from services.settlement.payments.heard import HEARD_TYPES, MONEY_TYPES, SWEEP_OVERLAP_S, HeardEvent
from services.settlement.payments.model import CardsOff, Intent, SignatureRefused

TIMEOUT_S = 20
RETRIES = 2
TOLERANCE_S = 300
EVENTS_A_PAGE = 100
CANCELLABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")

Outcome = dict[str, Any]


class _Error(msgspec.Struct):
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class _Intent(msgspec.Struct):
    id: Identifier
    status: ShortText
    amount: MinorUnits
    currency: ShortText
    amount_received: MinorUnits = 0
    metadata: dict[str, str] = {}
    last_payment_error: _Error | None = None


class _Source(msgspec.Struct):
    payment_intent: Identifier | None = None


class _Data(msgspec.Struct):
    object: msgspec.Raw


class _Event(msgspec.Struct):
    id: Identifier
    type: ShortText
    data: _Data


def open_client(settings: Settings) -> stripe.StripeClient:
    """A client for the Stripe of these settings. Raises CardsOff when there is no key."""
    if not settings.stripe_key:
        raise CardsOff("no key for Stripe is set")
    return _client(settings.stripe_url, settings.stripe_key)


def charge_card(client: stripe.StripeClient, wanted: dict[str, Any]) -> Outcome:
    """Create and confirm the intent of a payment: ``wanted`` is the payload of the errand. Past its time, only look."""
    if clock.now() > datetime.fromisoformat(wanted["until"]):
        return look_up(client, wanted)
    try:
        made = client.v1.payment_intents.create(_params(wanted), {"idempotency_key": wanted["key"]})
        return {"intent": read_intent(made)}
    except stripe.CardError as declined:
        intent = getattr(declined.error, "payment_intent", None)
        return {"intent": read_intent(intent)} if intent else read_refusal(declined)
    except stripe.InvalidRequestError as refused:
        return read_refusal(refused)
    except stripe.APIError as failed:
        if failed.headers.get("Idempotent-Replayed") != "true":
            raise
        found = look_up(client, wanted)
        return {"burnt": True} if "nothing" in found else found


def look_up(client: stripe.StripeClient, wanted: dict[str, Any]) -> Outcome:
    """What became of a payment. An intent that waits for somebody is cancelled: nobody will come.

    Without an intent's id it is found by its charge, whose transfer group is our id: that list is consistent.
    """
    intent_id = wanted.get("intent_id") or _find_intent(client, wanted["payment_id"])
    if intent_id is None:
        return {"nothing": True}
    intent = client.v1.payment_intents.retrieve(intent_id)
    if intent.status in CANCELLABLE:
        options = {"idempotency_key": f"cancel:{wanted['payment_id']}:{intent_id}"}
        failed = read_intent(intent)
        cancelled = read_intent(client.v1.payment_intents.cancel(intent_id, options=options))
        return {"intent": {**failed, "status": cancelled["status"]}}
    return {"intent": read_intent(intent)}


def list_events(client: stripe.StripeClient, *, since: int, after: str | None) -> Outcome:
    """One page of the events we listen to, newest first, from an hour before ``since`` (unix seconds) on."""
    created = {"gte": max(since - SWEEP_OVERLAP_S, 0)}
    params: Any = {"types": list(HEARD_TYPES), "created": created, "limit": EVENTS_A_PAGE}
    if after is not None:
        params["starting_after"] = after
    try:
        # The sweep comes round again: it neither waits nor tries twice.
        page = client.v1.events.list(params, {"max_network_retries": 0})
    except stripe.InvalidRequestError:
        if after is None:
            raise
        return {"lost": True}
    found = [event.to_dict() for event in page.data]
    events = [{"id": it["id"], "type": it["type"], **_tell(it["type"], it["data"]["object"])} for it in found]
    newest = max((event.created for event in page.data), default=0)
    return {"events": events, "newest": newest, "more": page.has_more}


def read_event(raw: bytes, signature: str | None, secret: str) -> HeardEvent:
    """A webhook's body. Raises SignatureRefused unless Stripe signed it in the last 300 s, Invalid when it is odd."""
    try:
        stripe.WebhookSignature.verify_header(raw, signature, secret, TOLERANCE_S)
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        raise SignatureRefused(str(error).partition("\n")[0]) from None
    event = _read_event(raw)
    if event.type not in HEARD_TYPES:
        return HeardEvent(id=event.id, type=event.type)
    if event.type in MONEY_TYPES:
        source = _read_source(bytes(event.data.object))
        return HeardEvent(id=event.id, type=event.type, intent_id=source.payment_intent)
    return HeardEvent(id=event.id, type=event.type, intent=_intent_of(_read_intent(bytes(event.data.object))))


def read_intent(found: Any) -> dict[str, Any]:
    """A payment intent of the SDK, or the mapping of one, as the members of ``Intent``. Raises ValidationError."""
    intent = found if isinstance(found, dict) else found.to_dict()
    return msgspec.to_builtins(_intent_of(msgspec.convert(intent, _Intent)))


def _tell(type: str, found: dict[str, Any]) -> dict[str, Any]:
    return {"intent_id": found["payment_intent"]} if type in MONEY_TYPES else {"intent": read_intent(found)}


def _intent_of(said: _Intent) -> Intent:
    error = said.last_payment_error or _Error()
    return Intent(
        id=said.id,
        status=said.status,
        amount=said.amount,
        amount_received=said.amount_received,
        currency=said.currency,
        payment_id=said.metadata.get("payment_id"),
        failure_code=error.code,
        decline_code=error.decline_code,
        failure_detail=error.message,
    )


@lru_cache(maxsize=8)
def _client(url: str, key: str) -> stripe.StripeClient:
    http = stripe.RequestsClient(timeout=TIMEOUT_S)
    return stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=RETRIES, http_client=http)


def _params(wanted: dict[str, Any]) -> Any:
    return {
        "amount": wanted["amount"],
        "currency": wanted["currency"].lower(),
        "payment_method": wanted["payment_method"],
        "payment_method_types": ["card"],
        "confirm": True,
        "error_on_requires_action": True,
        "metadata": {"payment_id": wanted["payment_id"], "party_id": wanted["party_id"]},
        "transfer_group": wanted["payment_id"],
        "description": "Top-up of a trading balance",
    }


def _find_intent(client: stripe.StripeClient, payment_id: str) -> str | None:
    charges = client.v1.charges.list({"transfer_group": payment_id, "limit": 10}).data
    ours = sorted((charge for charge in charges if charge.payment_intent), key=lambda charge: not charge.paid)
    return str(ours[0].payment_intent) if ours else None


def read_refusal(error: stripe.StripeError) -> Outcome:
    """Why Stripe did nothing."""
    said = error.error
    return {
        "refused": {
            "code": error.code or "refused",
            "decline_code": getattr(said, "decline_code", None),
            "detail": error.user_message,
        }
    }


_read_event = read_json(_Event)
_read_intent = read_json(_Intent)
_read_source = read_json(_Source)
