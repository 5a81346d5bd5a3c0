"""Writes the lines of settlement statements. The caller has locked the deal's money."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis import clock
from events.orders import DeliveryAccepted
from services.settlement.escrows.shares import Shares
from services.settlement.holds.model import Deposits
from services.settlement.statements.model import LineKind, Statement, StatementLine


def find_delivery(session: Session, delivery_id: str) -> StatementLine | None:
    """The line of a delivery, if it was settled before."""
    return session.scalars(select(StatementLine).where(StatementLine.delivery_id == delivery_id)).one_or_none()


def write_line(
    session: Session,
    deal: Deposits,
    kind: LineKind,
    journal_id: str | None,
    shares: Shares,
    *,
    delivery: DeliveryAccepted | None = None,
    reason: str | None = None,
) -> StatementLine:
    """Add a line to the statement of a deal, which begins with its first line."""
    statement = _statement_of(session, deal, shares.fee.currency)
    last = session.scalar(select(func.max(StatementLine.number)).where(StatementLine.statement_id == statement.id))
    line = StatementLine(
        id=clock.new_id("line"),
        statement_id=statement.id,
        number=(last or 0) + 1,
        kind=kind,
        reason=reason,
        journal_id=journal_id,
        created_at=clock.now(),
        currency=statement.currency,
        **{name: getattr(shares, name).amount for name in Shares.__struct_fields__},
        **(_say_delivery(delivery) if delivery else {}),
    )
    session.add(line)
    return line


def _statement_of(session: Session, deal: Deposits, currency: str) -> Statement:
    found = session.scalars(select(Statement).where(Statement.deal_id == deal.id)).one_or_none()
    if found is None:
        found = Statement(
            id=clock.new_id("statement"),
            deal_id=deal.id,
            buyer_id=deal.buyer_id,
            seller_id=deal.seller_id,
            currency=currency,
            created_at=clock.now(),
        )
        session.add(found)
        session.flush()
    return found


def _say_delivery(delivery: DeliveryAccepted) -> dict[str, Any]:
    return {
        "delivery_id": delivery.delivery_id,
        "loaded": delivery.loaded,
        "received": delivery.received,
        "settled": delivery.settled,
        "price": delivery.price,
        "tax_rate": delivery.tax_rate,
        "net": delivery.net.amount,
        "tax": delivery.tax.amount,
        "gross": delivery.gross.amount,
    }
