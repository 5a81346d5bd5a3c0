"""Deaths of processes at random, before or after their commits."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.world import World


class Crash(BaseException):
    """A process died."""


class Crashes:
    """Lets processes die at random around their commits, from one seed."""

    ONE_IN = 4

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random, self.count = world, random.Random(seed), 0
        for database in world.databases.values():
            database.run = self._wrap(database.run)

    def _wrap(self, run: Any) -> Any:
        def run_or_die(work: Any) -> Any:
            fate = self.random.randrange(2 * self.ONE_IN)
            if fate == 0:
                self._die(lambda: run(lambda session: self._die(lambda: work(session))))
            result = run(work)
            if fate == 1:
                self._die(lambda: None)
            return result

        return run_or_die

    def _die(self, last: Any) -> None:
        last()
        self.count += 1
        raise Crash

    def __enter__(self) -> Crashes:
        return self

    def __exit__(self, *_: object) -> None:
        """No more deaths."""
        for database in self.world.databases.values():
            del database.run
