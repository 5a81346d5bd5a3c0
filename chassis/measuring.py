"""A loop that tells Prometheus, once a minute, what a service's database holds: also after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from chassis.database import Database


class Meter:
    """A loop of the worker that looks once a minute; ``tell`` reads what there is and sets the gauges."""

    EVERY_S = 60.0

    def __init__(self, database: Database, tell: Callable[[Session], None]) -> None:
        self.database = database
        self.tell = tell
        self._next = 0.0

    def step(self) -> int:
        """Look, when a minute has passed; there is never more to do at once."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.EVERY_S
            self.database.look(self.tell)
        return 0

    def close(self) -> None:
        """Nothing is held between steps."""
