"""Pick-up notes over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, View, command, query
from chassis.values import Identifier, Quantity, ShortText
from services.logistics.notes import commands, queries
from services.logistics.notes.model import NotePiece, PickupNote, State

routes = Blueprint("pickup_notes", __name__)

PieceIds = Annotated[list[Identifier], Meta(max_length=500)]


class NameLoad(Body):
    """A truck and what it is to fetch: pieces, or a quantity where the deal is over a weight."""

    plate: ShortText
    driver: ShortText
    piece_ids: PieceIds = []
    quantity: Quantity | None = None

    def read(self) -> commands.Load:
        """The load as the commands take it."""
        return commands.Load(tuple(self.piece_ids), self.quantity, self.plate, self.driver)


class IssueNote(NameLoad):
    """A pick-up note for one truck, valid until the deal's last day of delivery unless ``valid_until`` is before it."""

    deal_id: Identifier
    valid_until: Instant | None = None


class SplitNote(Body):
    """The trucks that come instead of one; together they fetch what the note is over."""

    parts: Annotated[list[NameLoad], Meta(min_length=2, max_length=50)]


class VoidNote(Body):
    """Why a note is taken back."""

    reason: ShortText


class ListNotes(Paging):
    """Which notes to list."""

    deal_id: Identifier | None = None
    state: State | None = None


class NotedPieceView(View):
    """A piece of a note with the net weight that the deal froze."""

    piece_id: str
    number: str
    net: Quantity

    @classmethod
    def of(cls, piece: NotePiece) -> NotedPieceView:
        return cls(piece_id=piece.piece_id, number=piece.number, net=piece.net)


class NoteView(View):
    """A pick-up note: ``code`` is there for seller and buyer while it is open, ``tries_left`` are the wrong codes it bears."""

    id: str
    deal_id: str
    parent_id: str | None
    seller_id: str
    buyer_id: str
    warehouse_id: str
    pieces: list[NotedPieceView]
    quantity: Quantity
    plate: str
    driver: str
    state: str
    code: str | None
    tries_left: int
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    ended_at: datetime | None
    reason: str | None
    delivery_id: str | None

    @classmethod
    def of(cls, caller: Caller, details: queries.Details) -> NoteView:
        note = details.note
        return cls(
            id=note.id,
            deal_id=note.deal_id,
            parent_id=note.parent_id,
            seller_id=note.seller_id,
            buyer_id=note.buyer_id,
            warehouse_id=note.warehouse_id,
            pieces=[NotedPieceView.of(piece) for piece in details.pieces],
            quantity=note.quantity,
            plate=note.plate,
            driver=note.driver,
            state=note.state,
            code=note.code_for(caller),
            tries_left=note.tries_left,
            issued_at=note.issued_at,
            valid_from=note.valid_from,
            valid_until=note.valid_until,
            ended_at=note.ended_at,
            reason=note.reason,
            delivery_id=details.delivery_id,
        )


class SplitView(View):
    """A note that was split, and the notes that stand for it now."""

    note: NoteView
    children: list[NoteView]


def _view(session: Session, caller: Caller, note: PickupNote) -> NoteView:
    return NoteView.of(caller, queries.add_details(session, [note])[0])


@routes.post("/v1/pickup-notes")
@command(role="seller", status=201)
def issue_note(session: Session, caller: Caller, body: IssueNote) -> NoteView:
    """Let one truck fetch goods of a paid deal: whoever brings it shows the code to the warehouse."""
    note = commands.issue_note(session, caller, deal_id=body.deal_id, load=body.read(), valid_until=body.valid_until)
    return _view(session, caller, note)


@routes.post("/v1/pickup-notes/<note_id>/split")
@command(role="seller")
def split_note(session: Session, caller: Caller, note_id: str, body: SplitNote) -> SplitView:
    """Make several notes of an open one, each with a truck and a code of its own."""
    note, children = commands.split_note(session, caller, note_id, [part.read() for part in body.parts])
    first, *others = [NoteView.of(caller, each) for each in queries.add_details(session, [note, *children])]
    return SplitView(note=first, children=others)


@routes.post("/v1/pickup-notes/<note_id>/void")
@command(role="seller")
def void_note(session: Session, caller: Caller, note_id: str, body: VoidNote) -> NoteView:
    """Take an open note back; its goods are free for another."""
    return _view(session, caller, commands.void_note(session, caller, note_id, body.reason))


@routes.post("/v1/pickup-notes/<note_id>/renew")
@command(role="seller")
def renew_code(session: Session, caller: Caller, note_id: str) -> NoteView:
    """Give an open note a new code: it is needed after too many wrong ones."""
    return _view(session, caller, commands.renew_code(session, caller, note_id))


@routes.get("/v1/pickup-notes")
@query()
def list_notes(session: Session, caller: Caller, params: ListNotes) -> Page[NoteView]:
    """The notes that the caller's company issued, may fetch by or keeps the goods of, newest first."""
    found = queries.list_notes(
        session, caller, deal_id=params.deal_id, state=params.state, cursor=params.cursor, limit=params.limit
    )
    return found.map(lambda details: NoteView.of(caller, details))


@routes.get("/v1/pickup-notes/<note_id>")
@query()
def show_note(session: Session, caller: Caller, note_id: str) -> NoteView:
    """One note."""
    return NoteView.of(caller, queries.see_note(session, note_id, caller))
