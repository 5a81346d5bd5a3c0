"""The sandbox's money: balance transactions, and balances as their sum. ``net = amount - fee``, minor units."""

from infra.stripe_sandbox.errors import WrongState
from infra.stripe_sandbox.objects import PLATFORM, fresh, now, page
from infra.stripe_sandbox.parameters import Params, accept, currency, text
from infra.stripe_sandbox.store import Object, Store

SETTLES_AFTER_S = 2 * 24 * 3600
FEE_PER_MILLE, FEE_FIXED = 29, 30


def record(
    store: Store,
    type: str,
    amount: int,
    of: Object,
    *,
    fee: int = 0,
    account: str = PLATFORM,
    settles_after_s: int = 0,
    category: str = "",
) -> str:
    """Book a movement of ``amount`` (signed) caused by the object ``of``; returns the transaction's id.

    ``category`` is how reports call it where that is not its type.
    """
    details = [
        {"amount": fee, "currency": of["currency"], "description": "Stripe processing fees", "type": "stripe_fee"}
    ]
    transaction = fresh(
        store,
        "txn",
        type=type,
        reporting_category=category or type,
        amount=amount,
        fee=fee,
        fee_details=details if fee else [],
        net=amount - fee,
        currency=of["currency"],
        source=of["id"],
        available_on=now(store) + settles_after_s,
        description=of.get("description"),
        exchange_rate=None,
        _account=account,
    )
    store.put("balance_transactions", transaction)
    return transaction["id"]


def card_fee(amount: int) -> int:
    """2.9 % + 0.30, half-up."""
    return min((amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED, amount)


def available(store: Store, currency: str, account: str) -> int:
    """What may be paid out or transferred now, minor units."""
    rows = _rows(store, account)
    return sum(row["net"] for row in rows if row["currency"] == currency and row["available_on"] <= now(store))


def need(store: Store, amount: int, currency: str, account: str) -> None:
    """Raises WrongState when less than ``amount`` is available."""
    if available(store, currency, account) < amount:
        raise WrongState("You have insufficient available funds in your Stripe account.", code="balance_insufficient")


def show_balance(store: Store, params: Params, account: str) -> Object:
    """The balance of an account in each currency, available and pending."""
    accept(params)
    sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
    for row in _rows(store, account):
        part = sums["available" if row["available_on"] <= now(store) else "pending"]
        part[row["currency"]] = part.get(row["currency"], 0) + row["net"]
    parts = {name: [{"amount": total, "currency": cur} for cur, total in part.items()] for name, part in sums.items()}
    return {"object": "balance", "livemode": False, **parts}


def list_transactions(store: Store, params: Params, account: str) -> Object:
    """An account's balance transactions."""
    filters = {"type": text, "source": text, "currency": currency}
    return page(store, "balance_transactions", params, lambda row: row["_account"] == account, **filters)


def _rows(store: Store, account: str) -> list[Object]:
    return [row for row in store.oldest_first("balance_transactions") if row["_account"] == account]
