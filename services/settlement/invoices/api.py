"""Invoices over HTTP."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, File, Paging, View, command, query
from chassis.paper import PDF
from chassis.values import Exact, Identifier, Money, ShortText
from services.settlement.invoices import queries, recording
from services.settlement.invoices.model import Invoice, Kind, Slip, State

routes = Blueprint("invoices", __name__)


class ListInvoices(Paging):
    """Which invoices to list."""

    deal_id: Identifier | None = None
    kind: Kind | None = None
    state: State | None = None


class RecordInvoice(Body):
    """What stands on the tax invoice that the seller has issued: the amounts are those that the invoice here expects."""

    number: ShortText
    issued_on: date
    net: Money
    tax: Money
    gross: Money


class InvoiceView(View):
    """An invoice: the seller's of a stage of a delivery (goods), or the platform's of the fee in a statement's line (fee)."""

    id: str
    kind: Kind
    state: State
    deal_id: str
    delivery_id: str | None
    stage: str | None
    line_id: str | None
    issuer_id: str
    payer_id: str
    number: str | None
    issued_on: date | None
    tax_rate: Exact
    net: Money
    tax: Money
    gross: Money
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, invoice: Invoice) -> InvoiceView:
        """The view of an invoice."""
        amounts = {name: invoice.amount(name) for name in ("net", "tax", "gross")}
        made = {"kind": Kind(invoice.kind), "tax_rate": Exact(invoice.tax_rate.normalize())} | amounts
        said = {name: getattr(invoice, name) for name in cls.__struct_fields__ if name not in made}
        return cls(**said, **made)


@routes.get("/v1/invoices")
@query()
def list_invoices(session: Session, caller: Caller, params: ListInvoices) -> Page[InvoiceView]:
    """The invoices that the caller's company issues or pays, newest first."""
    asked = {"deal_id": params.deal_id, "kind": params.kind, "state": params.state}
    found = queries.list_invoices(session, caller, **asked, cursor=params.cursor, limit=params.limit)
    return found.map(InvoiceView.of)


@routes.get("/v1/invoices/<invoice_id>")
@query()
def show_invoice(session: Session, caller: Caller, invoice_id: str) -> InvoiceView:
    """One invoice."""
    return InvoiceView.of(queries.show_invoice(session, caller, invoice_id))


@routes.get("/v1/invoices/<invoice_id>/document")
@query(gives=(PDF,))
def print_invoice(session: Session, caller: Caller, invoice_id: str) -> File:
    """The platform's invoice of a fee, in Chinese and English."""
    return queries.print_invoice(session, caller, invoice_id)


@routes.post("/v1/invoices/<invoice_id>/record")
@command(role="finance")
def record_invoice(session: Session, caller: Caller, invoice_id: str, body: RecordInvoice) -> InvoiceView:
    """Record the tax invoice of a delivery; where the deal says so, this pays the delivery out of escrow.

    Amounts that differ from the settlement statement are refused, with the difference.
    """
    slip = Slip(number=body.number, issued_on=body.issued_on, net=body.net, tax=body.tax, gross=body.gross)
    return InvoiceView.of(recording.record_invoice(session, caller, invoice_id, slip))
