"""Settlement statements over HTTP."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import File, Paging, View, query
from chassis.paper import PDF
from chassis.values import Exact, Identifier, Money, Quantity, UnitPrice
from services.settlement.escrows.shares import Shares
from services.settlement.statements import queries
from services.settlement.statements.model import LineKind, StatementLine, add_up, add_up_column

routes = Blueprint("statements", __name__)


class ListStatements(Paging):
    """Which statements to list."""

    deal_id: Identifier | None = None


class DeliveryView(View):
    """What was settled of a stage of a delivery: the weights, the quantity by the rule, and what it came to."""

    delivery_id: str
    stage: str
    loaded: Quantity
    received: Quantity
    third_party: Quantity | None
    rule: str | None
    settled: Quantity
    price: UnitPrice
    tax_rate: Exact
    net: Money
    tax: Money
    gross: Money

    @classmethod
    def of(cls, line: StatementLine) -> DeliveryView | None:
        if line.kind != LineKind.DELIVERY:
            return None
        made = {name: Money(getattr(line, name), line.currency) for name in ("net", "tax", "gross")}
        made |= {"tax_rate": Exact(line.tax_rate.normalize())}
        return cls(**made, **{name: getattr(line, name) for name in cls.__struct_fields__ if name not in made})


class PartView(View):
    """A part of the deal that will not be delivered: ``ended_by`` broke it, or both agreed to cancel it (null)."""

    part_id: str
    ended_by: str | None
    piece_ids: list[str]
    quantity: Quantity

    @classmethod
    def of(cls, line: StatementLine) -> PartView | None:
        if line.part_id is None:
            return None
        return cls(**{name: getattr(line, name) for name in cls.__struct_fields__})


class SupplementRef(View):
    """The supplementary payment that a line is about: paid when the line is of the kind supplement, else missed."""

    supplement_id: str
    delivery_id: str
    stage: str

    @classmethod
    def of(cls, line: StatementLine) -> SupplementRef | None:
        if line.supplement_id is None:
            return None
        return cls(**{name: getattr(line, name) for name in cls.__struct_fields__})


class LineView(View):
    """One sharing out of the deal's money: ``paid`` is what the seller got before ``fee`` was taken from it.

    ``value`` is the share of the deal's gross that it resolved, of which escrow held what was paid in.
    """

    number: int
    kind: LineKind
    reason: str | None
    at: datetime
    journal_id: str | None
    delivery: DeliveryView | None
    part: PartView | None
    supplement: SupplementRef | None
    value: Money | None
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
            part=PartView.of(line),
            supplement=SupplementRef.of(line),
            value=None if line.value is None else Money(line.value, line.currency),
            paid=line.shares.paid,
            shares=line.shares,
        )


class StatementView(View):
    """The settlement statement of a deal; ``totals`` are the sums of its lines' shares, net, tax and gross of its deliveries."""

    id: str
    deal_id: str
    buyer_id: str
    seller_id: str
    currency: str
    created_at: datetime
    lines: list[LineView]
    net: Money
    tax: Money
    gross: Money
    paid: Money
    totals: Shares

    @classmethod
    def of(cls, written: queries.Written) -> StatementView:
        statement, lines = written
        totals = add_up(lines, statement.currency)
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
            **{name: add_up_column(lines, name, statement.currency) for name in ("net", "tax", "gross")},
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


@routes.get("/v1/statements/<statement_id>/document")
@query(gives=(PDF,))
def print_statement(session: Session, caller: Caller, statement_id: str) -> File:
    """One settlement statement as a document, in Chinese and English."""
    return queries.print_statement(session, caller, statement_id)
