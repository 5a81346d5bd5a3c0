"""Posts movements, each by its id once. The caller holds the lock of the card payment, so that none is posted twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chassis import clock
from services.settlement.ledger.commands import post, post_certain
from services.settlement.ledger.model import PLATFORM, Kind, Lacking, Leg
from services.settlement.movements.model import CardMovement, Movement


def choose_new(session: Session, movements: Iterable[Movement]) -> list[Movement]:
    """Those that were not posted yet, oldest first."""
    by_id = {movement.id: movement for movement in movements}
    known = set(session.scalars(select(CardMovement.id).where(CardMovement.id.in_(by_id))))
    return sorted((by_id[id] for id in by_id.keys() - known), key=lambda movement: (movement.created, movement.id))


def post_charge(session: Session, movement: Movement, payment_id: str) -> None:
    """The party was credited when the payment succeeded: only the fee moves."""
    if movement.fee:
        _post(session, movement, movement.legs())
    _keep(session, movement, payment_id)


def post_refund(session: Session, movement: Movement, payment_id: str) -> None:
    """A refund that we asked for takes what was set aside for it."""
    _post(session, movement, movement.legs(Leg(PLATFORM, Kind.REFUND_TRANSIT, movement.money(movement.amount))))
    _keep(session, movement, payment_id)


def post_return(session: Session, movement: Movement, payment_id: str, party_id: str) -> None:
    """Take from the party what Stripe took from us, as far as it is there; or give back what Stripe gave back."""
    if movement.amount >= 0:
        owing = session.scalar(select(func.sum(CardMovement.owed)).where(CardMovement.payment_id == payment_id)) or 0
        owed = min(movement.amount, -int(owing))
        _post(session, movement, movement.split(party_id, owed))
    else:
        owed = _take(session, movement, party_id)
    _keep(session, movement, payment_id, owed)


def mark_seen(session: Session, ids: Sequence[str], reconciliation_id: str) -> None:
    """Note which reconciliation found movements at Stripe."""
    session.execute(update(CardMovement).where(CardMovement.id.in_(ids)).values(seen_by=reconciliation_id))


def _take(session: Session, movement: Movement, party_id: str) -> int:
    """A refused journal leaves its accounts locked, so what it says is missing still is when the rest is posted."""
    whole = movement.split(party_id, 0)
    answer = post(session, key=_key(movement), kind=f"card_{movement.kind}", subject=movement.id, legs=whole)
    if not isinstance(answer, Lacking):
        return 0
    owed = -answer.missing.amount
    _post(session, movement, movement.split(party_id, owed))
    return owed


def _post(session: Session, movement: Movement, legs: Iterable[Leg]) -> None:
    kind = f"card_{movement.kind}"
    post_certain(session, key=_key(movement), kind=kind, subject=movement.id, legs=legs)


def _key(movement: Movement) -> str:
    return f"card_movement:{movement.id}"


def _keep(session: Session, movement: Movement, payment_id: str, owed: int = 0) -> None:
    row = CardMovement(
        id=movement.id,
        payment_id=payment_id,
        kind=movement.kind,
        amount=movement.amount,
        fee=movement.fee,
        currency=movement.currency,
        source_id=movement.source_id,
        owed=owed,
        created=movement.created,
        posted_at=clock.now(),
    )
    session.add(row)
    session.flush()
