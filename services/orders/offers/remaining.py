"""The one statement that takes from an offer: many takers fight for its row, and it alone decides who gets how much.

It says in SQL what ``Offer.check_takable`` and ``Lot.check`` say in Python, with the states of ``Offer.moves``; a
property test holds the two equal. Both forms of it are built once, for building costs more than sending.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Numeric, and_, bindparam, case, literal, or_, select, update
from sqlalchemy.orm import Session

from chassis.database import note_locked
from chassis.values import Quantity
from services.orders.offers.model import Offer
from services.orders.pieces.queries import FREE_WORTH

_PART, _ALL = Offer.moves["take_part"], Offer.moves["take_all"]


def _build(wanted: ColumnElement[Any], fits: ColumnElement[bool]) -> Any:
    left = Offer.remaining_value - wanted
    states = Offer.state.type
    taken = (
        update(Offer)
        .where(Offer.id == bindparam("offer"), Offer.state.in_(sorted(_PART.from_states)))
        .where(Offer.terms_version == bindparam("seen"), Offer.valid_until > bindparam("now"))
        .where(wanted > 0, left >= 0, fits)
        .values(
            remaining_value=left,
            version=Offer.version + 1,
            state=case((left == 0, literal(_ALL.to, states)), else_=literal(_PART.to, states)),
            due_at=case((left == 0, None), else_=Offer.due_at),
        )
        .returning(Offer)
    )
    return select(Offer).from_statement(taken).execution_options(populate_existing=True, synchronize_session=False)


_wanted = bindparam("wanted", type_=Numeric(18, 6))
_left = Offer.remaining_value - _wanted
_in_steps = and_(_wanted >= Offer.minimum_value, _wanted % Offer.step_value == 0, _left >= Offer.minimum_value)
_by_weight = and_(Offer.step_value.is_not(None), Offer.remaining_unit == bindparam("unit"))
_TAKE_QUANTITY = _build(_wanted, and_(_by_weight, or_(_left == 0, _in_steps)))
_TAKE_WORTH = _build(FREE_WORTH, Offer.step_value.is_(None))


def take_quantity(session: Session, offer_id: str, wanted: Quantity, *, seen: int, now: datetime) -> Offer | None:
    """Take a quantity from an offer by weight, and hold the offer's lock: the offer as it is then.

    None when the offer does not allow it, or the unit is not the price's: the model says why.
    """
    return _take(session, _TAKE_QUANTITY, offer=offer_id, wanted=wanted.value, unit=wanted.unit, seen=seen, now=now)


def take_pieces(session: Session, offer_id: str, piece_ids: Iterable[str], *, seen: int, now: datetime) -> Offer | None:
    """The same for what those of some pieces weigh that are free in an offer by pieces."""
    return _take(session, _TAKE_WORTH, offer=offer_id, pieces=list(piece_ids), seen=seen, now=now)


def _take(session: Session, statement: Any, **values: Any) -> Offer | None:
    offer: Offer | None = session.scalars(statement, values).one_or_none()
    if offer is not None:
        # The update holds the row's lock, as ``get`` would: what is told of the offer keeps its order.
        note_locked(session, offer)
    return offer
