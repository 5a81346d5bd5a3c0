"""When a standing query runs: six fields as in cron, and the exact moment of the next run. Pure.

EPCIS 2.0, 8.2.5.3 (QuerySchedule): each field is a list of numbers and ranges, ``5``, ``1,3``, ``[10-20]``, ``[1-5],7``; a field
that is left out or is ``*`` takes any number. Day of week: 1 is Monday, 7 Sunday. All fields that are given must agree
(so both days must, unlike in cron), and the time is UTC. The published patterns for these fields fit no engine.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

LIMITS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),
}
"""Name of a field to its least and greatest number."""
MOST_CHARACTERS = 200
YEARS_AHEAD = 40
"""The calendar repeats itself after 28 years, over a century's end after 40: what has no run by then has none."""
_element = re.compile(r"([0-9]{1,2})|\[([0-9]{1,2})-([0-9]{1,2})\]")


class ScheduleWrong(ValueError):
    """A schedule cannot be read; the message names the field."""


class Schedule(msgspec.Struct, frozen=True):
    """Ascending numbers of each field at which a query runs."""

    second: tuple[int, ...]
    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day_of_month: tuple[int, ...]
    month: tuple[int, ...]
    day_of_week: tuple[int, ...]


def read_schedule(fields: Mapping[str, str]) -> Schedule:
    """A schedule from its fields as text. Raises ScheduleWrong for one that has no field, names none or never runs.

    Fields finer than the finest that is given run once: ``{"hour": "1"}`` is at one o'clock, not 3,600 times from then on.
    """
    if unknown := sorted(fields.keys() - LIMITS.keys()):
        raise ScheduleWrong(f"a schedule has no field {unknown[0]!r}")
    given = {name: text.strip() for name, text in fields.items() if text.strip()}
    if not given:
        raise ScheduleWrong("a schedule names one field at least")
    said = {name: _read_field(name, text) for name, text in given.items() if text != "*"}
    for name in ("second", "minute", "hour"):
        if name in given:
            break
        said[name] = (0,)
    every = {name: said.get(name, tuple(range(low, high + 1))) for name, (low, high) in LIMITS.items()}
    schedule = Schedule(*every.values())
    if find_next(schedule, datetime(2000, 1, 1, tzinfo=UTC)) is None:
        raise ScheduleWrong("no day is ever like this")
    return schedule


def find_next(schedule: Schedule, after: datetime) -> datetime | None:
    """The first moment strictly later than ``after`` at which the schedule runs, in UTC; None when there is none."""
    at = after.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    day = at.replace(hour=0, minute=0, second=0)
    if _has_day(schedule, day) and (found := _find_within_day(schedule, at)) is not None:
        return found
    for year in range(day.year, day.year + YEARS_AHEAD + 1):
        for month in schedule.month:
            for number in schedule.day_of_month:
                if number <= monthrange(year, month)[1]:
                    found = datetime(year, month, number, tzinfo=UTC)
                    if found > day and found.isoweekday() in schedule.day_of_week:
                        return found.replace(
                            hour=schedule.hour[0], minute=schedule.minute[0], second=schedule.second[0]
                        )
    return None


def _read_field(name: str, text: str) -> tuple[int, ...]:
    low, high = LIMITS[name]
    if len(text) > MOST_CHARACTERS:
        raise ScheduleWrong(f"{name} is longer than {MOST_CHARACTERS} characters")
    numbers: set[int] = set()
    for part in text.split(","):
        found = _element.fullmatch(part.strip())
        if found is None:
            raise ScheduleWrong(f"{name}: {part.strip()[:40]!r} is neither a number nor a range such as [10-20]")
        first, last = int(found[1] or found[2]), int(found[1] or found[3])
        if not low <= first <= last <= high:
            raise ScheduleWrong(f"{name}: {part.strip()} is not within {low} to {high}")
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))


def _has_day(schedule: Schedule, day: datetime) -> bool:
    return day.month in schedule.month and day.day in schedule.day_of_month and day.isoweekday() in schedule.day_of_week


def _find_within_day(schedule: Schedule, at: datetime) -> datetime | None:
    for hour in schedule.hour:
        for minute in schedule.minute if hour >= at.hour else ():
            if (hour, minute) >= (at.hour, at.minute):
                for second in schedule.second:
                    if (hour, minute, second) >= (at.hour, at.minute, at.second):
                        return at.replace(hour=hour, minute=minute, second=second)
    return None
