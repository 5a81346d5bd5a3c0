"""What tests of card money that moves on do to Stripe's stand-in, and how an operator looks."""

from __future__ import annotations

from typing import Any

from tests.services.settlement_payments.conftest import Stand


def fetch(stand: Stand, path: str) -> Any:
    """What an operator is answered."""
    answer = stand.send("GET", path, party="platform", role="operator")
    assert answer.status_code == 200, answer.json
    return answer.json


def refund(stand: Stand, payment_id: str) -> Any:
    """An operator asks for a refund."""
    return stand.send("POST", f"/v1/card-payments/{payment_id}/refund", party="platform", role="operator")


def charge_of(stand: Stand, payment_id: str) -> str:
    """Stripe's charge of a payment."""
    return str(stand.stripe.v1.payment_intents.retrieve(stand.see(payment_id)["intent_id"]).latest_charge)


def dispute(stand: Stand, payment_id: str, **members: Any) -> str:
    """The cardholder disputes a payment; the dispute's id."""
    return stand.admin(f"charges/{charge_of(stand, payment_id)}/dispute", **members)["id"]


def decide(stand: Stand, dispute_id: str, evidence: str) -> None:
    """The bank decides on a dispute by what it is shown."""
    stand.stripe.v1.disputes.update(dispute_id, {"evidence": {"uncategorized_text": evidence}})


def lose_webhooks(stand: Stand) -> None:
    """From now on no webhook is sent, and no sweep reads what they would have said."""
    stand.script(on="webhook", action="drop", times=1_000)
    stand.script(on="request", path="/v1/events", fault="status", status=500, times=100_000)
