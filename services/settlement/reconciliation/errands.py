"""The call to Stripe that a reconciliation owes for each page."""

from __future__ import annotations

from typing import Any

import stripe
import structlog

from chassis.service import Errand
from chassis.settings import Settings
from services.settlement.payments import stripe_client, stripe_money
from services.settlement.payments.model import CardsOff
from services.settlement.reconciliation import commands

log = structlog.get_logger(__name__)


def reconcile_cards(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Ask for a page of Stripe's books. Without an answer the reconciliation asks again within the hour."""
    try:
        client = stripe_client.open_client(settings)
        page = stripe_money.list_movements(client, since=payload["since"], after=payload["after"])
    except CardsOff:
        return {"later": "cards are off"}
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        log.warning("card payments not reconciled", error=str(error))
        return {"later": "no answer"}
    return {**page, "hour": settings.reconcile_hour}


ERRANDS = {"reconcile_cards": Errand(reconcile_cards, commands.record_page, max_attempts=1, lease_s=120)}
