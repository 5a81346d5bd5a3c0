"""How long to wait for a tag that is read badly: a window that adapts itself (SMURF: Jeffery, Garofalakis, Franklin 2006).

In each epoch a tag that is there is read with probability p, so a window of w epochs misses it altogether with (1 - p)^w.
"""

from __future__ import annotations

from collections import deque
from math import ceil, log, sqrt

MISSED = 0.05
"""How often a tag that is there may be missed by a whole window (delta)."""
MOST_EPOCHS = 1_200


class AdaptiveWindow:
    """The window of one tag: how many epochs it has, and whether the tag was read in any of them."""

    def __init__(self, missed: float = MISSED) -> None:
        self.size = 1
        self._missed = missed
        self._epochs: deque[float] = deque(maxlen=MOST_EPOCHS)

    def step(self, rate: float) -> bool:
        """Take one more epoch in, with the share of its interrogations that the tag answered; whether it is there."""
        self._epochs.append(min(max(rate, 0.0), 1.0))
        window = self._window()
        seen = [one for one in window if one]
        if not seen:
            self.size = max(1, self.size // 2)
            return False
        mean = sum(seen) / len(seen)
        if self._has_left(window, len(seen), mean):
            self.size = max(1, self.size // 2)
        elif self.size < least_epochs(mean, self._missed):
            self.size = min(self.size + 2, MOST_EPOCHS)
        return any(self._window())

    def _window(self) -> list[float]:
        return list(self._epochs)[-self.size :]

    def _has_left(self, window: list[float], seen: int, mean: float) -> bool:
        """Fewer readings in the window than chance explains, at two standard deviations."""
        expected = len(window) * mean
        return expected - seen > 2 * sqrt(expected * (1 - mean))


def least_epochs(rate: float, missed: float = MISSED) -> int:
    """How many epochs a window needs for a tag that answers at this rate."""
    return min(MOST_EPOCHS, max(1, ceil(log(1 / missed) / rate))) if rate > 0 else MOST_EPOCHS
