"""Writes the lines of settlement statements. The caller has locked the deal's money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.values import Money
from events.orders import DeliveryAccepted, PartEnded, Stage
from services.settlement.escrows.model import Escrow
from services.settlement.escrows.shares import Shares
from services.settlement.holds.model import Deposits
from services.settlement.statements.model import LineKind, Statement, StatementLine


def find_delivery(session: Session, delivery_id: str, stage: Stage) -> StatementLine | None:
    """The line of a stage of a delivery, if it was settled before."""
    its = (StatementLine.delivery_id == delivery_id, StatementLine.stage == stage)
    return session.scalars(select(StatementLine).where(*its, StatementLine.kind == LineKind.DELIVERY)).one_or_none()


def is_part_written(session: Session, part_id: str) -> bool:
    """Whether a part's end was settled before."""
    return bool(session.scalar(select(exists().where(StatementLine.part_id == part_id))))


def has_parts(session: Session, deal_id: str) -> bool:
    """Whether the end of any part of a deal was settled by itself."""
    of_deal = (StatementLine.statement_id == Statement.id, Statement.deal_id == deal_id)
    return bool(session.scalar(select(exists().where(*of_deal, StatementLine.part_id.is_not(None)))))


def write_line(
    session: Session,
    deal: Deposits | Escrow,
    kind: LineKind,
    journal_id: str | None,
    shares: Shares,
    *,
    reason: str | None,
    said: Mapping[str, Any],
) -> StatementLine:
    """Add a line to the statement of a deal, which begins with its first line; ``said`` is what the line is about."""
    statement, last = _open_statement(session, deal, shares.fee.currency)
    line = StatementLine(
        id=clock.new_id("line"),
        statement_id=statement.id,
        number=last + 1,
        kind=kind,
        reason=reason,
        journal_id=journal_id,
        created_at=clock.now(),
        currency=statement.currency,
        **{name: getattr(shares, name).amount for name in Shares.__struct_fields__},
        **({"stage": "whole"} | dict(said)),
    )
    session.add(line)
    return line


def _open_statement(session: Session, deal: Deposits | Escrow, currency: str) -> tuple[Statement, int]:
    """The statement of a deal, and the number of its last line."""
    last = select(func.max(StatementLine.number)).where(StatementLine.statement_id == Statement.id)
    found = session.execute(select(Statement, last.scalar_subquery()).where(Statement.deal_id == deal.id)).one_or_none()
    if found is not None:
        return found[0], found[1] or 0
    statement = Statement(
        id=clock.new_id("statement"),
        deal_id=deal.id,
        buyer_id=deal.buyer_id,
        seller_id=deal.seller_id,
        currency=currency,
        created_at=clock.now(),
    )
    session.add(statement)
    session.flush()
    return statement, 0


def say_delivery(delivery: DeliveryAccepted, value: Money | None) -> dict[str, Any]:
    """What a line says of a delivery."""
    return {
        "delivery_id": delivery.delivery_id,
        "stage": delivery.stage,
        "loaded": delivery.loaded,
        "received": delivery.received,
        "third_party": delivery.third_party,
        "rule": delivery.rule,
        "settled": delivery.settled,
        "price": delivery.price,
        "tax_rate": delivery.tax_rate,
        "net": delivery.net.amount,
        "tax": delivery.tax.amount,
        "gross": delivery.gross.amount,
        "value": None if value is None else value.amount,
    }


def say_part(ended: PartEnded, value: Money) -> dict[str, Any]:
    """What a line says of a part that will not be delivered."""
    return {
        "part_id": ended.part_id,
        "ended_by": ended.by,
        "piece_ids": ended.piece_ids,
        "quantity": ended.quantity,
        "value": value.amount,
    }


def say_supplement(supplement_id: str, delivery_id: str, stage: str) -> dict[str, Any]:
    """What a line says of a supplement: it resolves nothing of the deal's gross."""
    return {"supplement_id": supplement_id, "delivery_id": delivery_id, "stage": stage, "value": 0}
