"""Payment intents: created, confirmed with a test card, captured, cancelled, settled late, expired.

States: requires_payment_method → requires_confirmation → (requires_action | processing | requires_capture) → succeeded
or canceled. A declined card leads back to requires_payment_method.
"""

from typing import Any

from infra.stripe_sandbox import charges, disputes, scripts
from infra.stripe_sandbox.cards import Card, card_of, message_of
from infra.stripe_sandbox.errors import BadParameter, Declined, WrongState
from infra.stripe_sandbox.events import tell
from infra.stripe_sandbox.objects import find, fresh, new_id, now, page, shown
from infra.stripe_sandbox.parameters import (
    MINIMUM,
    Params,
    accept,
    amount,
    boolean,
    currency,
    metadata,
    one_of,
    text,
    texts,
)
from infra.stripe_sandbox.store import Object, Store

AUTHORISATION_S = 7 * 24 * 3600
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "processing")
CONFIRMING = {"payment_method": text, "error_on_requires_action": boolean, "off_session": boolean, "return_url": text}


def create(store: Store, params: Params) -> Object:
    """A new intent; with ``confirm`` the card is tried at once."""
    asked = accept(
        params,
        required=("amount", "currency"),
        amount=amount,
        currency=currency,
        confirm=boolean,
        capture_method=one_of("automatic", "automatic_async", "manual"),
        confirmation_method=one_of("automatic", "manual"),
        payment_method_types=texts,
        automatic_payment_methods=lambda name, value: value,
        metadata=metadata,
        description=text,
        transfer_group=text,
        statement_descriptor_suffix=text,
        **CONFIRMING,
    )
    _check_amount(asked)
    intent = _new_intent(store, asked)
    if asked["payment_method"]:
        card_of(asked["payment_method"])
    store.put("payment_intents", intent)
    tell(store, "payment_intent.created", intent)
    return _attempt(store, intent, asked) if asked["confirm"] else intent


def confirm(store: Store, params: Params, intent_id: str) -> Object:
    """Try the card of an intent that waits for confirmation, or a new card."""
    asked = accept(params, capture_method=one_of("automatic", "automatic_async", "manual"), **CONFIRMING)
    intent = find(store, "payment_intents", intent_id)
    _need(intent, "confirm", "requires_payment_method", "requires_confirmation", "requires_action")
    if asked["payment_method"]:
        card_of(asked["payment_method"])
        intent["payment_method"] = asked["payment_method"]
    intent["capture_method"] = asked["capture_method"] or intent["capture_method"]
    return _attempt(store, intent, asked)


def capture(store: Store, params: Params, intent_id: str) -> Object:
    """Take what was authorised, or less; the rest is let go."""
    asked = accept(params, amount_to_capture=amount)
    intent = find(store, "payment_intents", intent_id)
    _need(intent, "capture", "requires_capture")
    taken = asked["amount_to_capture"] or intent["amount_capturable"]
    if taken > intent["amount_capturable"]:
        raise BadParameter(
            "The amount to capture is greater than the capturable amount.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = charges.capture(store, find(store, "charges", intent["latest_charge"]), taken)
    tell(store, "charge.captured", charge)
    return _move(store, intent, "succeeded", amount_received=taken, amount_capturable=0)


def cancel(store: Store, params: Params, intent_id: str) -> Object:
    """Call an intent off that has not succeeded and is not with the bank."""
    reasons = one_of("duplicate", "fraudulent", "requested_by_customer", "abandoned")
    asked = accept(params, cancellation_reason=reasons)
    intent = find(store, "payment_intents", intent_id)
    _need(intent, "cancel", *OPEN[:-1])
    return _cancel(store, intent, asked["cancellation_reason"])


def settle(store: Store, intent_id: str, decline: str | None) -> Object:
    """End a scripted ``processing``: the bank's late answer, a decline code or success."""
    intent = find(store, "payment_intents", intent_id)
    _need(intent, "settle", "processing")
    charge = find(store, "charges", intent["latest_charge"])
    if decline is None:
        return _succeed(store, intent, charge)
    return _fail(store, intent, charge, code="card_declined", decline=decline)


def expire_due(store: Store) -> int:
    """Cancel authorisations older than seven days; returns how many there were."""
    due = [row for row in store.oldest_first("payment_intents") if row["status"] == "requires_capture"]
    due = [
        row for row in due if find(store, "charges", row["latest_charge"])["created"] <= now(store) - AUTHORISATION_S
    ]
    for intent in due:
        _cancel(store, intent, "automatic")
    return len(due)


def list_intents(store: Store, params: Params) -> Object:
    """Payment intents, newest first."""
    return page(store, "payment_intents", params)


def _new_intent(store: Store, asked: Params) -> Object:
    intent_id = new_id("pi")
    method = asked["payment_method"]
    intent = fresh(
        store,
        "pi",
        amount=asked["amount"],
        amount_capturable=0,
        amount_received=0,
        canceled_at=None,
        cancellation_reason=None,
        capture_method=asked["capture_method"] or "automatic_async",
        client_secret=f"{intent_id}_secret_{new_id('s')[2:]}",
        confirmation_method=asked["confirmation_method"] or "automatic",
        currency=asked["currency"],
        customer=None,
        description=asked["description"],
        last_payment_error=None,
        latest_charge=None,
        metadata=asked["metadata"] or {},
        next_action=None,
        payment_method=method,
        payment_method_types=asked["payment_method_types"] or ["card"],
        processing=None,
        status="requires_confirmation" if method else "requires_payment_method",
        transfer_group=asked["transfer_group"],
    )
    return {**intent, "id": intent_id}


def _attempt(store: Store, intent: Object, asked: Params) -> Object:
    if intent["payment_method"] is None:
        raise WrongState(
            "You cannot confirm this PaymentIntent because it's missing a payment method.", **_unexpected(store, intent)
        )
    card, script = card_of(intent["payment_method"]), scripts.take(store, "card") or {}
    decline = script.get("decline") or card.decline
    if card.asks_for_authentication and not decline:
        return _ask_for_authentication(store, intent, card, asked)
    if decline:
        code = card.code if decline == card.decline else "card_declined"
        raise _declined(
            store, _fail(store, intent, charges.attempt(store, intent, card, "pending"), code=code, decline=decline)
        )
    if script.get("outcome") == "processing":
        charge = charges.attempt(store, intent, card, "pending")
        return _move(store, intent, "processing", latest_charge=charge["id"])
    charge = charges.attempt(store, intent, card, "succeeded")
    if intent["capture_method"] == "manual":
        held = {"latest_charge": charge["id"], "amount_capturable": intent["amount"]}
        tell(store, "charge.succeeded", charge)
        return _move(store, intent, "requires_capture", says="amount_capturable_updated", **held)
    return _succeed(store, intent, charge)


def _ask_for_authentication(store: Store, intent: Object, card: Card, asked: Params) -> Object:
    if asked["error_on_requires_action"] or asked["off_session"]:
        charge, code = charges.attempt(store, intent, card, "pending"), "authentication_required"
        raise _declined(store, _fail(store, intent, charge, code=code, decline=code))
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
    return _move(store, intent, "requires_action", next_action=action)


def _succeed(store: Store, intent: Object, charge: Object) -> Object:
    captured = charges.capture(store, charge, intent["amount"])
    tell(store, "charge.succeeded", captured)
    received = {"latest_charge": charge["id"], "amount_received": intent["amount"], "last_payment_error": None}
    succeeded = _move(store, intent, "succeeded", **received)
    if charge.get("_is_disputed"):
        disputes.dispute(store, charge["id"])
    return succeeded


def _fail(store: Store, intent: Object, charge: Object, *, code: str, decline: str) -> Object:
    charges.fail(store, charge, code=code, decline=decline)
    method = {"id": intent["payment_method"], "object": "payment_method", "type": "card"}
    error = {"code": code, "decline_code": decline, "charge": charge["id"], "message": message_of(decline)}
    last = {"type": "card_error", **error, "payment_method": method}
    changes = {"latest_charge": charge["id"], "last_payment_error": last, "payment_method": None}
    return _move(store, intent, "requires_payment_method", says="payment_failed", **changes)


def _declined(store: Store, failed: Object) -> Declined:
    error: dict[str, Any] = {name: value for name, value in failed["last_payment_error"].items() if name != "type"}
    return Declined(error.pop("message"), **error, payment_intent=shown(store, failed, []))


def _cancel(store: Store, intent: Object, reason: str | None) -> Object:
    if intent["status"] == "requires_capture":
        charges.expire(store, find(store, "charges", intent["latest_charge"]))
    ended = {"canceled_at": now(store), "cancellation_reason": reason, "amount_capturable": 0}
    return _move(store, intent, "canceled", **ended)


def _move(store: Store, intent: Object, status: str, *, says: str | None = None, **changes: Any) -> Object:
    moved = store.put("payment_intents", {**intent, **changes, "status": status})
    tell(store, f"payment_intent.{says or status}", moved, previous={"status": intent["status"]})
    return moved


def _need(intent: Object, verb: str, *states: str) -> None:
    if intent["status"] not in states:
        message = f"This PaymentIntent could not be {verb}ed because it has a status of {intent['status']}."
        raise WrongState(message, code="payment_intent_unexpected_state")


def _unexpected(store: Store, intent: Object) -> Params:
    return {"code": "payment_intent_unexpected_state", "payment_intent": shown(store, intent, [])}


def _check_amount(asked: Params) -> None:
    if asked["amount"] < MINIMUM[asked["currency"]]:
        message = f"Amount must be at least {MINIMUM[asked['currency']]} in {asked['currency']}'s minor unit"
        raise BadParameter(message, code="amount_too_small", param="amount")
