"""Does what is due: every waiting state has a deadline in ``due_at``, and each is handled in a transaction of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import CompoundSelect, Select, literal, select, union_all

from chassis import clock
from chassis.auth import Caller
from chassis.database import Database, Model
from chassis.pace import Pace
from chassis.service import Service, Timer

BATCH = 100
PUT_OFF = timedelta(seconds=5)
log = structlog.get_logger(__name__)


class Timers:
    """The deadlines of one service. A failing one is put off and blocks no other."""

    pace = Pace(idle_s=0.25, longest_idle_s=0.5)

    def __init__(self, service: Service, database: Database) -> None:
        self.timers = service.timers
        self._by_table = {model.__tablename__: timer for model, timer in service.timers.items()}
        self.caller = Caller.system(service.name)
        self.database = database
        self._put_off: dict[str, datetime] = {}

    def step(self) -> int:
        """Handle what is due now; how many were handled."""
        self._put_off = {id: until for id, until in self._put_off.items() if until > clock.now()}
        due = self.database.look(lambda session: session.execute(self._select_due()).all())
        return sum(self._handle(id, self._by_table[table]) for table, id in due)

    def _select_due(self) -> CompoundSelect[tuple[str, str]]:
        """One statement for all kinds of deadlines, as it runs at least twice a second whether or not anything is due."""
        return union_all(*(self._select_due_of(model) for model in self.timers))

    def _select_due_of(self, model: type[Model]) -> Select[tuple[str, str]]:
        query = select(literal(model.__tablename__), model.id)
        query = query.where(model.due_at <= clock.now(), model.id.not_in(list(self._put_off)))
        found = query.order_by(model.due_at).limit(BATCH).subquery()
        return select(*found.c)

    def _handle(self, id: str, timer: Timer) -> int:
        try:
            self.database.run(lambda session: timer(session, self.caller, id))
            return 1
        except Exception:
            log.exception("a deadline could not be handled", id=id)
            self._put_off[id] = clock.now() + PUT_OFF
            return 0

    def close(self) -> None:
        """Nothing is held between steps."""
