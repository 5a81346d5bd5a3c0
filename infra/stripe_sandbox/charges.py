"""Charges: one attempt on a card each, made by a payment intent; captured, refunded or left to expire."""

from infra.stripe_sandbox import balances
from infra.stripe_sandbox.cards import Card, message_of
from infra.stripe_sandbox.events import tell
from infra.stripe_sandbox.objects import fresh, page
from infra.stripe_sandbox.parameters import Params, text
from infra.stripe_sandbox.store import Object, Store


def attempt(store: Store, intent: Object, card: Card, status: str) -> Object:
    """A new charge of an intent's whole amount: ``succeeded`` (authorised, not captured), ``pending`` or ``failed``."""
    charge = fresh(
        store,
        "ch",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        balance_transaction=None,
        captured=False,
        currency=intent["currency"],
        customer=None,
        description=intent["description"],
        disputed=False,
        failure_code=None,
        failure_message=None,
        metadata=dict(intent["metadata"]),
        outcome={"network_status": "approved_by_network", "reason": None, "risk_level": "normal", "type": "authorized"},
        paid=status == "succeeded",
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        payment_method_details={
            "type": "card",
            "card": {"brand": card.brand, "last4": card.last4, "funding": "credit"},
        },
        refunded=False,
        source_transfer=None,
        status=status,
        transfer_group=intent["transfer_group"],
        _account=balances.PLATFORM,
        _settles_at_once=card.settles_at_once,
        _is_disputed=card.is_disputed,
    )
    return store.put("charges", charge)


def fail(store: Store, charge: Object, *, code: str, decline: str) -> Object:
    """The bank said no."""
    outcome = {
        "network_status": "declined_by_network",
        "reason": decline,
        "risk_level": "normal",
        "type": "issuer_declined",
    }
    failed = {
        **charge,
        "status": "failed",
        "paid": False,
        "failure_code": code,
        "failure_message": message_of(decline),
        "outcome": outcome,
    }
    store.put("charges", failed)
    tell(store, "charge.failed", failed)
    return failed


def capture(store: Store, charge: Object, amount: int) -> Object:
    """Take ``amount`` of what was authorised into the platform's balance, less the fee."""
    settles = 0 if charge["_settles_at_once"] else balances.SETTLES_AFTER_S
    taken = balances.record(store, "charge", amount, charge, fee=balances.card_fee(amount), settles_after_s=settles)
    captured = {
        **charge,
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": amount,
        "balance_transaction": taken,
    }
    return store.put("charges", captured)


def expire(store: Store, charge: Object) -> None:
    """An authorisation that nobody captured falls back to the cardholder."""
    expired = {**charge, "amount_refunded": charge["amount"], "refunded": True}
    store.put("charges", expired)
    tell(store, "charge.expired", expired)


def list_charges(store: Store, params: Params, account: str) -> Object:
    """An account's charges, newest first."""
    return page(
        store, "charges", params, lambda row: row["_account"] == account, payment_intent=text, transfer_group=text
    )
