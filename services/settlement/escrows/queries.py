"""Looks at the payments of deals."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.settlement.escrows.model import Escrow, EscrowPayment, State

Paid = tuple[Escrow, list[EscrowPayment]]


def list_escrows(session: Session, caller: Caller, state: State | None, cursor: str | None, limit: int) -> Page[Paid]:
    """The escrows of the caller's deals with what was paid into each, newest deal first."""
    where = [] if state is None else [Escrow.state == state]
    found = page(session, Escrow, caller, cursor, limit, *where)
    payments = find_payments(session, [escrow.id for escrow in found.items])
    return found.map(lambda escrow: (escrow, payments[escrow.id]))


def show_escrow(session: Session, caller: Caller, deal_id: str) -> Paid:
    """The escrow of one deal with what was paid into it. Raises NotFound."""
    return see(session, Escrow, deal_id, caller), find_payments(session, [deal_id])[deal_id]


def find_payments(session: Session, deal_ids: list[str]) -> dict[str, list[EscrowPayment]]:
    """What was paid into escrows, by deal and in order."""
    payments: dict[str, list[EscrowPayment]] = defaultdict(list)
    of_these = select(EscrowPayment).where(EscrowPayment.deal_id.in_(deal_ids))
    for payment in session.scalars(of_these.order_by(EscrowPayment.number)):
        payments[payment.deal_id].append(payment)
    return payments
