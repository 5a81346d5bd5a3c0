"""Does what is due: every waiting state has a deadline in ``due_at``, and each is handled in a transaction of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from chassis import clock
from chassis.auth import Caller
from chassis.database import Database, Model
from chassis.service import Service, Timer

BATCH = 100
PUT_OFF = timedelta(seconds=5)
log = structlog.get_logger(__name__)


class Timers:
    """The deadlines of one service. A failing one is put off and blocks no other."""

    def __init__(self, service: Service, database: Database) -> None:
        self.timers = service.timers
        self.caller = Caller.system(service.name)
        self.database = database
        self._put_off: dict[str, datetime] = {}

    def step(self) -> int:
        """Handle what is due now; how many were handled."""
        self._put_off = {id: until for id, until in self._put_off.items() if until > clock.now()}
        return sum(self._run(model, timer) for model, timer in self.timers.items())

    def _run(self, model: type[Model], timer: Timer) -> int:
        query = select(model.id).where(model.due_at <= clock.now(), model.id.not_in(list(self._put_off)))
        due = self.database.look(lambda session: list(session.scalars(query.order_by(model.due_at).limit(BATCH))))
        return sum(self._handle(id, timer) for id in due)

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
