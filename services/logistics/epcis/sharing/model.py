"""A share: one company lets another see events of its own, from a time on, until it revokes that."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Index, Text, or_, text, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from services.logistics.base import Base


class Scope(StrEnum):
    """What is shared: every event of the giver, or those along the chain of custody of one thing."""

    ALL = "all"
    CHAIN = "chain"


class ShareRevoked(Conflict):
    """The share was revoked before."""


class NotTheGiver(Forbidden):
    """Only the company that shares its events may revoke that."""


class OwnEvents(Invalid):
    """A company sees its own events anyway."""


class EventShare(Base):
    """One company lets another see events of its own: those from ``from_time`` on, and along the chain of ``key`` only where
    there is one (an EPC or a lot, canonical).

    A share of all events is asked when events are asked for. One along a chain is written out, event by event, as
    ``EpcisParty`` with its id as the reason; it is so when it is made and with every capture that touches the chain.
    """

    __tablename__ = "event_share"
    __table_args__ = (
        Index("ix_event_share_giver_id", "giver_id", postgresql_where=text("revoked_at IS NULL")),
        Index("ix_event_share_party_id", "party_id", "giver_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    giver_id: Mapped[str]
    party_id: Mapped[str]
    scope: Mapped[str]
    key: Mapped[str | None]
    epc: Mapped[str | None]
    from_time: Mapped[datetime]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Both sides, and the operator."""
        return true() if caller.is_operator else or_(cls.giver_id == caller.party_id, cls.party_id == caller.party_id)

    def revoke(self, party_id: str, at: datetime) -> None:
        """End the share. Raises NotTheGiver or ShareRevoked."""
        if party_id != self.giver_id:
            raise NotTheGiver
        if self.revoked_at is not None:
            raise ShareRevoked
        self.revoked_at = at


class EventShareKey(Base):
    """A key that a share along a chain follows or has followed: by these a capture knows which shares it touches."""

    __tablename__ = "event_share_key"

    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    share: Mapped[str] = mapped_column(primary_key=True)
