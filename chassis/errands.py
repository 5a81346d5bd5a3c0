"""Calls to the outside world that are owed: claimed with a lease, made with no transaction open, recorded by a second command."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Index, Select, Text, delete, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import Chassis, Database
from chassis.pace import PURGE_BATCH
from chassis.service import Errand, Service
from chassis.settings import Settings

KEPT = timedelta(days=7)
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
log = structlog.get_logger(__name__)


class OwedErrand(Chassis):
    """One call that is owed; ``state`` is owed, done or failed. Its id is the other side's idempotency key."""

    __tablename__ = "errand"
    __table_args__ = (Index("ix_errand_due", "due_at", postgresql_where=text("state = 'owed'")),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text, index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, default="owed")
    attempt: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column()
    error: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column()


def owe(
    session: Session, kind: str, subject: str, payload: dict[str, Any] | None = None, due_at: datetime | None = None
) -> OwedErrand:
    """Record a call that must be made once the transaction has committed. ``payload`` is JSON; it gets ``errand_id`` added."""
    id = clock.new_id("errand")
    owed = OwedErrand(
        id=id,
        kind=kind,
        subject=subject,
        payload={**(payload or {}), "errand_id": id, "subject": subject},
        due_at=due_at or clock.now(),
        at=clock.now(),
    )
    session.add(owed)
    return owed


def drop_owed(session: Session, kind: str, subject: str) -> None:
    """Owe nothing of a kind about a subject any more; a call that is being made now is made."""
    session.execute(
        delete(OwedErrand).where(OwedErrand.kind == kind, OwedErrand.subject == subject, OwedErrand.state == "owed")
    )


def lighten(session: Session, errand_id: str, field: str) -> None:
    """Forget a field of a payload that is needed no more, where keeping it for days would cost much room."""
    lighter = update(OwedErrand).where(OwedErrand.id == errand_id).values(payload=OwedErrand.payload.op("-")(field))
    session.execute(lighter.execution_options(synchronize_session=False))


def purge_errands(session: Session) -> int:
    """Forget errands that were done long ago, a bounded number at a time. Returns how many."""
    old = select(OwedErrand.id).where(OwedErrand.state == "done", OwedErrand.at < clock.now() - KEPT).limit(PURGE_BATCH)
    return session.execute(delete(OwedErrand).where(OwedErrand.id.in_(old))).rowcount


class Errands:
    """Makes the calls that one service owes."""

    def __init__(self, service: Service, database: Database, settings: Settings) -> None:
        self.kinds = service.errands
        self.caller = Caller.system(service.name)
        self.database = database
        self.settings = settings

    def step(self) -> int:
        """Claim one that is due, call out, record; 0 when none was due. Only where there is one is anything written."""
        if self.database.look(lambda session: session.scalars(self._select_due()).first()) is None:
            return 0
        owed = self.database.run(self._claim)
        if owed is None:
            return 0
        self._do(owed, self.kinds[owed.kind])
        return 1

    def _claim(self, session: Session) -> OwedErrand | None:
        """The lease is the due time pushed forward: a worker that dies leaves the errand to the next one."""
        if (owed := session.scalars(self._select_due().with_for_update(skip_locked=True)).one_or_none()) is not None:
            owed.attempt += 1
            owed.due_at = clock.now() + timedelta(seconds=self.kinds[owed.kind].lease_s)
        return owed

    def _select_due(self) -> Select[tuple[OwedErrand]]:
        is_due = (OwedErrand.state == "owed", OwedErrand.due_at <= clock.now(), OwedErrand.kind.in_(self.kinds))
        return select(OwedErrand).where(*is_due).order_by(OwedErrand.due_at).limit(1)

    def _do(self, owed: OwedErrand, errand: Errand) -> None:
        try:
            outcome = errand.call(self.settings, owed.payload, owed.attempt)
        except Exception as error:
            reason = repr(error)
            log.warning("errand failed", kind=owed.kind, subject=owed.subject, attempt=owed.attempt, error=reason)
            self.database.run(lambda session: self._put_off(session, owed, errand, reason))
            return
        self.database.run(lambda session: self._record(session, owed, errand, outcome))

    def _record(self, session: Session, owed: OwedErrand, errand: Errand, outcome: dict[str, Any]) -> None:
        row = session.get(OwedErrand, owed.id, with_for_update=True)
        if row is None or row.state != "owed":
            return
        errand.record(session, self.caller, owed.payload, outcome)
        row.state, row.error = "done", None

    def _put_off(self, session: Session, owed: OwedErrand, errand: Errand, error: str) -> None:
        row = session.get(OwedErrand, owed.id, with_for_update=True)
        if row is None or row.state != "owed":
            return
        row.error = error[:2000]
        if row.attempt >= errand.max_attempts:
            row.state = "failed"
            log.error("errand given up", kind=owed.kind, subject=owed.subject, error=error)
        else:
            row.due_at = clock.now() + min(FIRST_RETRY * 2 ** min(row.attempt - 1, 20), LONGEST_RETRY)

    def close(self) -> None:
        """Nothing is held between steps."""
