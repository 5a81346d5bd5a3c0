"""Answers where a piece is and where it has been, and which places a company has described."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page
from services.logistics.epcis import queries as epcis
from services.logistics.pieces import queries as pieces
from services.logistics.pieces.model import Piece
from services.logistics.shipments import queries as shipments
from services.logistics.trace.model import KnownPlace
from services.logistics.trace.trail import Step, Whereabouts, find_whereabouts, fold_steps


class Trail(msgspec.Struct, frozen=True):
    """A piece, where it is, its steps in order of time and what EPCIS recorded of it, newest first."""

    piece: Piece
    whereabouts: Whereabouts
    steps: list[Step]
    events: list[dict[str, Any]]


def find_trail(session: Session, caller: Caller, piece_id: str) -> Trail:
    """The trail of a piece, as far as the caller may follow it. Raises NotFound.

    Its owner sees all of it; a party to a deal over it sees the deliveries that it is party to, and a warehouse also
    what passed its own gates.
    """
    piece = pieces.see_piece(session, piece_id, caller)
    sees_all = caller.is_operator or caller.party_id == piece.owner_id
    reader = Caller.system("logistics") if sees_all else caller
    legs = shipments.deliveries_of_piece(session, reader, piece_id)
    own = {leg.id for leg in legs}
    events = [
        event.document
        for event in epcis.events_of_piece(session, piece_id)
        if sees_all or event.delivery_id in own or event.owner_id == caller.party_id
    ]
    return Trail(piece, find_whereabouts(legs), fold_steps(legs), events)


def list_places(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[KnownPlace]:
    """The places that the caller's company has described, newest first."""
    return page(session, KnownPlace, caller, cursor, limit)
