"""Connected accounts, and transfers of the platform's money to them and back."""

from infra.stripe_sandbox import balances
from infra.stripe_sandbox.errors import WrongState
from infra.stripe_sandbox.events import tell
from infra.stripe_sandbox.objects import PLATFORM, find, fresh, page
from infra.stripe_sandbox.parameters import Params, accept, amount, currency, metadata, one_of, text
from infra.stripe_sandbox.store import Object, Store


def create_account(store: Store, params: Params) -> Object:
    """A connected account that can receive transfers."""
    asked = accept(params, type=one_of("custom", "express", "standard"), country=text, email=text, metadata=metadata)
    asked["metadata"] = asked["metadata"] or {}
    return store.put("accounts", fresh(store, "acct", charges_enabled=True, payouts_enabled=True, **asked))


def create_transfer(store: Store, params: Params) -> Object:
    """Move money to a connected account: out of one charge (``source_transaction``), else out of what is available."""
    asked = accept(
        params,
        required=("amount", "currency", "destination"),
        amount=amount,
        currency=currency,
        destination=text,
        source_transaction=text,
        transfer_group=text,
        description=text,
        metadata=metadata,
    )
    find(store, "accounts", asked["destination"], param="destination")
    source = None
    if asked["source_transaction"]:
        source = find(store, "charges", asked["source_transaction"], param="source_transaction")
    _check_source(store, asked, source)
    transfer = fresh(
        store,
        "tr",
        amount=asked["amount"],
        amount_reversed=0,
        currency=asked["currency"],
        destination=asked["destination"],
        source_transaction=asked["source_transaction"],
        description=asked["description"],
        metadata=asked["metadata"] or {},
        transfer_group=asked["transfer_group"] or (source or {}).get("transfer_group"),
        reversed=False,
        source_type="card",
    )
    transfer["balance_transaction"] = balances.record(store, "transfer", -asked["amount"], transfer)
    balances.record(store, "payment", asked["amount"], transfer, account=asked["destination"])
    store.put("transfers", transfer)
    tell(store, "transfer.created", transfer)
    return transfer


def reverse_transfer(store: Store, params: Params, transfer_id: str) -> Object:
    """Pull money of a transfer back from the connected account."""
    asked = accept(params, amount=amount, metadata=metadata, description=text)
    transfer = find(store, "transfers", transfer_id)
    open_amount = transfer["amount"] - transfer["amount_reversed"]
    back = asked["amount"] or open_amount
    if not 0 < back <= open_amount:
        raise WrongState(
            f"Reversal amount is greater than what is left of the transfer ({open_amount}).", param="amount"
        )
    balances.need(store, back, transfer["currency"], transfer["destination"])
    reversal = fresh(
        store, "trr", amount=back, currency=transfer["currency"], transfer=transfer_id, metadata=asked["metadata"] or {}
    )
    reversal["balance_transaction"] = balances.record(store, "transfer_refund", back, reversal)
    balances.record(store, "payment_refund", -back, reversal, account=transfer["destination"])
    store.put("transfer_reversals", reversal)
    gone = transfer["amount_reversed"] + back
    transfer = store.put("transfers", {**transfer, "amount_reversed": gone, "reversed": gone == transfer["amount"]})
    tell(store, "transfer.reversed", transfer)
    return reversal


def list_transfers(store: Store, params: Params) -> Object:
    """Transfers, newest first."""
    return page(store, "transfers", params, destination=text, transfer_group=text)


def _check_source(store: Store, asked: Params, source: Object | None) -> None:
    if source is None:
        return balances.need(store, asked["amount"], asked["currency"], PLATFORM)
    if source["currency"] != asked["currency"] or not source["captured"]:
        raise WrongState(
            "The source transaction must be a captured charge in the currency of the transfer.",
            param="source_transaction",
        )
    used = sum(
        row["amount"] - row["amount_reversed"]
        for row in store.oldest_first("transfers")
        if row["source_transaction"] == source["id"]
    )
    if used + asked["amount"] > source["amount_captured"]:
        raise WrongState("The amount exceeds what is left of the source transaction.", code="balance_insufficient")
    return None
