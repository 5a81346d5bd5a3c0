"""A publication: what the maker of a product, a lot or a thing shows of it to everybody, and nothing else."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ARRAY, ColumnElement, Text, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base


class NotYoursToPublish(Forbidden):
    """Only the company that made this may publish it."""


class AlreadyPublished(Conflict):
    """Another company publishes this."""


class NotPublishable(Invalid):
    """Products, lots, serialised items, logistic units and assets of GS1 have public pages, and nothing else."""


class Precision(StrEnum):
    """How exactly places are shown."""

    NONE = "none"
    COUNTRY = "country"
    CITY = "city"
    NAME = "name"


class State(StrEnum):
    """Whether the page is there."""

    SHOWN = "shown"
    WITHDRAWN = "withdrawn"


def already_published() -> AlreadyPublished:
    """What a company is told that comes second."""
    return AlreadyPublished("the operator can settle whose it is")


class Publication(Stateful, Base):
    """What is shown of ``key``, a canonical link: ``steps`` are business steps of the owner's own events, ``texts`` title and
    text by language, ``documents`` links with titles. Without a step the history stays the owner's.
    """

    __tablename__ = "publication"
    __table_args__ = (UniqueConstraint("key"),)
    constraint_problems: ClassVar[dict[str, Any]] = {"uq_publication_key": already_published}

    moves: ClassVar[dict[str, Move]] = {
        "withdraw": Move(State.SHOWN, to=State.WITHDRAWN),
        "show": Move(State.WITHDRAWN, to=State.SHOWN),
    }
    initial = State.SHOWN
    final = frozenset()

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(index=True)
    key: Mapped[str]
    state: Mapped[State] = state_column(State)
    steps: Mapped[list[str]] = mapped_column(ARRAY(Text))
    precision: Mapped[Precision] = state_column(Precision)
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB)
    documents: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """The settings are their owner's; the page is everybody's."""
        return true() if caller.is_operator else cls.owner_id == caller.party_id
