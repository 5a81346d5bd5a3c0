"""Finds captured events again as what they were read as: one by its name, or all that name some keys, taken-back ones left out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, and_, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.epcis.fields import Event
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.model import NAMED, EpcisEvent, EpcisKey, EpcisParty, EpcisThing
from services.logistics.epcis.preparing import write_key

MOST_FOUND = 2_000


class Kept(msgspec.Struct, frozen=True):
    """An event as it is kept: its row, who captured it, when it happened, the event with canonical identifiers."""

    id: str
    owner_id: str
    event_time: datetime
    event: Event

    @property
    def event_id(self) -> str:
        """The name that its author gave it."""
        return str(self.event.fields["eventID"])


def find_event(session: Session, event_id: str, *, owner_id: str) -> Kept | None:
    """The event that a company has captured by that name; None where there is none, or where it was taken back."""
    wanted = _events().where(EpcisEvent.event_id == event_id, EpcisEvent.owner_id == owner_id)
    row = session.execute(wanted).one_or_none()
    return _kept(row) if row else None


def things_of(session: Session, id: str) -> list[EpcisThing]:
    """What the event of a row is about, with the pieces and deliveries of that time."""
    return list(session.scalars(select(EpcisThing).where(EpcisThing.event == id).order_by(EpcisThing.epc)))


def parties_of(session: Session, id: str) -> list[str]:
    """The companies that the event of a row names as party to it, so that they see it too."""
    named = select(EpcisParty.party_id).where(EpcisParty.event == id, EpcisParty.why == NAMED)
    return list(session.scalars(named.order_by(EpcisParty.party_id)))


def events_naming(
    session: Session,
    keys: Collection[str],
    *,
    since: datetime,
    owners: Collection[str],
    also_given: Collection[str] = (),
) -> list[Kept]:
    """The events from a time on that name one of the keys, by (eventTime, eventID), at most ``MOST_FOUND``.

    Those that the owners have captured; and of others' events those that were given to one of the owners and name one of
    ``also_given``.
    """
    named = select(EpcisKey.event).where(among(EpcisKey.key, _write_keys(keys)), EpcisKey.event_time >= since)
    papers = select(EpcisKey.event).where(among(EpcisKey.key, _write_keys(also_given)), EpcisKey.event == EpcisEvent.id)
    party = select(EpcisParty.event).where(EpcisParty.event == EpcisEvent.id, among(EpcisParty.party_id, owners))
    may_count = or_(among(EpcisEvent.owner_id, owners), and_(papers.exists(), party.exists()))
    found = _events().where(EpcisEvent.id.in_(named), may_count)
    rows = session.execute(found.order_by(EpcisEvent.event_time, EpcisEvent.event_id).limit(MOST_FOUND))
    return [_kept(row) for row in rows]


def last_of_pieces(
    session: Session, piece_ids: Collection[str], *, owner_id: str
) -> dict[str, tuple[datetime, str | None, str | None]]:
    """When, with which disposition and where (bizLocation) a company has last captured each piece."""
    columns = (EpcisThing.piece_id, EpcisThing.event_time, EpcisEvent.disposition, EpcisEvent.biz_location)
    last = (
        select(*columns)
        .join(EpcisEvent, EpcisEvent.id == EpcisThing.event)
        .where(among(EpcisThing.piece_id, piece_ids), EpcisEvent.owner_id == owner_id, EpcisEvent.stands())
        .ext(distinct_on(EpcisThing.piece_id))
        .order_by(EpcisThing.piece_id, EpcisThing.event_time.desc(), EpcisEvent.event_id.desc())
    )
    return {piece_id: (at, disposition, place) for piece_id, at, disposition, place in session.execute(last)}


def names_of_pieces(session: Session, piece_ids: Collection[str]) -> dict[str, str]:
    """The names that pieces were captured under, each with its piece."""
    found = select(EpcisThing.epc, EpcisThing.piece_id).where(among(EpcisThing.piece_id, piece_ids)).distinct()
    return {row.epc: row.piece_id for row in session.execute(found)}


def pieces_of_events(session: Session, ids: Collection[str]) -> set[str]:
    """The pieces that the events of some rows are about, as far as whoever captured them knew."""
    found = select(EpcisThing.piece_id).where(among(EpcisThing.event, ids), EpcisThing.piece_id.is_not(None))
    return set(session.scalars(found.distinct()))


def pieces_departed(session: Session, ids: Collection[str]) -> list[tuple[str, datetime, str]]:
    """Of the events of some rows, those that took pieces away: whose word it is, when, and the piece."""
    left = (
        select(EpcisEvent.owner_id, EpcisThing.event_time, EpcisThing.piece_id)
        .join(EpcisThing, EpcisThing.event == EpcisEvent.id)
        .where(among(EpcisEvent.id, ids), EpcisEvent.biz_step.in_(("departing", "shipping")))
        .where(EpcisEvent.is_error.is_(False), EpcisThing.piece_id.is_not(None))
    )
    return [tuple(row) for row in session.execute(left.order_by(EpcisThing.event_time, EpcisThing.piece_id))]


_KEYS_INSIDE = text(
    "WITH RECURSIVE inside (key, level) AS ("
    "SELECT key, 0 FROM epcis_key WHERE event = ANY(:ids) "
    "UNION SELECT c.key, i.level + 1 FROM inside i "
    "JOIN epcis_key p ON p.key = i.key AND p.kind = 'parentID' "
    "JOIN epcis_key c ON c.event = p.event AND c.kind = 'childEPC' WHERE i.level < :levels) "
    "SELECT key FROM inside LIMIT :most"
)


def keys_inside(session: Session, ids: Collection[str], *, levels: int) -> set[str]:
    """All that the events of some rows name, and what was ever said to be in that, so many levels down."""
    most = MOST_FOUND + 1_000 * len(ids)
    return set(session.scalars(_KEYS_INSIDE, {"ids": list(ids), "levels": levels, "most": most}))


def _write_keys(uris: Collection[str]) -> list[str]:
    return sorted({write_key(canonical(uri)) for uri in uris})


def _events() -> Select[Any]:
    """Events that nobody has taken back; an error declaration is none."""
    columns = (
        EpcisEvent.id,
        EpcisEvent.owner_id,
        EpcisEvent.event_time,
        EpcisEvent.type,
        EpcisEvent.fields,
        EpcisEvent.namespaces,
        EpcisEvent.unhashed,
    )
    return select(*columns).where(EpcisEvent.stands(), EpcisEvent.fields.is_not(None))


def _kept(row: Any) -> Kept:
    event = Event(row.type, dict(row.fields), dict(row.namespaces or {}), frozenset(row.unhashed or ()))
    return Kept(row.id, row.owner_id, row.event_time, event)
