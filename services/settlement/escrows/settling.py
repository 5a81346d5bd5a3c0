"""Shares a deal's money out: when a delivery is accepted, a side breaks the deal, or it comes to nothing.

Each does the same in the same order: lock escrow, deposits and holds; share; post one journal; write the line of the
statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.messages import emit
from chassis.problems import NotYetKnown
from chassis.values import Money
from events.orders import DealDefaulted, DeliveryAccepted
from events.settlement import DeliverySettled
from services.settlement.escrows.commands import lock_escrow
from services.settlement.escrows.model import Escrow
from services.settlement.escrows.shares import (
    Purse,
    Shares,
    legs_of,
    share_back,
    share_default,
    share_delivery,
    share_last_delivery,
)
from services.settlement.holds.commands import draw, lock_deposits
from services.settlement.holds.model import Deposits, Hold, Side
from services.settlement.ledger.commands import post_certain
from services.settlement.statements.commands import find_delivery, write_line
from services.settlement.statements.model import LineKind, StatementLine


@dataclass
class _DealMoney:
    """The rows of one deal's money, locked."""

    escrow: Escrow | None
    deposits: Deposits
    holds: dict[Side, Hold]

    @property
    def purse(self) -> Purse:
        nothing = Money.zero(self.deposits.buyer_deposit.currency)
        held = {side: hold.remaining for side, hold in self.holds.items()}
        return Purse(
            escrow=self.escrow.rest if self.escrow else nothing,
            buyer_deposit=held.get(Side.BUYER, nothing),
            seller_deposit=held.get(Side.SELLER, nothing),
        )

    @property
    def forfeit_fee_rate(self) -> Decimal:
        """The platform takes nothing of a forfeit before the agreement that says so is signed."""
        return self.escrow.forfeit_fee_rate if self.escrow else Decimal(0)


def settle_delivery(session: Session, caller: Caller, accepted: DeliveryAccepted) -> None:
    """Pay an accepted delivery and tell; one that was paid before is told again. Raises NotYetKnown."""
    deal = _lock(session, caller, accepted.deal_id)
    if deal.escrow is None:
        raise NotYetKnown(f"the payment of the deal {accepted.deal_id!r} has not been asked for yet")
    line = find_delivery(session, accepted.delivery_id)
    if line is None:
        share = share_last_delivery if accepted.is_last else share_delivery
        shares = share(accepted.gross, deal.purse, deal.escrow.fee_rate)
        deal.escrow.pay_out(shares)
        journal_id = _move(session, deal, shares, f"delivery:{accepted.delivery_id}", "delivery_settlement")
        line = write_line(session, deal.deposits, LineKind.DELIVERY, journal_id, shares, delivery=accepted)
        if accepted.is_last:
            deal.escrow.close(Money.zero(accepted.gross.currency))
            deal.deposits.move("resolve")
    emit(session, _settled(accepted, line), of=deal.escrow)


def break_deal(session: Session, caller: Caller, defaulted: DealDefaulted) -> None:
    """Forfeit the deposit of the side that broke a deal, give the rest back; does nothing when the deal is over."""
    deal = _lock(session, caller, defaulted.deal_id)
    if deal.deposits.can("resolve"):
        side = Side(defaulted.by)
        shares = share_default(side, defaulted.forfeit, deal.purse, deal.forfeit_fee_rate)
        _end(session, deal, shares, LineKind.DEFAULT, f"{side}: {defaulted.reason}")


def call_off_deal(session: Session, caller: Caller, deal_id: str, reason: str) -> None:
    """Give everything back that a deal holds; nothing happens when the deal is over or its deposits were refused."""
    deal = _lock(session, caller, deal_id)
    if deal.deposits.can("resolve"):
        _end(session, deal, share_back(deal.purse), LineKind.CANCELLATION, reason)


def _lock(session: Session, caller: Caller, deal_id: str) -> _DealMoney:
    escrow = lock_escrow(session, caller, deal_id)
    return _DealMoney(escrow, *lock_deposits(session, caller, deal_id))


def _end(session: Session, deal: _DealMoney, shares: Shares, kind: LineKind, reason: str) -> None:
    journal_id = _move(session, deal, shares, f"{kind}:{deal.deposits.id}", kind)
    write_line(session, deal.deposits, kind, journal_id, shares, reason=reason)
    deal.deposits.move("resolve")
    if deal.escrow is not None and deal.escrow.can("close"):
        deal.escrow.close(shares.returned)


def _move(session: Session, deal: _DealMoney, shares: Shares, key: str, kind: str) -> str | None:
    """Post what the shares say and resolve what was drawn from the holds; None when nothing moves."""
    deposits, nothing = deal.deposits, Money.zero(shares.fee.currency)
    legs = legs_of(shares, buyer_id=deposits.buyer_id, seller_id=deposits.seller_id)
    if not any(leg.amount for leg in legs):
        return None
    journal_id = post_certain(session, key=key, kind=kind, subject=deposits.id, legs=legs)
    buyers, sellers = deal.holds.get(Side.BUYER), deal.holds.get(Side.SELLER)
    drawn = {"converted": shares.from_deposit, "forfeited": shares.buyer_forfeited}
    draw(session, buyers, journal_id, released=shares.buyer_released, **drawn)
    drawn = {"converted": nothing, "forfeited": shares.seller_forfeited}
    draw(session, sellers, journal_id, released=shares.seller_released, **drawn)
    return journal_id


def _settled(accepted: DeliveryAccepted, line: StatementLine) -> DeliverySettled:
    return DeliverySettled(
        deal_id=accepted.deal_id,
        delivery_id=accepted.delivery_id,
        statement_id=line.statement_id,
        paid=line.shares.paid,
        fee=line.shares.fee,
        shortfall=line.shares.shortfall,
    )
