"""The shape of a load that goes to saturation and back, for HAIHE_LOAD_SHAPE=saturation or a second ``-f``."""

from __future__ import annotations

import logging
import time

from locust import LoadTestShape

from loadtests.climbing import Climb

STEP_S = 10.0
STEPS_TO_MOST = 10
MOST_USERS = 200
log = logging.getLogger(__name__)


class Saturation(LoadTestShape):
    """Adds a tenth of --users every ten seconds until that brings no more requests a second, then takes them away.

    Ends when the last have gone, or after --run-time.
    """

    use_common_options = True

    def __init__(self) -> None:
        super().__init__()
        self.climb: Climb | None = None
        self._users = 0
        self._step_began = self._requests = 0.0

    def tick(self) -> tuple[int, float] | None:
        """Users now, and how many come or go a second."""
        options = self.runner.environment.parsed_options
        if options.run_time and self.get_run_time() > float(options.run_time):
            return None
        if self.climb is None:
            most = options.num_users or MOST_USERS
            self.climb = Climb(step=max(1, most // STEPS_TO_MOST), most=most)
        elif time.monotonic() - self._step_began < STEP_S:
            return self._users, self.climb.step
        return self._begin_step(self.climb)

    def _begin_step(self, climb: Climb) -> tuple[int, float] | None:
        now, requests = time.monotonic(), self.runner.stats.total.num_requests
        rate = (requests - self._requests) / (now - self._step_began) if self._step_began else 0.0
        self._step_began, self._requests = now, requests
        users = climb.advance(rate)
        if users is None:
            log.info("saturated at %.0f requests a second with %d users: %s", *climb.peak, climb.seen)
            return None
        self._users = users
        return users, climb.step
