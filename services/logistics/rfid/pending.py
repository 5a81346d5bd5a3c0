"""What an open passage waits for: which of the changes put down with it are looked at now, and when it is looked at again.

What happens now is looked at when it is quiet, before all else. What readers held back is looked at together every few seconds,
of long times one part after the other, so that no look keeps others from the gate for long; reads that still come then are left
alone until it is their time, so that no look comes too early for them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from services.logistics.rfid import saying, writing
from services.logistics.rfid.model import Passage, State
from services.logistics.rfid.stages.sessions import Session as TagSession
from services.logistics.rfid.stretches import from_us, to_us
from services.logistics.warehouses.model import Gate

SHORTEST_WAIT, LONGEST_WAIT = timedelta(milliseconds=200), timedelta(seconds=2)
PART = timedelta(seconds=30)
"""So much of the time of what was held back is looked at together."""


class Change(msgspec.Struct, frozen=True):
    """A stretch in which something changed; ``is_late`` when it is of reads that came too late for their session."""

    since: datetime
    until: datetime
    is_late: bool = False


Delayed = tuple[datetime, datetime, datetime]
"""From when to when something was held back, and when it is looked at."""


class Pending(msgspec.Struct, frozen=True):
    """What is looked at now, in the order of time. ``holds``: reads still come, and are left for later; so is ``delayed``."""

    changes: tuple[Change, ...]
    holds: bool
    delayed: Delayed | None
    heard_at: datetime | None


def find_pending(window: Passage, gate: Gate, now: datetime) -> Pending:
    """What of an open passage is looked at now, and what is left."""
    still_comes = _still_comes(window, gate, now)
    recent = (
        _change(window.late_from, window.late_until, is_late=True),
        _change(window.changed_from, window.changed_until),
    )
    is_due = window.delayed_due is not None and window.delayed_due <= now
    if is_due and (still_comes or not any(recent)):
        part, rest = _part_delayed(window)
        return Pending(tuple(filter(None, [part])), still_comes, rest, window.heard_at)
    return Pending(tuple(filter(None, recent)), False, _delayed(window, window.delayed_from), window.heard_at)


def _part_delayed(window: Passage) -> tuple[Change | None, Delayed | None]:
    """The first part of what was held back, and the rest, which is due too."""
    if window.delayed_from is None or window.delayed_until is None:
        return None, None
    until = min(window.delayed_until, window.delayed_from + PART)
    return Change(window.delayed_from, until), _delayed(window, until) if until < window.delayed_until else None


def _delayed(window: Passage, since: datetime | None) -> Delayed | None:
    if since is None or window.delayed_until is None or window.delayed_due is None:
        return None
    return since, window.delayed_until, window.delayed_due


def find_span(window: Passage) -> tuple[datetime, datetime] | None:
    """The time of all changes of an open passage, whether or not they are due."""
    begins = filter(None, (window.changed_from, window.late_from, window.delayed_from))
    ends = filter(None, (window.changed_until, window.late_until, window.delayed_until))
    since, until = min(begins, default=None), max(ends, default=None)
    return (since, until) if since and until else None


def _still_comes(window: Passage, gate: Gate, now: datetime) -> bool:
    return window.heard_at is not None and min(window.heard_at + gate.closing, window.opened_at + gate.longest) > now


def _change(since: datetime | None, until: datetime | None, *, is_late: bool = False) -> Change | None:
    return Change(since, until, is_late) if since is not None and until is not None else None


def go_on(
    session: Session, gate: Gate, window: Passage, pending: Pending, running: Collection[TagSession], now: datetime
) -> None:
    """Wait for what still runs and for what is left; let go of the open passage when nothing is."""
    if pending.holds:
        _hold(window, gate, running, now)
        if pending.delayed is not None:
            window.collect(*pending.delayed)
        return
    if window.state == State.OPEN and not running:
        session.delete(window)
    if not running and pending.delayed is None:
        return
    session.flush()  # one passage of a gate is open at a time
    if window.state != State.OPEN or not running:
        window = _open_next(session, gate, pending.heard_at if running else None)
    if running:
        _wait(session, window, gate, running, now)
    if pending.delayed is not None:
        window.collect(*pending.delayed)


def _open_next(session: Session, gate: Gate, heard_at: datetime | None) -> Passage:
    """The open passage of what still runs or waits, where that which was open is over."""
    window = writing.open_passage(gate)
    window.heard_at = heard_at
    session.add(window)
    return window


def _hold(window: Passage, gate: Gate, running: Collection[TagSession], now: datetime) -> None:
    """Leave alone what still comes; what runs by what was delayed is of it."""
    quiet_at = min((window.heard_at or now) + gate.closing, window.opened_at + gate.longest)
    window.hold(max(quiet_at, now + SHORTEST_WAIT))
    if running:
        begins, ends = _span_of(running)
        window.changed_from = min(filter(None, (window.changed_from, begins)))
        window.changed_until = max(filter(None, (window.changed_until, ends)))


def _wait(session: Session, window: Passage, gate: Gate, running: Collection[TagSession], now: datetime) -> None:
    """Look again when the first of what still runs may be over. What is quiet and waits for a reader alone is said to be so."""
    quiet = gate.closing // timedelta(microseconds=1)
    over = [one.span.last_us + (0 if one.span.has_beam else quiet) for one in running]
    until = min(max(from_us(min(*over, to_us(now + LONGEST_WAIT))), now + SHORTEST_WAIT), now + LONGEST_WAIT)
    window.reads = sum(bucket.count for one in running for _, seen in one.tags for bucket in seen)
    window.wait(until, now, *_span_of(running))
    if min(over) <= to_us(now) and window.verdict is None:
        saying.say_reader_silent(session, gate, window, now)


def _span_of(running: Collection[TagSession]) -> tuple[datetime, datetime]:
    return from_us(min(one.span.first_us for one in running)), from_us(max(one.span.last_us for one in running))
