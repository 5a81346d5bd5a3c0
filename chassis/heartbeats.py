"""When each loop of each worker last came round: the table that readiness is told from, and its end for the departed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.database import Chassis
from chassis.pace import PURGE_BATCH

KEPT = timedelta(hours=1)


class Heartbeat(Chassis):
    """When a loop of a worker last came round."""

    __tablename__ = "heartbeat"

    member: Mapped[str] = mapped_column(Text, primary_key=True)
    loop: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column()
    error: Mapped[str | None] = mapped_column(Text)


_PURGE = text(
    "DELETE FROM heartbeat WHERE (member, loop) IN "
    "(SELECT member, loop FROM heartbeat WHERE at < :before LIMIT :most FOR UPDATE SKIP LOCKED)"
)


def purge_heartbeats(session: Session) -> int:
    """Forget loops that have not come round for an hour, a bounded number at a time. Returns how many.

    Most are of workers that are gone: one that is started again has a new name unless it was given one.
    """
    return session.execute(_PURGE, {"before": clock.now() - KEPT, "most": PURGE_BATCH}).rowcount
