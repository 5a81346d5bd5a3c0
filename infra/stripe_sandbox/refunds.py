"""Refunds: money back to a card. Transfers of that money stay where they are."""

from infra.stripe_sandbox import balances
from infra.stripe_sandbox.errors import BadParameter, WrongState
from infra.stripe_sandbox.events import tell
from infra.stripe_sandbox.objects import find, fresh, page
from infra.stripe_sandbox.parameters import Params, accept, amount, metadata, one_of, text
from infra.stripe_sandbox.store import Object, Store


def create_refund(store: Store, params: Params) -> Object:
    """Give a card back all or part of what was captured; transfers of that money stay where they are."""
    reasons = one_of("duplicate", "fraudulent", "requested_by_customer")
    asked = accept(params, charge=text, payment_intent=text, amount=amount, reason=reasons, metadata=metadata)
    charge = _charge_to_refund(store, asked)
    if charge["disputed"]:
        raise WrongState(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
    open_amount = charge["amount_captured"] - charge["amount_refunded"]
    back = asked["amount"] or open_amount
    if open_amount == 0:
        raise WrongState(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if back > open_amount:
        raise WrongState(
            f"Refund amount ({back}) is greater than unrefunded amount on charge ({open_amount})", param="amount"
        )
    refund = fresh(
        store,
        "re",
        amount=back,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=asked["metadata"] or {},
        payment_intent=charge["payment_intent"],
        reason=asked["reason"],
        status="succeeded",
        transfer_reversal=None,
    )
    refund["balance_transaction"] = balances.record(store, "refund", -back, refund)
    store.put("refunds", refund)
    gone = charge["amount_refunded"] + back
    charge = store.put("charges", {**charge, "amount_refunded": gone, "refunded": gone == charge["amount_captured"]})
    tell(store, "refund.created", refund)
    tell(store, "charge.refunded", charge)
    return refund


def fail_refund(store: Store, refund_id: str) -> Object:
    """The card cannot take the money any more: it comes back."""
    refund = find(store, "refunds", refund_id)
    if refund["status"] != "succeeded":
        raise WrongState(f"Refund {refund_id} cannot fail: it is {refund['status']}.")
    back = balances.record(store, "refund_failure", refund["amount"], refund)
    failed = {
        **refund,
        "status": "failed",
        "failure_reason": "lost_or_stolen_card",
        "failure_balance_transaction": back,
    }
    store.put("refunds", failed)
    charge = find(store, "charges", refund["charge"])
    store.put("charges", {**charge, "amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False})
    tell(store, "refund.failed", failed)
    return failed


def list_refunds(store: Store, params: Params) -> Object:
    """Refunds, newest first."""
    return page(store, "refunds", params, charge=text, payment_intent=text)


def _charge_to_refund(store: Store, asked: Params) -> Object:
    if bool(asked["charge"]) == bool(asked["payment_intent"]):
        raise BadParameter("One of charge or payment_intent should be provided.", param="charge")
    charge_id = asked["charge"]
    if charge_id is None:
        charge_id = find(store, "payment_intents", asked["payment_intent"], param="payment_intent")["latest_charge"]
    charge = store.get("charges", charge_id) if charge_id else None
    if charge is None or not charge["captured"]:
        raise WrongState("This payment does not have a successful charge to refund.", code="resource_missing")
    return charge
