"""Awaits the seller's invoice of each delivery, and issues the platform's own for each fee that it takes."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.values import Money
from events.orders import DeliveryAccepted
from services.settlement.escrows.model import Escrow
from services.settlement.holds.model import Deposits
from services.settlement.invoices.model import Invoice, Kind, State
from services.settlement.ledger.model import PLATFORM, account_id
from services.settlement.ledger.model import Kind as AccountKind
from services.settlement.ledger.queries import posting_number
from services.settlement.statements.model import StatementLine


def await_invoice(session: Session, deal: Deposits, accepted: DeliveryAccepted) -> None:
    """Await the seller's invoice of a stage of a delivery before it is paid; nothing happens when it is awaited already."""
    its = (Invoice.delivery_id == accepted.delivery_id, Invoice.stage == accepted.stage)
    if not session.scalar(select(exists().where(*its))):
        _expect(session, deal, accepted, releases=accepted)


def expect_invoice(session: Session, deal: Deposits, accepted: DeliveryAccepted) -> None:
    """Expect the seller's invoice of a stage of a delivery that is paid just now, if anything is owed."""
    if accepted.gross:
        _expect(session, deal, accepted, releases=None)


def _expect(session: Session, deal: Deposits, accepted: DeliveryAccepted, *, releases: DeliveryAccepted | None) -> None:
    session.add(
        Invoice(
            id=clock.new_id("invoice"),
            kind=Kind.GOODS,
            deal_id=deal.id,
            delivery_id=accepted.delivery_id,
            stage=accepted.stage,
            issuer_id=deal.seller_id,
            payer_id=deal.buyer_id,
            currency=accepted.gross.currency,
            tax_rate=accepted.tax_rate,
            net=accepted.net.amount,
            tax=accepted.tax.amount,
            gross=accepted.gross.amount,
            created_at=clock.now(),
            releases=releases,
            state=State.EXPECTED,
        )
    )


def issue_fee(session: Session, deal: Deposits | Escrow, line: StatementLine, tax_rate: Decimal) -> None:
    """Invoice what a line says that the platform took, tax included, to who bore it.

    Its number is that of the posting on the platform's account of fees: there is none without a fee, and no gap.
    """
    gross = Money(line.fee + line.forfeit_fee, line.currency)
    if not gross or line.journal_id is None:
        return
    net = gross.without_rate(tax_rate)
    account = account_id(PLATFORM, AccountKind.FEE, line.currency)
    invoice = Invoice(
        id=clock.new_id("invoice"),
        kind=Kind.FEE,
        deal_id=deal.id,
        line_id=line.id,
        issuer_id=PLATFORM,
        payer_id=_bearer_of(deal, line),
        currency=line.currency,
        tax_rate=tax_rate,
        net=net.amount,
        tax=(gross - net).amount,
        gross=gross.amount,
        created_at=clock.now(),
        state=State.EXPECTED,
    )
    invoice.issue(f"{line.currency}-{posting_number(session, line.journal_id, account):08d}")
    session.add(invoice)


def _bearer_of(deal: Deposits | Escrow, line: StatementLine) -> str:
    """The seller of what it was paid, and of a forfeit who received it."""
    return deal.buyer_id if line.seller_forfeited else deal.seller_id
