"""Ends what will not be delivered: parts of a deal, or all that is left of it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.values import Money
from events.orders import DealDefaulted, PartEnded
from services.settlement.escrows.model import Escrow, Portion
from services.settlement.escrows.moving import DealMoney, lock_deal, share_out, stand
from services.settlement.escrows.shares import Kept, Purse, Shares, share_end
from services.settlement.escrows.standing import open_purse
from services.settlement.holds.model import Side
from services.settlement.holds.queries import are_held
from services.settlement.invoices.queries import is_awaited
from services.settlement.statements.commands import has_parts, is_part_written, say_part
from services.settlement.statements.model import LineKind


def end_part(session: Session, ended: PartEnded) -> None:
    """Settle a part that will not be delivered: its escrow back, its breaker's deposit forfeit, its shares released.

    Nothing happens the second time, or when the deal is over.
    """
    deal = lock_deal(session, ended.deal_id)
    if not deal.deposits.can("resolve") or is_part_written(session, ended.part_id):
        return
    side = Side(ended.by) if ended.by else None
    if deal.escrow is None:
        value, shares = ended.value, share_end(side, ended.forfeit, *_everything(deal), deal.forfeit_fee_rate)
    else:
        value, shares = share_ended(deal, deal.escrow, side, ended)
    kind = LineKind.CANCELLATION if side is None else LineKind.DEFAULT
    reason = f"{side}: {ended.reason}" if side else ended.reason
    share_out(session, deal, kind, f"part:{ended.part_id}", shares, reason=reason, said=say_part(ended, value))
    if deal.escrow is not None:
        deal.escrow.resolve(shares, value)
    if deal.escrow is None or deal.escrow.is_resolved:
        deal.deposits.move("resolve")


def share_ended(deal: DealMoney, escrow: Escrow, side: Side | None, ended: PartEnded) -> tuple[Money, Shares]:
    """The value that the end of a part resolves and who gets what; what of it was unpaid is not to be paid any more."""
    portion = Portion(piece_ids=ended.piece_ids) if ended.piece_ids else Portion(quantity=ended.quantity)
    value = min(ended.value, escrow.open)
    missed = escrow.miss_of(portion, value, is_paid=ended.is_paid)
    purse, kept = open_purse(stand(escrow, deal), value, missed)
    if not ended.is_paid:
        escrow.miss(portion, missed)
    return value, share_end(side, ended.forfeit, purse, kept, escrow.forfeit_fee_rate)


def break_deal(session: Session, defaulted: DealDefaulted) -> None:
    """Forfeit the deposit of the side that broke a deal, give the rest back; does nothing when the deal is over.

    A deal of which parts were settled by their values has forfeited with them: then all that is left goes back.
    """
    deal = lock_deal(session, defaulted.deal_id)
    if deal.deposits.can("resolve"):
        is_told = has_parts(session, defaulted.deal_id)
        forfeit = Money.zero(defaulted.forfeit.currency) if is_told else defaulted.forfeit
        side = Side(defaulted.by)
        shares = share_end(side, forfeit, *_everything(deal), deal.forfeit_fee_rate)
        _end(session, deal, shares, LineKind.DEFAULT, f"{side}: {defaulted.reason}")


def call_off_deal(session: Session, deal_id: str, reason: str) -> None:
    """Give everything back that a deal holds; nothing happens when the deal is over or its deposits were refused."""
    deal = lock_deal(session, deal_id)
    if deal.deposits.can("resolve"):
        _end(session, deal, _give_back(deal), LineKind.CANCELLATION, reason)


def complete_deal(session: Session, deal_id: str) -> None:
    """Give back what is left of a deal that began before its parts had values; every other one is over by itself."""
    if not are_held(session, deal_id) or is_awaited(session, deal_id):
        return
    deal = lock_deal(session, deal_id)
    if deal.deposits.can("resolve"):
        _end(session, deal, _give_back(deal), LineKind.CANCELLATION, "completed")


def _everything(deal: DealMoney) -> tuple[Purse, Kept]:
    purse = deal.purse
    return purse, Kept.nothing(purse.escrow.currency)


def _give_back(deal: DealMoney) -> Shares:
    purse, kept = _everything(deal)
    return share_end(None, kept.buyer, purse, kept, deal.forfeit_fee_rate)


def _end(session: Session, deal: DealMoney, shares: Shares, kind: LineKind, reason: str) -> None:
    share_out(session, deal, kind, f"{kind}:{deal.deposits.id}", shares, reason=reason, said={})
    deal.deposits.move("resolve")
    if deal.escrow is not None:
        deal.escrow.end(shares)
