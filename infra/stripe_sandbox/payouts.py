"""Payouts: an account's available money on its way to its bank."""

from infra.stripe_sandbox import balances
from infra.stripe_sandbox.errors import WrongState
from infra.stripe_sandbox.events import tell
from infra.stripe_sandbox.objects import find, fresh, now, page
from infra.stripe_sandbox.parameters import Params, accept, amount, currency, metadata, one_of, text
from infra.stripe_sandbox.store import Object, Store

ARRIVES_AFTER_S = 2 * 24 * 3600


def create_payout(store: Store, params: Params, account: str) -> Object:
    """Send available money of an account to its bank; it arrives after two days."""
    asked = accept(
        params,
        required=("amount", "currency"),
        amount=amount,
        currency=currency,
        description=text,
        metadata=metadata,
        method=one_of("standard", "instant"),
    )
    balances.need(store, asked["amount"], asked["currency"], account)
    payout = fresh(
        store,
        "po",
        amount=asked["amount"],
        currency=asked["currency"],
        arrival_date=now(store) + ARRIVES_AFTER_S,
        automatic=False,
        description=asked["description"],
        metadata=asked["metadata"] or {},
        method=asked["method"] or "standard",
        status="pending",
        type="bank_account",
        _account=account,
    )
    payout["balance_transaction"] = balances.record(store, "payout", -asked["amount"], payout, account=account)
    store.put("payouts", payout)
    tell(store, "payout.created", payout)
    return payout


def cancel_payout(store: Store, params: Params, payout_id: str) -> Object:
    """Call off a payout that the bank does not have yet."""
    accept(params)
    payout = find(store, "payouts", payout_id)
    if payout["status"] != "pending":
        raise WrongState(f"Payout {payout_id} cannot be canceled: it is {payout['status']}.")
    balances.record(store, "payout_cancel", payout["amount"], payout, account=payout["_account"])
    payout = store.put("payouts", {**payout, "status": "canceled"})
    tell(store, "payout.canceled", payout)
    return payout


def arrive_due(store: Store) -> int:
    """Payouts whose arrival date has come are paid; returns how many there were."""
    due = [
        row for row in store.oldest_first("payouts") if row["status"] == "pending" and row["arrival_date"] <= now(store)
    ]
    for payout in due:
        tell(store, "payout.paid", store.put("payouts", {**payout, "status": "paid"}))
    return len(due)


def list_payouts(store: Store, params: Params, account: str) -> Object:
    """An account's payouts."""
    return page(store, "payouts", params, lambda row: row["_account"] == account, status=text)
