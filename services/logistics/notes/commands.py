"""Issues, splits and ends pick-up notes. Whatever changes one holds the lock of its deal first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy import update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many, see
from chassis.problems import NotYetKnown
from chassis.values import Quantity
from services.logistics.deals import commands as deals
from services.logistics.deals import queries as deal_queries
from services.logistics.deals.model import Deal, DealPiece
from services.logistics.notes import queries
from services.logistics.notes.model import (
    Claim,
    NotePiece,
    PickupNote,
    PieceNoted,
    check_pieces_add_up,
    check_validity,
    check_weights_add_up,
    make_code,
)
from services.logistics.recalls import queries as recalls
from services.logistics.shipments import queries as shipments
from services.logistics.shipments.loads import NothingToCarry, PieceNotOfDeal, QuantityExceeded, keep_in
from services.logistics.shipments.model import PieceUnderWay


class Load(msgspec.Struct, frozen=True):
    """What one truck is to fetch, and which truck: pieces, or a quantity where the deal is over a weight."""

    piece_ids: tuple[str, ...]
    quantity: Quantity | None
    plate: str
    driver: str


def issue_note(
    session: Session, caller: Caller, *, deal_id: str, load: Load, valid_until: datetime | None
) -> PickupNote:
    """A note over goods of a deal, valid until its last day of delivery unless another time is named.

    Raises NotYetKnown, NotFound, NotTheSeller, DealNotDelivering, DeliveryOverdue, NotValidLong, NothingToCarry,
    PieceNotOfDeal, PartWithdrawn, PieceNoted, PieceUnderWay (all with ``pieces``) or QuantityExceeded (``remaining``).
    """
    deal = deals.lock_deal(session, deal_id, caller)
    deal.check_is_seller(caller)
    recalls.check_takes_trucks(session, deal)
    until = deal.deliver_by if valid_until is None else valid_until
    check_validity(until, now=clock.now(), deliver_by=deal.deliver_by)
    if of_deal := deal_queries.pieces_of_deal(session, deal_id):
        pieces = _choose_pieces(session, deal, of_deal, load)
        return _make_note(session, deal, load, pieces, _weigh(pieces), until)
    return _make_note(session, deal, load, [], _choose_quantity(session, deal, load), until)


def _choose_pieces(session: Session, deal: Deal, of_deal: dict[str, DealPiece], load: Load) -> list[DealPiece]:
    chosen = sorted(set(load.piece_ids))
    if not chosen or load.quantity is not None:
        raise NothingToCarry("the deal is over pieces: name those that the truck takes", field="$.piece_ids")
    strange = sorted(set(chosen) - of_deal.keys())
    if unpaid := sorted(set(strange).intersection(deal.unpaid_piece_ids)):
        raise NotYetKnown("that it is paid has not been heard of yet", field="$.piece_ids", pieces=unpaid)
    if strange:
        raise PieceNotOfDeal("the deal has no such piece", field="$.piece_ids", pieces=strange)
    recalls.check_not_withdrawn(session, deal.id, chosen)
    if under_way := shipments.pieces_under_way(session, deal.id, chosen):
        raise PieceUnderWay("a delivery carries or has brought it", field="$.piece_ids", pieces=under_way)
    if noted := sorted(queries.notes_over(session, chosen)):
        raise PieceNoted("void that note, or wait for it to expire", field="$.piece_ids", pieces=noted)
    return [of_deal[id] for id in chosen]


def _choose_quantity(session: Session, deal: Deal, load: Load) -> Quantity:
    if load.piece_ids or not load.quantity:
        raise NothingToCarry("the deal is over a weight: name a quantity above zero", field="$.quantity")
    remaining = queries.weight_free(session, deal)
    if load.quantity > remaining:
        if deal.unpaid and load.quantity <= remaining + deal.unpaid:
            raise NotYetKnown("that it is paid has not been heard of yet", field="$.quantity", remaining=remaining)
        raise QuantityExceeded(f"{remaining} of the deal is left", field="$.quantity", remaining=remaining)
    return keep_in(load.quantity, deal.quantity.unit)


def _weigh(pieces: Sequence[DealPiece | NotePiece]) -> Quantity:
    first, *rest = (piece.net for piece in pieces)
    return sum(rest, first)


def _make_note(
    session: Session,
    deal: Deal,
    load: Load,
    pieces: Iterable[DealPiece | NotePiece],
    quantity: Quantity,
    valid_until: datetime,
    parent_id: str | None = None,
) -> PickupNote:
    now = clock.now()
    note = PickupNote(
        id=clock.new_id("note"),
        deal_id=deal.id,
        parent_id=parent_id,
        seller_id=deal.seller_id,
        buyer_id=deal.buyer_id,
        warehouse_id=deal.warehouse_id,
        quantity=quantity,
        plate=load.plate,
        driver=load.driver,
        code=make_code(),
        wrong_codes=0,
        state=PickupNote.initial,
        due_at=valid_until,
        issued_at=now,
        valid_from=now,
        valid_until=valid_until,
    )
    session.add(note)
    session.add_all(
        NotePiece(
            note_id=note.id,
            piece_id=piece.piece_id,
            deal_id=deal.id,
            number=piece.number,
            net=piece.net,
            claim=Claim.OPEN,
        )
        for piece in pieces
    )
    return note


def split_note(
    session: Session, caller: Caller, note_id: str, parts: Sequence[Load]
) -> tuple[PickupNote, list[PickupNote]]:
    """Notes for several trucks instead of one, each with a code of its own; together they are over the same goods.

    Raises NotFound, NotTheSeller, NoteNotOpen, DealNotDelivering, DeliveryOverdue, NothingToCarry or PartsDiffer.
    """
    deal, note = lock_note(session, caller, note_id)
    deal.check_is_seller(caller)
    recalls.check_takes_trucks(session, deal)
    note.check_is_open(clock.now())
    pieces = queries.pieces_of_note(session, note_id)
    if any(
        bool(part.piece_ids) == (part.quantity is not None) or bool(part.piece_ids) != bool(pieces) for part in parts
    ):
        raise NothingToCarry("each part names pieces where the note does, and otherwise a quantity", field="$.parts")
    if pieces:
        check_pieces_add_up(pieces.keys(), [part.piece_ids for part in parts])
    else:
        check_weights_add_up(note.quantity, [part.quantity for part in parts])
    note.end("split", clock.now())
    _release(session, [note.id])
    return note, [_make_child(session, deal, note, part, pieces) for part in parts]


def _make_child(session: Session, deal: Deal, note: PickupNote, part: Load, pieces: dict[str, NotePiece]) -> PickupNote:
    own = [pieces[id] for id in sorted(part.piece_ids)]
    quantity = _weigh(own) if own else keep_in(part.quantity, note.quantity.unit)
    return _make_note(session, deal, part, own, quantity, note.valid_until, parent_id=note.id)


def void_note(session: Session, caller: Caller, note_id: str, reason: str) -> PickupNote:
    """The seller takes a note back; its goods are free for another. Raises NotFound, NotTheSeller or IllegalMove."""
    deal, note = lock_note(session, caller, note_id)
    deal.check_is_seller(caller)
    note.end("void", clock.now(), reason)
    _release(session, [note.id])
    return note


def renew_code(session: Session, caller: Caller, note_id: str) -> PickupNote:
    """Give a note a new code; the one before opens nothing. Raises NotFound, NotTheSeller or NoteNotOpen."""
    deal, note = lock_note(session, caller, note_id)
    deal.check_is_seller(caller)
    note.renew_code(clock.now())
    return note


def expire_note(session: Session, caller: Caller, note_id: str) -> None:
    """Its validity has passed: its goods are free again."""
    _, note = lock_note(session, caller, note_id)
    if note.is_due(clock.now()):
        note.end("expire", clock.now(), "it was not used in time")
        _release(session, [note.id])


def expire_notes(session: Session, caller: Caller, deal_id: str) -> None:
    """End every open note of a deal whose lock is held: its deliveries are closed."""
    for note in get_many(session, PickupNote, queries.open_notes(session, deal_id), caller):
        note.end("expire", clock.now(), "the deliveries of the deal were closed")
        _release(session, [note.id])


def void_notes(session: Session, caller: Caller, note_ids: Collection[str], reason: str) -> None:
    """Void open notes of a deal whose lock is held."""
    for note in get_many(session, PickupNote, note_ids, caller):
        note.end("void", clock.now(), reason)
        _release(session, [note.id])


def void_notes_beyond(session: Session, caller: Caller, deal: Deal, left: Decimal, reason: str) -> None:
    """Void open notes of a deal over a weight, newest first, until they come to what is left, in the deal's unit."""
    ids = queries.open_notes(session, deal.id)
    notes = {note.id: note for note in get_many(session, PickupNote, ids, caller)}
    noted = sum((note.quantity.value for note in notes.values()), Decimal())
    beyond = []
    for id in ids:
        if noted > left:
            beyond.append(id)
            noted -= notes[id].quantity.value
    void_notes(session, caller, beyond, reason)


def use_note(session: Session, note: PickupNote, loaded: Collection[str]) -> None:
    """A truck has loaded pieces of a note, or some of its weight: it is used up, and what was not loaded is free again."""
    note.end("use", clock.now())
    taken = update(NotePiece).where(NotePiece.note_id == note.id, NotePiece.piece_id.in_(loaded))
    session.execute(taken.values(claim=Claim.TAKEN))
    _release(session, [note.id])


def lock_note(session: Session, caller: Caller, note_id: str) -> tuple[Deal, PickupNote]:
    """A note and its deal, the deal locked first. Raises NotFound."""
    deal_id = see(session, PickupNote, note_id, caller).deal_id
    deal = deals.lock_deal(session, deal_id, caller)
    return deal, get(session, PickupNote, note_id, caller)


def _release(session: Session, note_ids: Collection[str]) -> None:
    """Let go of whatever pieces are still noted."""
    open_still = update(NotePiece).where(NotePiece.note_id.in_(note_ids), NotePiece.claim == Claim.OPEN)
    session.execute(open_still.values(claim=Claim.FREED))
