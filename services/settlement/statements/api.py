"""Settlement statements over HTTP."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, View, query
from chassis.values import Exact, Identifier, Money, Quantity, UnitPrice, total
from services.settlement.escrows.shares import Shares
from services.settlement.statements import queries
from services.settlement.statements.model import LineKind, StatementLine

routes = Blueprint("statements", __name__)


class ListStatements(Paging):
    """Which statements to list."""

    deal_id: Identifier | None = None


class DeliveryView(View):
    """What was settled of a delivery: the weights at both ends, the quantity by the rule, and what it came to."""

    delivery_id: str
    loaded: Quantity
    received: Quantity
    settled: Quantity
    price: UnitPrice
    tax_rate: Exact
    net: Money
    tax: Money
    gross: Money

    @classmethod
    def of(cls, line: StatementLine) -> DeliveryView | None:
        if line.delivery_id is None:
            return None
        same = ("delivery_id", "loaded", "received", "settled", "price")
        amounts = ("net", "tax", "gross")
        return cls(
            tax_rate=Exact(line.tax_rate.normalize()),
            **{name: getattr(line, name) for name in same},
            **{name: Money(getattr(line, name), line.currency) for name in amounts},
        )


class LineView(View):
    """One sharing out of the deal's money: ``paid`` is what the seller got before ``fee`` was taken from it."""

    number: int
    kind: LineKind
    reason: str | None
    at: datetime
    journal_id: str | None
    delivery: DeliveryView | None
    paid: Money
    shares: Shares

    @classmethod
    def of(cls, line: StatementLine) -> LineView:
        return cls(
            number=line.number,
            kind=LineKind(line.kind),
            reason=line.reason,
            at=line.created_at,
            journal_id=line.journal_id,
            delivery=DeliveryView.of(line),
            paid=line.shares.paid,
            shares=line.shares,
        )


class StatementView(View):
    """The settlement statement of a deal; ``totals`` are the sums of its lines' shares."""

    id: str
    deal_id: str
    buyer_id: str
    seller_id: str
    currency: str
    created_at: datetime
    lines: list[LineView]
    paid: Money
    totals: Shares

    @classmethod
    def of(cls, written: queries.Written) -> StatementView:
        statement, lines = written
        shares = [line.shares for line in lines]
        totals = Shares(
            **{
                name: total([getattr(share, name) for share in shares], statement.currency)
                for name in Shares.__struct_fields__
            }
        )
        return cls(
            id=statement.id,
            deal_id=statement.deal_id,
            buyer_id=statement.buyer_id,
            seller_id=statement.seller_id,
            currency=statement.currency,
            created_at=statement.created_at,
            lines=[LineView.of(line) for line in lines],
            paid=totals.paid,
            totals=totals,
        )


@routes.get("/v1/statements")
@query()
def list_statements(session: Session, caller: Caller, params: ListStatements) -> Page[StatementView]:
    """The settlement statements of the caller's deals, newest first."""
    found = queries.list_statements(session, caller, params.deal_id, params.cursor, params.limit)
    return found.map(StatementView.of)


@routes.get("/v1/statements/<statement_id>")
@query()
def show_statement(session: Session, caller: Caller, statement_id: str) -> StatementView:
    """One settlement statement."""
    return StatementView.of(queries.show_statement(session, caller, statement_id))
