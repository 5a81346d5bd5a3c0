"""Commands by which deals take from offers and give back; the offer is locked from then on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.problems import Invalid, NotFound
from chassis.values import Quantity
from events.orders import DealPiece
from services.orders.measures import add_up, in_price_unit
from services.orders.offers import remaining
from services.orders.offers.commands import describe, describe_again
from services.orders.offers.model import Offer
from services.orders.offers.offered import CLOSED
from services.orders.parties.queries import find_licences
from services.orders.pieces import commands as pieces
from services.orders.pieces.model import Promised
from services.orders.pieces.queries import check_free

SYSTEM = Caller.system("orders")


class WrongTake(Invalid):
    """An offer of pieces is taken by naming pieces, an offer by weight by naming a quantity."""


class Taken(msgspec.Struct, frozen=True):
    """What a take has moved from an offer to a deal; ``pieces`` is empty for an offer by weight."""

    offer: Offer
    pieces: list[DealPiece]
    quantity: Quantity


def take_named(
    session: Session, caller: Caller, offer_id: str, deal_id: str, piece_ids: Sequence[str], *, seen: int
) -> Taken:
    """Move named pieces from an offer to a deal of the caller's.

    Raises PieceTwice, CoilGone, WrongTake, NotFound or what ``Offer.check_takable`` raises.
    """
    pieces.check_named_once(piece_ids)
    now = clock.now()
    offer = remaining.take_pieces(session, offer_id, piece_ids, seen=seen, now=now)
    if offer is None:
        held = _hold_shown(session, caller, offer_id)
        held.check_takable(seen=seen, now=now)
        if held.is_by_weight:
            raise WrongTake("name a quantity", field="$.piece_ids")
        check_free(session, offer_id, piece_ids)
        offer = remaining.take_pieces(session, offer_id, piece_ids, seen=seen, now=now)
    _check_shown(session, caller, offer)
    taken, promised = pieces.take_pieces(session, offer_id, deal_id, piece_ids)
    describe(session, offer, promised)
    return Taken(offer, taken, add_up((piece.net for piece in taken), offer.remaining.unit))


def take_weight(session: Session, caller: Caller, offer_id: str, wanted: Quantity, *, seen: int) -> Taken:
    """Move a quantity from an offer by weight to a deal of the caller's; it may be said in any unit that converts into the price's.

    Raises InsufficientQuantity, NotAStep, BelowMinimum, WrongTake, UnitMismatch, NotFound or what
    ``Offer.check_takable`` raises.
    """
    now = clock.now()
    offer = remaining.take_quantity(session, offer_id, wanted, seen=seen, now=now)
    if offer is None:
        held = _hold_shown(session, caller, offer_id)
        held.check_takable(seen=seen, now=now)
        if not held.is_by_weight:
            raise WrongTake("name pieces", field="$.quantity")
        wanted = in_price_unit(wanted, held.remaining.unit, field="$.quantity")
        held.lot.check(wanted)
        offer = remaining.take_quantity(session, offer_id, wanted, seen=seen, now=now)
    _check_shown(session, caller, offer)
    describe(session, offer, Promised())
    return Taken(offer, [], wanted)


def give_back(session: Session, offer_id: str, deal_id: str, *, piece_ids: Sequence[str], quantity: Quantity) -> None:
    """Return what a dead deal had taken: for sale again, or free of any promise when the offer is closed."""
    offer = _hold(session, offer_id)
    offer.put_back(quantity, clock.now())
    if offer.state in CLOSED:
        pieces.release_pieces(session, deal_id, piece_ids)
        pieces.release_untaken(session, offer_id)
    else:
        pieces.return_pieces(session, deal_id, piece_ids)
    describe_again(session, offer)


def pass_on(session: Session, offer_id: str, deal_id: str, *, piece_ids: Sequence[str], to: str) -> None:
    """Give delivered and paid pieces to their buyer; they are promised to it until the catalog has written it down."""
    if piece_ids:
        offer = _hold(session, offer_id)
        pieces.pass_pieces(session, deal_id, piece_ids, to=to)
        offer.version += 1
        describe_again(session, offer)


def _hold_shown(session: Session, caller: Caller, offer_id: str) -> Offer:
    held = _hold(session, offer_id)
    _check_shown(session, caller, held)
    return held


def _check_shown(session: Session, caller: Caller, offer: Offer) -> None:
    """Raises NotFound, as if there were no such offer, unless the caller is one of those whom it is shown to."""
    if offer.audience is None and not offer.needs:
        return
    if not offer.is_shown_to(caller.party_id, find_licences(session, caller.party_id), clock.now()):
        raise NotFound(f"no offer {offer.id!r}")


def _hold(session: Session, offer_id: str) -> Offer:
    """The offer, locked, whoever asks: one who came too late is told why although the offer is no longer shown."""
    return get(session, Offer, offer_id, SYSTEM)
