"""How many users to have next when the way is up until more users bring no more, and down again: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Climb:
    """Users are added a step at a time until the rate of requests rises by less than ``gain``, then taken away again.

    ``peak`` is the most requests a second that was seen, and the users that it took.
    """

    step: int
    most: int
    gain: float = 0.05
    users: int = 0
    falling: bool = False
    peak: tuple[float, int] = (0.0, 0)
    seen: list[tuple[int, float]] = field(default_factory=list)

    def advance(self, rate: float) -> int | None:
        """The users of the next step, given the requests a second of the one that ends; None when it is over."""
        if self.users:
            self.seen.append((self.users, rate))
        if not self.falling and self.users:
            is_better = rate > self.peak[0] * (1 + self.gain)
            self.peak = (rate, self.users) if rate > self.peak[0] else self.peak
            self.falling = not is_better or self.users >= self.most
        self.users = self.users - self.step if self.falling else min(self.users + self.step, self.most)
        return self.users if self.users > 0 else None
