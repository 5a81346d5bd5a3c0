"""The calls to Stripe that the worker makes, and the commands that put down what came of them."""

from __future__ import annotations

from typing import Any

import stripe
import structlog

from chassis.service import Errand
from chassis.settings import Settings
from services.settlement.payments import commands, hearing, moving, stripe_client, stripe_money
from services.settlement.payments.model import CardsOff

log = structlog.get_logger(__name__)
LEASE_S = 120
"""Longer than the three tries of twenty seconds that the SDK may make."""


def charge_card(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Ask for the charge, under the key that was stored with the payment."""
    return stripe_client.charge_card(stripe_client.open_client(settings), payload)


def look_up_card_payment(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Ask what became of a payment."""
    return stripe_client.look_up(stripe_client.open_client(settings), payload)


def list_card_events(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Ask for a page of events. The sweep comes round again: what keeps it from asking now is no failure."""
    try:
        client = stripe_client.open_client(settings)
        return stripe_client.list_events(client, since=payload["since"], after=payload["after"])
    except CardsOff:
        return {"later": "cards are off"}
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        log.warning("card events not swept", error=str(error))
        return {"later": "no answer"}


def list_card_movements(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Ask what Stripe has moved of a payment's money."""
    return {"movements": stripe_money.look_at_money(stripe_client.open_client(settings), payload["intent_id"])}


def refund_card(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Ask for a refund."""
    return stripe_money.refund_card(stripe_client.open_client(settings), payload, attempt)


ERRANDS = {
    "charge_card": Errand(charge_card, commands.record_charge, lease_s=LEASE_S),
    "look_up_card_payment": Errand(look_up_card_payment, commands.record_look, lease_s=LEASE_S),
    "list_card_events": Errand(list_card_events, hearing.record_sweep, max_attempts=1, lease_s=LEASE_S),
    "list_card_movements": Errand(list_card_movements, moving.record_money, lease_s=LEASE_S),
    "refund_card": Errand(refund_card, moving.record_refund, lease_s=LEASE_S),
}
