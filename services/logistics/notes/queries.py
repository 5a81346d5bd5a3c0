"""Shows pick-up notes to those whom they concern, and what the open ones of a deal are over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.values import Exact, Quantity
from services.logistics.deals.model import Deal
from services.logistics.notes.model import Claim, NotePiece, PickupNote, State
from services.logistics.recalls import queries as recalls
from services.logistics.shipments import queries as shipments


class Details(msgspec.Struct, frozen=True):
    """A note with its pieces, and the delivery that it was used for."""

    note: PickupNote
    pieces: list[NotePiece]
    delivery_id: str | None


def add_details(session: Session, notes: Collection[PickupNote]) -> list[Details]:
    """Notes with what belongs to them, in one statement for each kind."""
    ids = [note.id for note in notes]
    pieces: dict[str, list[NotePiece]] = defaultdict(list)
    for piece in session.scalars(
        select(NotePiece).where(NotePiece.note_id.in_(ids)).order_by(NotePiece.number, NotePiece.piece_id)
    ):
        pieces[piece.note_id].append(piece)
    deliveries = shipments.deliveries_of_notes(session, ids)
    return [Details(note, pieces[note.id], deliveries.get(note.id)) for note in notes]


def see_note(session: Session, note_id: str, caller: Caller) -> Details:
    """A note of the caller's. Raises NotFound."""
    return add_details(session, [see(session, PickupNote, note_id, caller)])[0]


def list_notes(
    session: Session, caller: Caller, *, deal_id: str | None, state: State | None, cursor: str | None, limit: int
) -> Page[Details]:
    """The notes that the caller's company issued, may fetch by or keeps the goods of, newest first."""
    where: list[ColumnElement[bool]] = []
    if deal_id is not None:
        where.append(PickupNote.deal_id == deal_id)
    if state is not None:
        where.append(PickupNote.state == state)
    found = page(session, PickupNote, caller, cursor, limit, *where)
    return Page(add_details(session, found.items), found.next)


def pieces_of_note(session: Session, note_id: str) -> dict[str, NotePiece]:
    """The pieces of a note, by their ids; empty for a note over a weight."""
    return {piece.piece_id: piece for piece in session.scalars(select(NotePiece).where(NotePiece.note_id == note_id))}


def notes_over(session: Session, piece_ids: Collection[str]) -> dict[str, str]:
    """The open note of each piece that is in one."""
    pairs = select(NotePiece.piece_id, NotePiece.note_id)
    found = session.execute(pairs.where(NotePiece.piece_id.in_(piece_ids), NotePiece.claim == Claim.OPEN))
    return {row.piece_id: row.note_id for row in found}


def last_notes(session: Session, piece_ids: Collection[str]) -> dict[str, State]:
    """How it stands with the last note over each piece that ever was in one."""
    pairs = select(NotePiece.piece_id, PickupNote.state).join(PickupNote, PickupNote.id == NotePiece.note_id)
    last = pairs.where(NotePiece.piece_id.in_(piece_ids)).ext(distinct_on(NotePiece.piece_id))
    found = session.execute(last.order_by(NotePiece.piece_id, PickupNote.issued_at.desc(), PickupNote.id.desc()))
    return {row.piece_id: row.state for row in found}


def pieces_noted(session: Session, deal_id: str) -> dict[str, str]:
    """The open note of each piece of a deal that is in one."""
    pairs = select(NotePiece.piece_id, NotePiece.note_id)
    found = session.execute(pairs.where(NotePiece.deal_id == deal_id, NotePiece.claim == Claim.OPEN))
    return {row.piece_id: row.note_id for row in found}


def open_notes(session: Session, deal_id: str) -> list[str]:
    """The ids of the open notes of a deal, newest first."""
    notes = select(PickupNote.id).where(PickupNote.deal_id == deal_id, PickupNote.state == State.ISSUED)
    return list(session.scalars(notes.order_by(PickupNote.id.desc())))


def weight_noted(session: Session, deal_id: str) -> Decimal:
    """What the open notes of a deal over a weight come to, in the deal's unit."""
    total = select(func.coalesce(func.sum(PickupNote.__table__.c.quantity_value), 0))
    return session.scalar(total.where(PickupNote.deal_id == deal_id, PickupNote.state == State.ISSUED))


def weight_left(session: Session, deal: Deal) -> Quantity:
    """What of a deal over a weight is neither under way nor given back, noted or not."""
    under_way = shipments.quantity_under_way(session, deal.id, deal.quantity.unit).value
    left = deal.quantity.value - under_way - recalls.weight_withdrawn(session, deal)
    return Quantity(Exact(max(left, Decimal())), deal.quantity.unit)


def weight_free(session: Session, deal: Deal) -> Quantity:
    """What of a deal over a weight a new note may be over."""
    free = weight_left(session, deal).value - weight_noted(session, deal.id)
    return Quantity(Exact(max(free, Decimal())), deal.quantity.unit)


def find_unfetched(session: Session, deal: Deal, pieces: Collection[str]) -> tuple[list[str], Quantity | None]:
    """What the buyer could have fetched and did not, of the pieces of a deal or, where it has none, of its weight.

    Only notes count that expired after they had been valid for the deal's ``load`` period, and only goods that are still to
    be carried. Where the seller sends the trucks there is nothing to fetch.
    """
    if not deal.is_fetched:
        return [], None
    expired = select(PickupNote).where(PickupNote.deal_id == deal.id, PickupNote.state == State.EXPIRED)
    notes = [note for note in session.scalars(expired) if note.was_open_for(deal.load)]
    if not pieces:
        offered = sum((note.quantity.value for note in notes), Decimal())
        left = min(offered, weight_left(session, deal).value)
        return [], Quantity(Exact(left), deal.quantity.unit) if left else None
    ids = [note.id for note in notes]
    noted = set(session.scalars(select(NotePiece.piece_id).where(NotePiece.note_id.in_(ids)))).intersection(pieces)
    gone = {*shipments.pieces_under_way(session, deal.id, noted), *recalls.pieces_withdrawn(session, deal.id)}
    return sorted(noted - gone), None
