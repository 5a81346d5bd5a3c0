"""Looks at invoices."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.wire import File
from services.settlement.invoices.model import Invoice, Kind, NoDocument, State
from services.settlement.invoices.paper import write_fee_invoice
from services.settlement.parties.queries import name_parties
from services.settlement.statements.queries import find_line


def list_invoices(
    session: Session,
    caller: Caller,
    *,
    deal_id: str | None,
    kind: Kind | None,
    state: State | None,
    cursor: str | None,
    limit: int,
) -> Page[Invoice]:
    """The invoices that the caller issues or pays, newest first."""
    asked = {Invoice.deal_id: deal_id, Invoice.kind: kind, Invoice.state: state}
    return page(session, Invoice, caller, cursor, limit, *(name == said for name, said in asked.items() if said))


def show_invoice(session: Session, caller: Caller, invoice_id: str) -> Invoice:
    """One invoice. Raises NotFound."""
    return see(session, Invoice, invoice_id, caller)


def is_awaited(session: Session, deal_id: str) -> bool:
    """Whether a delivery of a deal is still to be paid when its invoice is recorded."""
    pending = (Invoice.deal_id == deal_id, Invoice.state == State.EXPECTED, Invoice.releases.is_not(None))
    return bool(session.scalar(select(exists().where(*pending))))


def print_invoice(session: Session, caller: Caller, invoice_id: str) -> File:
    """The platform's invoice of a fee as a document. Raises NotFound, or NoDocument for one that the seller issues."""
    invoice = see(session, Invoice, invoice_id, caller)
    if invoice.kind != Kind.FEE or invoice.line_id is None:
        raise NoDocument(f"{invoice_id} is issued by the seller")
    names = name_parties(session, [invoice.payer_id])
    return write_fee_invoice(invoice, names[invoice.payer_id], find_line(session, invoice.line_id))
