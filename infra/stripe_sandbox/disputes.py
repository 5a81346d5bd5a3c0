"""Disputes: a cardholder takes money back through the bank, and the bank decides (docs.stripe.com/testing#disputes).

The money and a fee leave at once and come back, without the fee, when the dispute is won. As under Stripe's test keys,
evidence whose uncategorized_text is ``winning_evidence`` or ``losing_evidence`` ends it.
"""

from typing import Any

from infra.stripe_sandbox import balances
from infra.stripe_sandbox.errors import BadParameter, WrongState
from infra.stripe_sandbox.events import tell
from infra.stripe_sandbox.objects import find, fresh, page
from infra.stripe_sandbox.parameters import Params, accept, boolean, metadata, text
from infra.stripe_sandbox.store import Object, Store

FEE = 1_500
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}
OPEN = ("needs_response", "under_review")


def dispute(store: Store, charge_id: str, amount: int | None = None) -> Object:
    """The cardholder disputes a charge, or a part of it."""
    charge = find(store, "charges", charge_id)
    if not charge["captured"] or charge["disputed"]:
        raise WrongState(f"Charge {charge_id} cannot be disputed.")
    taken = amount or charge["amount_captured"] - charge["amount_refunded"]
    disputed = fresh(
        store,
        "dp",
        amount=taken,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        evidence={"uncategorized_text": None},
        is_charge_refundable=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status="needs_response",
    )
    store.put("charges", {**charge, "disputed": True})
    disputed = _book(store, disputed, -taken, "dispute", fee=FEE)
    tell(store, "charge.dispute.created", disputed)
    tell(store, "charge.dispute.funds_withdrawn", disputed)
    return disputed


def update_dispute(store: Store, params: Params, dispute_id: str) -> Object:
    """Take evidence in, and decide when it is one of the two that decide."""
    asked = accept(params, evidence=_evidence, submit=boolean, metadata=metadata)
    disputed = _open(store, dispute_id)
    said = asked["evidence"] or {}
    disputed = {**disputed, "evidence": {**disputed["evidence"], **said}}
    verdict = VERDICTS.get(said.get("uncategorized_text", ""))
    if verdict is None or asked["submit"] is False:
        return store.put("disputes", disputed)
    return _close(store, disputed, verdict)


def close_dispute(store: Store, params: Params, dispute_id: str) -> Object:
    """Accept that the dispute is lost."""
    accept(params)
    return _close(store, _open(store, dispute_id), "lost")


def list_disputes(store: Store, params: Params) -> Object:
    """Disputes, newest first."""
    return page(store, "disputes", params, charge=text, payment_intent=text)


def _open(store: Store, dispute_id: str) -> Object:
    disputed = find(store, "disputes", dispute_id)
    if disputed["status"] not in OPEN:
        raise WrongState(f"Dispute {dispute_id} is already closed.", code="dispute_already_closed")
    return disputed


def _close(store: Store, disputed: Object, verdict: str) -> Object:
    closed = {**disputed, "status": verdict}
    if verdict == "won":
        closed = _book(store, closed, closed["amount"], "dispute_reversal")
        tell(store, "charge.dispute.funds_reinstated", closed)
    else:
        store.put("disputes", closed)
    tell(store, "charge.dispute.closed", closed)
    return closed


def _book(store: Store, disputed: Object, amount: int, category: str, *, fee: int = 0) -> Object:
    """A dispute shows its balance transactions whole."""
    booked = balances.record(store, "adjustment", amount, disputed, fee=fee, category=category)
    row = {**find(store, "balance_transactions", booked), "status": "available"}
    return store.put("disputes", {**disputed, "balance_transactions": [*disputed["balance_transactions"], row]})


def _evidence(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadParameter("Invalid object: evidence", param=name)
    return {key: words for key, words in accept(value, uncategorized_text=text).items() if words is not None}
