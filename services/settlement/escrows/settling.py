"""Pays accepted deliveries: at once, or when the seller has recorded its invoice where the deal says so."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.messages import emit
from chassis.problems import NotYetKnown
from chassis.values import Money
from events.orders import DeliveryAccepted
from events.settlement import DeliverySettled
from services.settlement.escrows.model import Escrow
from services.settlement.escrows.moving import DealMoney, lock_deal, share_out, stand
from services.settlement.escrows.shares import Kept, Shares, share_delivery, share_early_delivery
from services.settlement.escrows.standing import open_purse
from services.settlement.invoices.commands import await_invoice, expect_invoice
from services.settlement.statements.commands import find_delivery, say_delivery
from services.settlement.statements.model import LineKind, StatementLine
from services.settlement.supplements.commands import ask_supplement


def settle_delivery(session: Session, accepted: DeliveryAccepted) -> None:
    """Pay a stage of an accepted delivery and tell; one that was paid before is told again. Raises NotYetKnown.

    Where the deal's escrow waits for the seller's invoice, the invoice is awaited and nothing moves yet.
    """
    deal = lock_deal(session, accepted.deal_id)
    if deal.escrow is None:
        raise NotYetKnown(f"the payment of the deal {accepted.deal_id!r} has not been asked for yet")
    line = find_delivery(session, accepted.delivery_id, accepted.stage)
    if line is None:
        if deal.escrow.release == "invoice" and accepted.value is not None and accepted.gross:
            await_invoice(session, deal.deposits, accepted)
            return
        line = pay_delivery(session, deal, deal.escrow, accepted)
        expect_invoice(session, deal.deposits, accepted)
    _tell(session, deal.escrow, accepted, line)


def release_delivery(session: Session, accepted: DeliveryAccepted) -> None:
    """Pay a delivery whose invoice has just been recorded, and tell."""
    deal = lock_deal(session, accepted.deal_id)
    if deal.escrow is not None and find_delivery(session, accepted.delivery_id, accepted.stage) is None:
        _tell(session, deal.escrow, accepted, pay_delivery(session, deal, deal.escrow, accepted))


def pay_delivery(session: Session, deal: DealMoney, escrow: Escrow, accepted: DeliveryAccepted) -> StatementLine:
    """Share out what a delivery came to, and end the deal when it was the last part of it."""
    if accepted.value is None or accepted.value:
        escrow.pay_out()
    value, shares = share_accepted(deal, escrow, accepted)
    stage = "" if accepted.stage == "whole" else f":{accepted.stage}"
    line = share_out(
        session,
        deal,
        LineKind.DELIVERY,
        f"delivery:{accepted.delivery_id}{stage}",
        shares,
        journal_kind="delivery_settlement",
        reason=accepted.reason,
        said=say_delivery(accepted, value),
    )
    escrow.resolve(shares, _resolved(escrow, accepted, value))
    if escrow.is_resolved and deal.deposits.can("resolve"):
        deal.deposits.move("resolve")
    return line


def share_accepted(deal: DealMoney, escrow: Escrow, accepted: DeliveryAccepted) -> tuple[Money | None, Shares]:
    """The value that the delivery resolves and who gets what; of old, no value was told and the last one took all."""
    if accepted.value is not None:
        value = min(accepted.value, escrow.open)
        purse, kept = open_purse(stand(escrow, deal), value, Money.zero(value.currency))
        return value, share_delivery(accepted.gross, purse, kept, escrow.fee_rate)
    if accepted.is_last:
        kept = Kept.nothing(accepted.gross.currency)
        return None, share_delivery(accepted.gross, deal.purse, kept, escrow.fee_rate)
    return None, share_early_delivery(accepted.gross, deal.purse, escrow.fee_rate)


def _resolved(escrow: Escrow, accepted: DeliveryAccepted, value: Money | None) -> Money:
    if value is not None:
        return value
    return escrow.open if accepted.is_last else Money.zero(accepted.gross.currency)


def _tell(session: Session, escrow: Escrow, accepted: DeliveryAccepted, line: StatementLine) -> None:
    """Say that a delivery is settled, and ask the buyer for what neither escrow nor deposit covered."""
    ask_supplement(session, escrow, accepted, line.shares.shortfall)
    settled = DeliverySettled(
        deal_id=accepted.deal_id,
        delivery_id=accepted.delivery_id,
        statement_id=line.statement_id,
        paid=line.shares.paid,
        fee=line.shares.fee,
        shortfall=line.shares.shortfall,
        stage=accepted.stage,
    )
    emit(session, settled, of=escrow)
