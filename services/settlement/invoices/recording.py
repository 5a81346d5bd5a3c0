"""Records the seller's tax invoice; where the deal's escrow waits for it, that pays the delivery."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get, see
from services.settlement.escrows.moving import lock_deal
from services.settlement.escrows.settling import release_delivery
from services.settlement.invoices.model import Invoice, NotTheIssuer, Slip


def record_invoice(session: Session, caller: Caller, invoice_id: str, slip: Slip) -> Invoice:
    """Keep what stands on the invoice; the same again changes nothing.

    Raises NotTheIssuer, InvoiceDiffers with the ``difference``, InvoiceFromTheFuture, InvoiceNumberUsed, or IllegalMove
    when another was recorded.
    """
    seen = see(session, Invoice, invoice_id, caller)
    if caller.party_id != seen.issuer_id:
        raise NotTheIssuer("who issues an invoice records it, nobody else")
    if seen.releases is not None:
        lock_deal(session, seen.deal_id)
    invoice = get(session, Invoice, invoice_id, caller)
    if invoice.says(slip):
        invoice.check_same(slip)
        return invoice
    invoice.record(slip)
    session.flush()
    if invoice.releases is not None:
        release_delivery(session, invoice.releases)
    return invoice
