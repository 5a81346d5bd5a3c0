"""Holds both deposits of a deal or none, and resolves holds as their deal goes on."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.messages import emit
from chassis.problems import NotYetKnown
from chassis.values import Money
from events.orders import DealStruck
from events.settlement import DepositRefused, DepositsHeld
from services.settlement.holds.model import Deposits, DepositsState, Hold, HoldState, Side
from services.settlement.ledger.commands import post
from services.settlement.ledger.model import Kind, Lacking, Leg


def hold_deposits(session: Session, caller: Caller, struck: DealStruck) -> None:
    """Freeze both deposits of a deal, or neither and say who lacked money; asked again, say what it was."""
    if is_known(session, struck.deal_id):
        _say_outcome(session, get(session, Deposits, struck.deal_id, caller))
        return
    deposits = Deposits(
        id=struck.deal_id,
        buyer_id=struck.buyer_id,
        seller_id=struck.seller_id,
        buyer_deposit=struck.buyer_deposit,
        seller_deposit=struck.seller_deposit,
        state=DepositsState.ASKED,
    )
    if (lacking := _freeze(session, deposits)) is not None:
        deposits.move("refuse")
        deposits.refused_side = deposits.side_of(lacking.owner_id)
    else:
        deposits.move("hold")
    session.add(deposits)
    _say_outcome(session, deposits)


def _freeze(session: Session, deposits: Deposits) -> Lacking | None:
    owed = [(side, *deposits.of(side)) for side in Side if deposits.of(side)[1]]
    if not owed:
        return None
    legs = [
        leg
        for _, party_id, amount in owed
        for leg in (Leg(party_id, Kind.AVAILABLE, -amount), Leg(party_id, Kind.FROZEN, amount))
    ]
    answer = post(session, key=f"hold:{deposits.id}", kind="hold", subject=deposits.id, legs=legs)
    if isinstance(answer, Lacking):
        return answer
    session.add_all(Hold.place(deposits.id, party_id, side, amount) for side, party_id, amount in owed)
    return None


def _say_outcome(session: Session, deposits: Deposits) -> None:
    if deposits.state is DepositsState.REFUSED:
        side = Side(deposits.refused_side or "")
        emit(session, DepositRefused(deal_id=deposits.id, by=side.value, required=deposits.of(side)[1]), of=deposits)
    else:
        emit(session, DepositsHeld(deal_id=deposits.id), of=deposits)


def is_known(session: Session, deal_id: str) -> bool:
    """Whether the deposits of a deal have been asked for."""
    return bool(session.scalar(select(exists().where(Deposits.id == deal_id))))


def lock_deposits(session: Session, caller: Caller, deal_id: str) -> tuple[Deposits, dict[Side, Hold]]:
    """A deal's deposits and what is still held of them by side, locked. Raises NotYetKnown before there are any."""
    if not is_known(session, deal_id):
        raise NotYetKnown(f"the deal {deal_id!r} has not been heard of yet")
    deposits = get(session, Deposits, deal_id, caller)
    active = select(Hold.id).where(Hold.deal_id == deal_id, Hold.state == HoldState.ACTIVE)
    holds = get_many(session, Hold, session.scalars(active).all(), caller)
    return deposits, {Side(hold.side): hold for hold in holds}


def draw(
    session: Session, hold: Hold | None, journal_id: str, *, released: Money, converted: Money, forfeited: Money
) -> None:
    """Resolve a hold, or the part of it that a journal moved: then what is left goes on as a hold of its own."""
    moved = released + converted + forfeited
    if hold is None or not moved:
        return
    if moved < hold.remaining:
        hold, rest = hold.divide(moved)
        session.add_all([hold, rest])
    hold.resolve(journal_id, released=released, converted=converted, forfeited=forfeited)
