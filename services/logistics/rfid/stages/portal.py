"""A portal as its reads come, in any order and more than once: passages when they are over, corrections when reads come late.

What is kept is a set of reads, and what is told is a function of that set; so however the reads of the last quarter of an hour
come, what was told and not taken back is the same. Work is done anew only from the quiet time before the first change.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from services.logistics.rfid.stages.kept import KeptReads
from services.logistics.rfid.stages.passages import Context, Passage, judge
from services.logistics.rfid.stages.reads import BUCKET_US, SECOND_US, Read
from services.logistics.rfid.stages.sessions import PortalRules, Session, find_sessions
from services.logistics.rfid.stages.watermarks import Lateness, lateness

LATE_EVERY_US = 15 * SECOND_US


class Settled(msgspec.Struct, frozen=True):
    """What is told: passages that are over, and those told before that were not so."""

    new: tuple[Passage, ...]
    gone: tuple[Passage, ...]


class Portal:
    """The reads of one portal in the last half-hour, and the passages that were told of them."""

    def __init__(self, portal_id: str, rules: PortalRules) -> None:
        self.portal_id, self.rules = portal_id, rules
        self._kept = KeptReads(rules, self._changed)
        self._told: dict[Passage, None] = {}
        self._open_from = 0
        self._late: set[int] = set()
        self._late_at_us = 0
        self._due_us: int | None = None
        self._cap_us = 0
        self._watermark_us = 0

    def take(self, reads: Iterable[Read]) -> list[Read]:
        """Take reads in; those that come too late for a session are given back, for what they say stands alone."""
        late: list[Read] = []
        for read in reads:
            if lateness(read.at_us, self._watermark_us) is Lateness.TOO_LATE:
                late.append(read)
            else:
                self._kept.add(read)
        return late

    def take_edge(self, at_us: int, *, is_high: bool) -> None:
        """The photo-eye went high (something is in the way) or low."""
        self._kept.add_edge(at_us, is_high=is_high)
        if self._due_us is not None:
            self._due_us = 0

    def _changed(self, quarter: int) -> None:
        """What was told of a quarter is looked at again, or what is open there ends no earlier than a quiet time later."""
        if quarter < self._open_from:
            self._late.add(quarter)
            return
        due_us = quarter * BUCKET_US + self.rules.quiet_us
        if self._due_us is None:
            self._due_us, self._cap_us = due_us, due_us + self.rules.longest_us
        else:
            self._due_us = min(self._due_us, due_us)

    def settle(self, watermark_us: int, context: Context) -> Settled:
        """Tell what is over when all reads up to the watermark have come, and take back what was not so.

        What late reads change is looked at every few seconds, for all of them together.
        """
        self._watermark_us = max(self._watermark_us, watermark_us)
        new: set[Passage] = set()
        gone: set[Passage] = set()
        if self._late and self._watermark_us - self._late_at_us >= LATE_EVERY_US:
            self._settle_late(context, new, gone)
        if self._is_due():
            self._settle_tail(context, new, gone)
        if (limit := self._kept.forget(self._watermark_us)) is not None:
            self._told = {one: None for one in self._told if one.span.first_us >= limit * BUCKET_US}
        return Settled(tuple(sorted(new - gone)), tuple(sorted(gone - new)))

    def _settle_late(self, context: Context, new: set[Passage], gone: set[Passage]) -> None:
        late, self._late, self._late_at_us = sorted(self._late), set(), self._watermark_us
        done = 0
        for quarter in late:
            if quarter < done:
                continue
            start, done = self._kept.stretch_start(quarter), self._kept.stretch_end(quarter)
            if done > self._open_from:  # what is still open now begins earlier
                self._open_from = min(self._open_from, start)
                self._due_us = 0
                return
            self._settle_part(start, done, context, new, gone)

    def _settle_tail(self, context: Context, new: set[Passage], gone: set[Passage]) -> None:
        end = self._kept.end
        running = self._settle_part(self._kept.stretch_start(self._open_from), end, context, new, gone)
        first_us = min((session.span.first_us for session in running), default=None)
        opens = end if first_us is None else first_us // BUCKET_US
        self._open_from = min(opens, self._watermark_us // BUCKET_US)
        self._due_us = min((session.span.last_us + self._wait_us(session) for session in running), default=None)
        self._cap_us = (first_us or 0) + self.rules.longest_us + self.rules.quiet_us

    def _settle_part(
        self, start: int, end: int, context: Context, new: set[Passage], gone: set[Passage]
    ) -> list[Session]:
        """Compare what was told of a part with what is so now; the sessions that still run."""
        sessions = find_sessions(self._kept.buckets(start, end), self._kept.beams(start, end), self.rules)
        found = {judge(self.portal_id, one, self.rules, context) for one in sessions if self._is_over(one)}
        told = {one for one in self._told if start * BUCKET_US <= one.span.first_us < end * BUCKET_US}
        for passage in told - found:
            del self._told[passage]
        self._told.update(dict.fromkeys(sorted(found - told)))
        new |= found - told
        gone |= told - found
        return [one for one in sessions if not self._is_over(one)]

    def _is_due(self) -> bool:
        """Whether something may be over: not, while there is no quiet time behind what runs, nor is it at its longest."""
        if self._due_us is None or self._watermark_us <= self._due_us:
            return False
        if self._watermark_us > self._cap_us or self._kept.beams(self._open_from, self._kept.end):
            return True
        last = self._kept.quiet_after((self._due_us - self.rules.quiet_us) // BUCKET_US)
        self._due_us = max(self._due_us, last * BUCKET_US + self.rules.quiet_us)
        return self._watermark_us > self._due_us

    def _wait_us(self, session: Session) -> int:
        return 0 if session.span.has_beam else self.rules.quiet_us

    def _is_over(self, session: Session) -> bool:
        return session.span.last_us + self._wait_us(session) < self._watermark_us
