"""The outside client for money that moves on: what Stripe's balance transactions say, and the refunds we ask for.

No transaction is open meanwhile. Movements are plain mappings, because the worker keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import stripe

from services.settlement.movements.model import Movement, MovementKind
from services.settlement.payments.stripe_client import Outcome, read_refusal

MOVEMENTS_A_PAGE = 100
MOST_OF_ONE = 100
KINDS = {"charge": MovementKind.CHARGE, "refund": MovementKind.REFUND, "dispute": MovementKind.DISPUTE}


class MovementPending(Exception):
    """Stripe has not booked a charge yet that it has made: ask again."""


def look_at_money(client: stripe.StripeClient, intent_id: str) -> list[dict[str, Any]]:
    """What was moved of an intent's money until now. Raises MovementPending."""
    v1, of_intent = client.v1, {"payment_intent": intent_id, "limit": MOST_OF_ONE}
    sources: list[Any] = [
        *v1.charges.list({**of_intent, "expand": ["data.balance_transaction"]}).data,
        *v1.refunds.list(
            {**of_intent, "expand": ["data.balance_transaction", "data.failure_balance_transaction"]}
        ).data,
        *v1.disputes.list(of_intent).data,
    ]
    return [movement for source in sources for movement in _movements_of(source.to_dict())]


def refund_card(client: stripe.StripeClient, wanted: dict[str, Any], attempt: int) -> Outcome:
    """Give a whole payment back: ``movements`` as they are then, and ``refused`` when Stripe will not.

    Each attempt has a key of its own: of a whole charge Stripe gives nothing back twice, whoever asks, and a key that
    replays a 500 would never be answered.
    """
    params: Any = {
        "payment_intent": wanted["intent_id"],
        "amount": wanted["amount"],
        "metadata": {"payment_id": wanted["payment_id"], "refund": wanted["key"]},
    }
    refusal: Outcome = {}
    try:
        client.v1.refunds.create(params, {"idempotency_key": f"refund:{wanted['key']}:{attempt}:{wanted['errand_id']}"})
    except (stripe.InvalidRequestError, stripe.CardError) as refused:
        refusal = {} if _is_under_way(client, wanted) else read_refusal(refused)
    return {"movements": look_at_money(client, wanted["intent_id"]), **refusal}


def list_movements(client: stripe.StripeClient, *, since: int, after: str | None) -> Outcome:
    """One page of the movements of charges since a time of Stripe's (unix seconds), newest first.

    ``last`` is where the next page begins; ``lost`` when Stripe does not know ``after`` any more. Payouts to our bank
    and what Stripe bills otherwise are no card's money and are left out.
    """
    params: Any = {"created": {"gte": since}, "limit": MOVEMENTS_A_PAGE, "expand": ["data.source"]}
    if after is not None:
        params["starting_after"] = after
    try:
        page = client.v1.balance_transactions.list(params, {"max_network_retries": 0})
    except stripe.InvalidRequestError:
        if after is None:
            raise
        return {"lost": True}
    rows = [row.to_dict() for row in page.data]
    found = [movement for row in rows if (movement := _read_movement(row, row["source"]))]
    newest = max((row["created"] for row in rows), default=0)
    return {"movements": found, "newest": newest, "last": rows[-1]["id"] if page.has_more else None}


def _is_under_way(client: stripe.StripeClient, wanted: dict[str, Any]) -> bool:
    refunds = client.v1.refunds.list({"payment_intent": wanted["intent_id"], "limit": MOST_OF_ONE}).data
    rows = [row.to_dict() for row in refunds]
    ours = [row for row in rows if (row["metadata"] or {}).get("refund") == wanted["key"]]
    return any(row["status"] not in ("failed", "canceled") for row in ours)


def _movements_of(source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match source["object"]:
        case "charge":
            booked = [source["balance_transaction"]] if source["captured"] else []
        case "refund":
            booked = [source["balance_transaction"], source.get("failure_balance_transaction")]
        case _:
            booked = source["balance_transactions"]
    if source["object"] == "charge" and booked == [None]:
        raise MovementPending(source["id"])
    for row in booked:
        if row is not None and (movement := _read_movement(row, source)):
            yield movement


def _read_movement(row: dict[str, Any], source: Any) -> dict[str, Any] | None:
    kind = KINDS.get(source["object"]) if isinstance(source, dict) else None
    if kind is None:
        return None
    movement = Movement(
        id=row["id"],
        kind=kind,
        amount=row["amount"],
        fee=row["fee"],
        currency=row["currency"].upper(),
        source_id=source["id"],
        created=row["created"],
        intent_id=source.get("payment_intent"),
        payment_id=(source.get("metadata") or {}).get("payment_id"),
    )
    return msgspec.to_builtins(movement)
