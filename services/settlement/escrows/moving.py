"""The money of one deal, locked, and the one way to share it out: a journal, what it draws from the holds, a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.values import Money
from events.orders import DepositUse
from services.settlement.escrows.commands import lock_escrow
from services.settlement.escrows.model import Escrow
from services.settlement.escrows.shares import Purse, Shares, legs_of
from services.settlement.escrows.standing import Standing
from services.settlement.holds.commands import draw, lock_deposits
from services.settlement.holds.model import Deposits, Hold, Side
from services.settlement.invoices.commands import issue_fee
from services.settlement.ledger.commands import post_certain
from services.settlement.statements.commands import write_line
from services.settlement.statements.model import LineKind, StatementLine

SYSTEM = Caller.system("settlement")


@dataclass
class DealMoney:
    """The rows of one deal's money, locked."""

    escrow: Escrow | None
    deposits: Deposits
    holds: dict[Side, Hold]

    @property
    def purse(self) -> Purse:
        """All that there is."""
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

    @property
    def fee_tax_rate(self) -> Decimal:
        """The tax that is included in what the platform takes."""
        return self.escrow.fee_tax_rate if self.escrow else Decimal(0)


def lock_deal(session: Session, deal_id: str) -> DealMoney:
    """The money of a deal, locked for the service itself. Raises NotYetKnown before the deal was heard of."""
    escrow = lock_escrow(session, SYSTEM, deal_id)
    return DealMoney(escrow, *lock_deposits(session, SYSTEM, deal_id))


def stand(escrow: Escrow, deal: DealMoney) -> Standing:
    """Where the money of a deal stands."""
    currency, purse = escrow.gross.currency, deal.purse
    use: DepositUse = "counts" if escrow.deposit_use == "counts" else "held"
    return Standing(
        gross=escrow.gross,
        funded=Money(escrow.funded, currency),
        missed=Money(escrow.missed, currency),
        resolved=Money(escrow.resolved, currency),
        escrow=escrow.rest,
        buyer_deposit=deal.deposits.buyer_deposit,
        seller_deposit=deal.deposits.seller_deposit,
        buyer_held=purse.buyer_deposit,
        seller_held=purse.seller_deposit,
        deposit_use=use,
    )


def share_out(
    session: Session,
    deal: DealMoney,
    kind: LineKind,
    key: str,
    shares: Shares,
    *,
    journal_kind: str | None = None,
    reason: str | None,
    said: Mapping[str, Any],
) -> StatementLine:
    """Post what the shares say, resolve what was drawn from the holds, write the line and invoice the platform's fee."""
    journal_id = _move(session, deal, shares, key, journal_kind or kind)
    line = write_line(session, deal.deposits, kind, journal_id, shares, reason=reason, said=said)
    issue_fee(session, deal.deposits, line, deal.fee_tax_rate)
    return line


def _move(session: Session, deal: DealMoney, shares: Shares, key: str, kind: str) -> str | None:
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
