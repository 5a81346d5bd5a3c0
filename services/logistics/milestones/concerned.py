"""Which deliveries some EPCIS events are about: by their papers, their pieces, their containers, and what is packed in what."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from services.logistics.epcis import lookups
from services.logistics.milestones import plans
from services.logistics.milestones.containers import container_of
from services.logistics.milestones.fold import DELIVERY, MOST_LEVELS
from services.logistics.pieces import queries as pieces
from services.logistics.shipments import queries as shipments

PIECE = "urn:haihe:piece:"


def find_deliveries(session: Session, ids: Collection[str]) -> set[str]:
    """The deliveries that the events of these rows may be about; asked of all of them together."""
    inside = lookups.keys_inside(session, ids, levels=MOST_LEVELS - 1)
    named = {key.removeprefix(DELIVERY) for key in inside if key.startswith(DELIVERY)}
    found = shipments.deliveries_there(session, named) if named else set()
    found |= plans.deliveries_in(session, {number for key in inside if (number := container_of(key))})
    piece_ids = {key.removeprefix(PIECE) for key in inside if key.startswith(PIECE)}
    piece_ids |= lookups.pieces_of_events(session, ids) | pieces.pieces_by_link(session, inside)
    return found | shipments.deliveries_under_way(session, piece_ids) if piece_ids else found
