"""Captures what people say, and corrects what was captured: the event is declared wrong and the right ones stand beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from services.logistics.epcis import commands as epcis
from services.logistics.epcis import lookups
from services.logistics.epcis.commands import Thing
from services.logistics.epcis.fields import Event
from services.logistics.manual.events import names
from services.logistics.pieces import queries as pieces
from services.logistics.rfid.epc import decode_epc
from services.logistics.shipments.queries import Papers


class Named(msgspec.Struct, frozen=True):
    """A thing as an event names it, and the piece that it stands for, where known."""

    epc: str
    piece_id: str | None


def name_piece(piece_id: str, tag: str | None) -> str:
    """A piece as EPCIS names it: by the Digital Link of the tag that it wears, or by its own id where it wears none."""
    identity = decode_epc(tag) if tag else None
    return identity.link if identity else f"urn:haihe:piece:{piece_id}"


def name_pieces(session: Session, caller: Caller, piece_ids: Collection[str]) -> list[Named]:
    """Pieces that the caller may ask about, by the tags that they wear. Raises NotFound."""
    found = [pieces.see_piece(session, piece_id, caller) for piece_id in sorted(set(piece_ids))]
    return [Named(name_piece(piece.id, piece.epc), piece.id) for piece in found]


def names_of_piece(session: Session, piece_id: str, event: Event) -> list[str]:
    """The EPCs of an event that may be a piece: those of the tag that it wears now, and its own id."""
    tag = pieces.tags_of_pieces(session, [piece_id])[piece_id]
    return [name_piece(piece_id, tag), name_piece(piece_id, None)]


def find_event(session: Session, event_id: str, *, owner_id: str) -> Event | None:
    """What a company has captured by that name and not taken back."""
    kept = lookups.find_event(session, event_id, owner_id=owner_id)
    return kept.event if kept else None


def things_in(session: Session, event_id: str, *, owner_id: str) -> list[Named]:
    """What an event that a company has captured is about; nothing where it was taken back."""
    kept = lookups.find_event(session, event_id, owner_id=owner_id)
    return [Named(one.epc, one.piece_id) for one in lookups.things_of(session, kept.id)] if kept else []


def capture(
    session: Session,
    event: Event,
    *,
    owner_id: str,
    named: Sequence[Named] = (),
    papers: Papers | None = None,
) -> str:
    """Keep an event as a company's; the parties of the delivery that it is about see it too. Returns its eventID."""
    about = (papers.delivery_id, papers.deal_id) if papers else (None, None)
    things = [Thing(one.epc, one.piece_id, *about) for one in named]
    parties = (papers.buyer_id, papers.seller_id) if papers else ()
    (captured,) = epcis.capture_events(session, [event], owner_id=owner_id, things=[things], parties=[parties])
    return captured.event_id


def correct(session: Session, event: Event, *right: Event | None, owner_id: str, at: datetime) -> list[str]:
    """Declare an event of a company's wrong and keep what is right instead; the ids of the new ones.

    With nothing right of it, it did not occur; otherwise its data were incorrect (CBV 2.0, 7.6).
    """
    event_id = str(event.fields["eventID"])
    kept = lookups.find_event(session, event_id, owner_id=owner_id)
    new = [one for one in right if one is not None]
    if kept is None:
        return []
    before = {thing.epc: thing for thing in lookups.things_of(session, kept.id)}
    things = [
        [
            Thing(epc, one.piece_id, one.delivery_id, one.deal_id)
            for epc, one in before.items()
            if names(replacement, epc)
        ]
        for replacement in new
    ]
    parties = [lookups.parties_of(session, kept.id)] * len(new)
    captured = epcis.capture_events(session, new, owner_id=owner_id, things=things, parties=parties) if new else []
    told = [one.event_id for one in captured]
    reason = "incorrect_data" if told else "did_not_occur"
    epcis.capture_error_declaration(
        session, event_id, owner_id=owner_id, reason=reason, at=at, corrective_event_ids=told
    )
    return told or [event_id]
