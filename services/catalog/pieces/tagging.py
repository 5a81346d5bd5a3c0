"""What a warehouse does with the tags of the pieces that it keeps, whatever is promised of them: a dead tag is replaced at once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.problems import Conflict, Forbidden, Invalid
from services.catalog.pieces.epc import read_epc
from services.catalog.pieces.model import Piece, TagTaken
from services.catalog.pieces.moving import keep_change
from services.catalog.pieces.queries import find_tagged
from services.catalog.pieces.tag import WAREHOUSE, bind_tags, retire_tags


class NotAnEpc(Invalid):
    """The code is not that of a 96-bit tag."""


class NotTheKeeper(Forbidden):
    """Only the warehouse that keeps a piece sees to its tag."""


class NotTagged(Conflict):
    """There is no tag on the piece."""


def bind_tag(session: Session, caller: Caller, piece_id: str, epc: str, reason: str | None) -> Piece:
    """Put a tag on a piece in the place of the one that it has; the same tag again changes nothing.

    Raises NotFound, NotTheKeeper, NotAnEpc, or TagTaken when it is on another piece.
    """
    piece = _get_kept(session, caller, piece_id)
    try:
        code = read_epc(epc)
    except ValueError as error:
        raise NotAnEpc(str(error), field="$.epc") from None
    if find_tagged(session, [code]).get(code, piece.id) != piece.id:
        raise TagTaken("retire it there first", epc=code)
    return _move(session, caller, piece, code, reason)


def retire_tag(session: Session, caller: Caller, piece_id: str, reason: str) -> Piece:
    """Take the tag off a piece: it may be bound to another one then. Raises NotFound, NotTheKeeper or NotTagged."""
    piece = _get_kept(session, caller, piece_id)
    if piece.epc is None:
        raise NotTagged("it was never bound, or was retired before")
    return _move(session, caller, piece, None, reason)


def _get_kept(session: Session, caller: Caller, piece_id: str) -> Piece:
    piece = get(session, Piece, piece_id, caller)
    if piece.warehouse_id != caller.party_id:
        raise NotTheKeeper("another company keeps it")
    return piece


def _move(session: Session, caller: Caller, piece: Piece, epc: str | None, reason: str | None) -> Piece:
    if keep_change(session, caller, piece, piece.tag(epc, clock.now())):
        retire_tags(session, caller, [piece.id], source=WAREHOUSE, reason=reason)
        if epc is not None:
            bind_tags(session, caller, {piece.id: epc}, source=WAREHOUSE, reason=reason)
    return piece
