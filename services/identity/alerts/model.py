"""What was found for a user since the last mail, and how much of it a mail names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.identity.base import Base

COLLECTED_FOR = timedelta(minutes=1)
MOST_LINES = 50
MOST_OF_A_TEXT = 120


class Alert(Base):
    """What was found for a user and is to be mailed at ``due_at``: then the row goes. Its id is the user's.

    ``lines`` say what was found by which search, at most 50 of them; ``more`` counts those that had no room.
    """

    __tablename__ = "alert"

    id: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    more: Mapped[int]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return false()

    def collect(self, lines: Sequence[dict[str, Any]]) -> None:
        """Take in what was found, as far as there is room, and count the rest."""
        room = MOST_LINES - len(self.lines)
        self.lines = [*self.lines, *lines[:room]]
        self.more += len(lines[room:])


def write_line(*, search: str, kind: str, thing_id: str, title: str) -> dict[str, Any]:
    """A line of a mail: what others wrote in it can begin no line of its own and is cut where it is long."""
    said = {"search": search, "kind": kind, "thing_id": thing_id, "title": title}
    return {name: _tidy(text) for name, text in said.items()}


def _tidy(text: str) -> str:
    flat = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return flat if len(flat) <= MOST_OF_A_TEXT else flat[: MOST_OF_A_TEXT - 1] + "…"
