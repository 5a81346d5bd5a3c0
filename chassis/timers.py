"""Does what is due: every waiting state has a deadline in ``due_at``, and each is handled in a transaction of its own.

Workers share what is due: whoever holds a deadline's advisory lock handles it, the others go on to the next. The row itself is not
locked for this, as a handler may have to lock another before it. A model whose deadlines do not all press says in ``urgent_at()``,
an SQL expression, from when on one does; what presses comes first.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import ColumnElement, CompoundSelect, Select, literal, select, text, union_all
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import Database, Model
from chassis.pace import Pace
from chassis.service import Service, Timer

if TYPE_CHECKING:
    from chassis.worker import Context

BATCH, URGENT_BATCH = 100, 12
STEP_S = 1.0
PUT_OFF = timedelta(seconds=5)
_TAKE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('timer ' || :id, 0))")
log = structlog.get_logger(__name__)


class Timers:
    """The deadlines of one service, the most urgent first. A failing one is put off and blocks no other."""

    pace = Pace(idle_s=0.25, longest_idle_s=0.5)

    def __init__(self, service: Service, database: Database) -> None:
        self.timers = service.timers
        self._by_table = {model.__tablename__: timer for model, timer in service.timers.items()}
        self.caller = Caller.system(service.name)
        self.database = database
        self._put_off: dict[str, datetime] = {}

    def step(self) -> int:
        """Handle what is due now, as much of it as a second allows; how many were handled."""
        self._put_off = {id: until for id, until in self._put_off.items() if until > clock.now()}
        due = self.database.look(lambda session: session.execute(self._select_due()).all())
        handled, until = 0, time.monotonic() + STEP_S
        for table, id, _ in self._in_order(due):
            handled += self._handle(id, self._by_table[table])
            if time.monotonic() > until:
                break
        return handled

    def _select_due(self) -> CompoundSelect[tuple[str, str, datetime]]:
        """One statement for all kinds of deadlines, as it runs at least twice a second whether or not anything is due."""
        return union_all(*(self._select_due_of(model) for model in self.timers))

    def _select_due_of(self, model: type[Model]) -> Select[tuple[str, str, datetime]]:
        urgent_at = _urgent_at(model)
        query = select(literal(model.__tablename__), model.id, urgent_at.label("urgent_at"))
        query = query.where(model.due_at <= clock.now(), model.id.not_in(list(self._put_off)))
        found = self._limit(query.order_by(urgent_at), urgent_at).subquery()
        return select(*found.c)

    def _limit(self, query: Select[Any], urgent_at: ColumnElement[datetime]) -> Select[Any]:
        return query.limit(BATCH)

    def _in_order(self, due: Sequence[Any]) -> Iterable[Any]:
        return sorted(due, key=lambda row: row.urgent_at)

    def _handle(self, id: str, timer: Timer) -> int:
        def handle(session: Session) -> int:
            if not session.scalar(_TAKE, {"id": id}):
                return 0
            timer(session, self.caller, id)
            return 1

        try:
            return self.database.run(handle)
        except Exception:
            log.exception("a deadline could not be handled", id=id)
            self._put_off[id] = clock.now() + PUT_OFF
            return 0

    def close(self) -> None:
        """Nothing is held between steps."""


class UrgentTimers(Timers):
    """One more loop of a service's deadlines, of those that press: where handling one takes long and many come due at once."""

    def _limit(self, query: Select[Any], urgent_at: ColumnElement[datetime]) -> Select[Any]:
        return query.where(urgent_at <= clock.now()).limit(URGENT_BATCH)

    def _in_order(self, due: Sequence[Any]) -> Iterable[Any]:
        """In any order, so that loops that see the same do not all begin with the same."""
        return random.sample(due, len(due))


def _urgent_at(model: type[Model]) -> ColumnElement[datetime]:
    return model.urgent_at() if hasattr(model, "urgent_at") else model.due_at


def open_urgent_timers(context: Context) -> UrgentTimers:
    """The loop of a context's service."""
    return UrgentTimers(context.service, context.database)
