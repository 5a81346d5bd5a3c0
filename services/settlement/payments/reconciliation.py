"""Our payments, Stripe's balance transactions and the ledger's clearing account, held against each other to the cent.

Gross amounts are compared: Stripe's fees are the platform's cost and are summed apart (RELIABILITY.md 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
import stripe
from sqlalchemy.orm import Session

from services.settlement.payments.queries import credited_amounts, read_clearing
from services.settlement.payments.stripe_client import Movement, list_movements


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two of the three do not agree: ``subject`` is a payment, a charge that is none of ours, or ``clearing:CUR``."""

    subject: str
    currency: str
    at_stripe: int
    ours: int


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; ``fees`` are what Stripe kept, minor units by currency."""

    differences: list[Difference]
    fees: dict[str, int]


def reconcile(client: stripe.StripeClient, session: Session) -> Reconciliation:
    """Ask Stripe, then look. ``session`` is one of ``Database.look``. A payment under way is a difference too."""
    movements = list(list_movements(client))
    return compare(movements, credited_amounts(session), read_clearing(session))


def compare(
    movements: Sequence[Movement], credited: dict[tuple[str, str], int], clearing: dict[str, int]
) -> Reconciliation:
    """What differs of what Stripe took (less refunds and disputes), what was credited, and minus the clearing account.

    ``credited`` is by (payment id, currency) and ``clearing`` the balance by currency, all in minor units.
    """
    taken, fees = _sum_by_payment(movements)
    keys = sorted({*taken, *credited})
    differences = [
        Difference(subject=id, currency=currency, at_stripe=taken[id, currency], ours=credited.get((id, currency), 0))
        for id, currency in keys
        if taken[id, currency] != credited.get((id, currency), 0)
    ]
    for currency in sorted({currency for _, currency in keys} | clearing.keys()):
        whole = sum(amount for (_, of), amount in taken.items() if of == currency)
        if whole != -clearing.get(currency, 0):
            ours = -clearing.get(currency, 0)
            differences.append(
                Difference(subject=f"clearing:{currency}", currency=currency, at_stripe=whole, ours=ours)
            )
    return Reconciliation(differences=differences, fees=dict(fees))


def _sum_by_payment(movements: Sequence[Movement]) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    payment_of = {movement.charge_id: movement.payment_id for movement in movements if movement.payment_id}
    taken: Counter[tuple[str, str]] = Counter()
    fees: Counter[str] = Counter()
    for movement in movements:
        subject = payment_of.get(movement.charge_id, movement.charge_id)
        taken[subject, movement.currency] += movement.amount
        fees[movement.currency] += movement.fee
    return taken, fees
