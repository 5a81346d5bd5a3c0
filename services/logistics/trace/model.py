"""Places as a company describes them for its own events: what a map and a reader need of a name such as a GLN."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Double, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.logistics.base import Base


class KnownPlace(Base):
    """A place by its canonical name, with what its describer says of it; degrees are WGS 84."""

    __tablename__ = "known_place"
    __table_args__ = (UniqueConstraint("owner_id", "uri"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    uri: Mapped[str]
    name: Mapped[str]
    city: Mapped[str | None]
    country: Mapped[str | None]
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    described_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Whose events it is for; others read it with the events that they may see."""
        return true() if caller.is_operator else cls.owner_id == caller.party_id
