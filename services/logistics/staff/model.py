"""A user as identity described it, as far as a task needs it."""

from __future__ import annotations

from sqlalchemy import ARRAY, ColumnElement, Text, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Invalid
from services.logistics.base import Base

ACTIVE = "active"


class NotYourStaff(Invalid):
    """A task is given to an active user of one's own company."""


class Staff(Base):
    """A user of a company: projection of ``identity.user_described``, without the name."""

    __tablename__ = "staff"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    party_id: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id
