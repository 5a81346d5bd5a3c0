"""A counter of tries at one thing within a window of time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import TooMany
from services.identity.base import Base

WINDOW = timedelta(minutes=10)


class TooManyAttempts(TooMany):
    """This was tried too often; wait before trying again."""

    headers = {"Retry-After": str(int(WINDOW.total_seconds()))}


class Attempt(Base):
    """Tries since the window began; the row goes when it ends at ``due_at``. The id says what was tried."""

    __tablename__ = "attempt"

    id: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return false()
