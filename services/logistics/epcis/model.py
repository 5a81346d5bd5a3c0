"""The tables of the EPCIS repository: events as they were captured, what each names, and who may see it.

An event is kept twice. ``document`` is what was captured, as JSON with the spelling of its author. ``fields`` is
``Event.fields`` with every identifier canonical (``identifiers.canonical``): that is what queries are asked of. In ``fields``
and in the columns ``biz_step`` and ``disposition`` a word of the CBV is bare (``shipping``), one of somebody else's is its URI;
an extension is ``{namespace}name``; ``eventID`` is always there and ``recordTime`` never: ours is the column. ``hash`` is the
CBV 2.0 hash id, whatever the ``event_id`` is.

An event is named by (event_id, owner_id, is_error): an error declaration repeats the id of what it takes back, and nobody can
take an id away from another by using it first.

Nothing is partitioned. What is asked most, the events of one EPC, is a range of the primary key of ``epcis_key``: three or
four pages whatever the number of events, and a partitioned table would be searched once a month of its life.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Select,
    Text,
    UniqueConstraint,
    and_,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, aliased, mapped_column

from chassis.auth import Caller
from services.logistics.base import Base
from services.logistics.epcis.sharing.model import EventShare, Scope

NAMED = "party"
"""Why a company sees an event that names it."""
ASKED = ("biz_location", "read_point", "type", "biz_step", "disposition", "owner_id")
"""What events are asked for together with their time."""


class EpcisEvent(Base):
    """A captured EPCIS event. An error declaration repeats the ``event_id`` of the event that it takes back."""

    __tablename__ = "epcis_event"
    __table_args__ = (
        UniqueConstraint("event_id", "owner_id", "is_error"),
        UniqueConstraint("sequence"),
        Index("ix_epcis_event_capture_id", "capture_id", postgresql_where="capture_id IS NOT NULL"),
        *(Index(f"ix_epcis_event_{column}_event_time", column, "event_time") for column in ASKED),
        Index("ix_epcis_event_record_time", "record_time"),
        Index("ix_epcis_event_error_time", "error_time", postgresql_where="is_error"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    is_error: Mapped[bool]
    owner_id: Mapped[str] = mapped_column(index=True)
    event_time: Mapped[datetime] = mapped_column(index=True)
    record_time: Mapped[datetime]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    type: Mapped[str | None]
    action: Mapped[str | None]
    biz_step: Mapped[str | None]
    disposition: Mapped[str | None]
    read_point: Mapped[str | None]
    biz_location: Mapped[str | None]
    transformation_id: Mapped[str | None]
    fields: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    namespaces: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    unhashed: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    hash: Mapped[str | None]
    error_time: Mapped[datetime | None]
    error_reason: Mapped[str | None]
    corrective_event_ids: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    capture_id: Mapped[str | None]

    @classmethod
    def stands(cls) -> ColumnElement[bool]:
        """No declaration of an error, nor taken back by one of its own owner's: another's takes nothing back."""
        declared = aliased(cls)
        same = (declared.event_id == cls.event_id, declared.owner_id == cls.owner_id, declared.is_error)
        return and_(cls.is_error.is_(False), ~select(declared.id).where(*same).exists())

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Whose it is, who is party to it and who was given it; the operator sees every event.

        The givers are looked up once for a question: only their events are held to the times from which they share.
        """
        if caller.is_operator:
            return true()
        named = select(EpcisParty.event).where(EpcisParty.event == cls.id, EpcisParty.party_id == caller.party_id)
        shared = (
            EventShare.party_id == caller.party_id,
            EventShare.scope == Scope.ALL,
            EventShare.revoked_at.is_(None),
        )
        givers = select(EventShare.giver_id).where(*shared).scalar_subquery()
        since = select(EventShare.id).where(
            *shared, EventShare.giver_id == cls.owner_id, EventShare.from_time <= cls.event_time
        )
        given = and_(cls.owner_id == func.any(func.array(givers)), since.exists())
        return or_(cls.owner_id == caller.party_id, named.exists(), given)

    @classmethod
    def select_visible(cls, caller: Caller) -> list[Select[tuple[str]]]:
        """The same for a company as statements that each begin with it: the ids of its own events, of those that name it or
        were given to it, and of those of whoever shares all of theirs. One id may be in several."""
        event = aliased(cls)
        own = select(event.id).where(event.owner_id == caller.party_id)
        given = select(EpcisParty.event).where(EpcisParty.party_id == caller.party_id)
        from_giver = and_(event.owner_id == EventShare.giver_id, event.event_time >= EventShare.from_time)
        shared = select(event.id).join(EventShare, from_giver).where(EventShare.party_id == caller.party_id)
        return [own, given, shared.where(EventShare.scope == Scope.ALL, EventShare.revoked_at.is_(None))]


class EpcisKey(Base):
    """What an event names: an inverted index, added to with the event and never changed.

    ``kind`` is the field that names it, in the singular (``preparing.KINDS``); ``key`` is canonical, and a digest of what is
    too long. Its collation is C, so that ``LIKE 'prefix%'`` is a range of the primary key.
    """

    __tablename__ = "epcis_key"
    __table_args__ = (Index("ix_epcis_key_event", "event"),)

    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    event_time: Mapped[datetime] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)


class EpcisParty(Base):
    """A company that may see another's event: ``why`` is ``party`` where the event names it, or the share that gave it."""

    __tablename__ = "epcis_party"
    __table_args__ = (Index("ix_epcis_party_why", "why", postgresql_where="why <> 'party'"),)

    party_id: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str] = mapped_column(primary_key=True)


class EpcisCapture(Base):
    """A capture job: what became of a document. It is done in the transaction that took the document in.

    ``errors`` are problems as the standard has them; ``events`` is how many events are the document's, new or kept before.
    """

    __tablename__ = "epcis_capture"
    __table_args__ = (Index("ix_epcis_capture_owner_id", "owner_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    success: Mapped[bool]
    behaviour: Mapped[str]
    events: Mapped[int]
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Whoever captured the document, and the operator."""
        return true() if caller.is_operator else cls.owner_id == caller.party_id


class EpcisMaster(Base):
    """Master data of an id (a place, a product), as its owner captured it last; ``id`` and ``children`` are canonical."""

    __tablename__ = "epcis_master"
    __table_args__ = (Index("ix_epcis_master_id", "id"),)

    owner_id: Mapped[str] = mapped_column(primary_key=True)
    vocabulary: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    attributes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    children: Mapped[list[str]] = mapped_column(ARRAY(Text))

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Whoever captured it, and the operator."""
        return true() if caller.is_operator else cls.owner_id == caller.party_id


class EpcisThing(Base):
    """What an event names, with the piece and delivery of that time: a tag that moves on takes no past along."""

    __tablename__ = "epcis_thing"
    __table_args__ = (
        Index("ix_epcis_thing_epc", "epc", "event_time"),
        Index("ix_epcis_thing_piece", "piece_id", "event_time"),
    )

    event: Mapped[str] = mapped_column(ForeignKey("epcis_event.id"), primary_key=True)
    epc: Mapped[str] = mapped_column(primary_key=True)
    event_time: Mapped[datetime]
    piece_id: Mapped[str | None]
    delivery_id: Mapped[str | None]
    deal_id: Mapped[str | None]
