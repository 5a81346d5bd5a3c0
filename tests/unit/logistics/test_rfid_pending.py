"""What an open passage waits for: a truck that is over comes first, and what was held back comes in parts behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.logistics.rfid.model import Passage
from services.logistics.rfid.pending import PART, Change, Pending, find_pending
from services.logistics.warehouses.model import Gate

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
GATE = Gate(closing=timedelta(seconds=2), longest=timedelta(seconds=120))
HELD_BACK = (NOW - timedelta(seconds=100), NOW - timedelta(seconds=30))


def wait_for(*, heard_ago_s: float | None, delayed_due: datetime) -> Passage:
    """An open passage with what was held back, and perhaps something that was heard some seconds ago."""
    heard_at = None if heard_ago_s is None else NOW - timedelta(seconds=heard_ago_s)
    return Passage(
        opened_at=NOW - timedelta(seconds=10),
        heard_at=heard_at,
        changed_from=heard_at and heard_at - timedelta(seconds=5),
        changed_until=heard_at,
        delayed_from=HELD_BACK[0],
        delayed_until=HELD_BACK[1],
        delayed_due=delayed_due,
    )


def test_what_has_just_passed_comes_before_what_was_held_back() -> None:
    window = wait_for(heard_ago_s=2, delayed_due=NOW)
    recent = Change(NOW - timedelta(seconds=7), NOW - timedelta(seconds=2))
    assert find_pending(window, GATE, NOW) == Pending((recent,), False, (*HELD_BACK, NOW), window.heard_at)


def test_what_was_held_back_is_looked_at_in_parts_while_something_passes_or_nothing_does() -> None:
    for heard_ago_s, holds in ((1, True), (None, False)):
        window = wait_for(heard_ago_s=heard_ago_s, delayed_due=NOW)
        begin, end = HELD_BACK
        for first in (begin, begin + PART):
            found = find_pending(window, GATE, NOW)
            assert found == Pending((Change(first, first + PART),), holds, (first + PART, end, NOW), window.heard_at)
            window.delayed_from = first + PART
        last = Change(begin + 2 * PART, end)
        assert find_pending(window, GATE, NOW) == Pending((last,), holds, None, window.heard_at)


def test_what_was_held_back_waits_until_it_is_due() -> None:
    due = NOW + timedelta(seconds=1)
    window = wait_for(heard_ago_s=1, delayed_due=due)
    recent = Change(NOW - timedelta(seconds=6), NOW - timedelta(seconds=1))
    assert find_pending(window, GATE, NOW) == Pending((recent,), False, (*HELD_BACK, due), window.heard_at)
