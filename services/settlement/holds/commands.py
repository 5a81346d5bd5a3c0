"""Holds both deposits of a deal or none, and resolves holds as their deal goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get_if_any, get_many
from chassis.messages import emit
from chassis.problems import NotYetKnown
from chassis.values import Money
from events.orders import DealStruck
from events.settlement import DepositRefused, DepositsHeld
from services.settlement.holds.model import Deposits, DepositsState, Hold, HoldState, Side
from services.settlement.ledger.commands import post_batch
from services.settlement.ledger.model import Draft, Kind, Lacking, Leg


def hold_deposits(session: Session, caller: Caller, struck: Iterable[DealStruck]) -> None:
    """Freeze both deposits of each deal, or neither and say who lacked money; asked again, say what it was."""
    asked = {deal.deal_id: deal for deal in struck}
    known = get_many(session, Deposits, _known_among(session, asked), caller)
    known_ids = {deposits.id for deposits in known}
    fresh = [_ask(deal) for id, deal in asked.items() if id not in known_ids]
    _freeze(session, fresh)
    session.add_all(fresh)
    for deposits in [*known, *fresh]:
        _say_outcome(session, deposits)


def _ask(struck: DealStruck) -> Deposits:
    return Deposits(
        id=struck.deal_id,
        buyer_id=struck.buyer_id,
        seller_id=struck.seller_id,
        buyer_deposit=struck.buyer_deposit,
        seller_deposit=struck.seller_deposit,
        state=DepositsState.ASKED,
    )


def _freeze(session: Session, asked: Sequence[Deposits]) -> None:
    """Hold or refuse the deposits of deals, in their order; a deal that owes none is held."""
    owing = [deposits for deposits in asked if _owed(deposits)]
    answers = dict(zip(owing, post_batch(session, [_draft(deposits) for deposits in owing]), strict=True))
    for deposits in asked:
        answer = answers.get(deposits)
        if isinstance(answer, Lacking):
            deposits.move("refuse")
            deposits.refused_side = deposits.side_of(answer.owner_id)
        else:
            deposits.move("hold")
            session.add_all(
                Hold.place(deposits.id, party_id, side, amount) for side, party_id, amount in _owed(deposits)
            )


def _owed(deposits: Deposits) -> list[tuple[Side, str, Money]]:
    return [(side, *deposits.of(side)) for side in Side if deposits.of(side)[1]]


def _draft(deposits: Deposits) -> Draft:
    legs = tuple(
        leg
        for _, party_id, amount in _owed(deposits)
        for leg in (Leg(party_id, Kind.AVAILABLE, -amount), Leg(party_id, Kind.FROZEN, amount))
    )
    return Draft(key=f"hold:{deposits.id}", kind="hold", subject=deposits.id, legs=legs)


def _say_outcome(session: Session, deposits: Deposits) -> None:
    if deposits.state is DepositsState.REFUSED:
        side = Side(deposits.refused_side or "")
        emit(session, DepositRefused(deal_id=deposits.id, by=side.value, required=deposits.of(side)[1]), of=deposits)
    else:
        emit(session, DepositsHeld(deal_id=deposits.id), of=deposits)


def _known_among(session: Session, deal_ids: Collection[str]) -> Sequence[str]:
    return session.scalars(select(Deposits.id).where(Deposits.id.in_(deal_ids))).all()


def lock_deposits(session: Session, caller: Caller, deal_id: str) -> tuple[Deposits, dict[Side, Hold]]:
    """A deal's deposits and what is still held of them by side, locked. Raises NotYetKnown before there are any."""
    deposits = get_if_any(session, Deposits, deal_id, caller)
    if deposits is None:
        raise NotYetKnown(f"the deal {deal_id!r} has not been heard of yet")
    active = select(Hold).where(Hold.deal_id == deal_id, Hold.state == HoldState.ACTIVE).order_by(Hold.id)
    holds = session.scalars(active.with_for_update().execution_options(populate_existing=True))
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


def draw_converted(session: Session, hold: Hold | None, journal_id: str, converted: Money) -> None:
    """Resolve what a payment used of a deposit."""
    nothing = Money.zero(converted.currency)
    draw(session, hold, journal_id, released=nothing, converted=converted, forfeited=nothing)
