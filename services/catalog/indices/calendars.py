"""On which working day of a market a deal counts, and when that day's index is made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

from services.catalog.markets.index_rules import IndexRule

_DAY = timedelta(days=1)


def is_working_day(rule: IndexRule, day: date) -> bool:
    """Whether an index is made of a day.

    The Chinese calendar with its make-up days is the State Council's, which is announced a year ahead; of a year that
    is not announced yet only the weekdays are known.
    """
    if rule.calendar == "every_day":
        return True
    if rule.calendar == "cn" and is_announced(rule, day):
        return chinese_calendar.is_workday(day)
    return day.weekday() < 5


def is_announced(rule: IndexRule, day: date) -> bool:
    """Whether the working days around a day are certain: an index of an uncertain day is never final."""
    if rule.calendar != "cn":
        return True
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def day_of(rule: IndexRule, taken_at: datetime) -> date:
    """The working day that a deal taken at a moment counts for: that of the next cut-off."""
    local = taken_at.astimezone(ZoneInfo(rule.timezone))
    day = local.date() if local.time() <= _cutoff(rule) else local.date() + _DAY
    while not is_working_day(rule, day):
        day += _DAY
    return day


def closes_at(rule: IndexRule, day: date) -> datetime:
    """The cut-off of a day: no deal that is taken later counts for it."""
    return datetime.combine(day, _cutoff(rule), ZoneInfo(rule.timezone)) + timedelta(minutes=1)


def working_days(rule: IndexRule, first: date, last: date) -> Iterator[date]:
    """The days of an index from one to another, both included."""
    day = first
    while day <= last:
        if is_working_day(rule, day):
            yield day
        day += _DAY


def _cutoff(rule: IndexRule) -> time:
    """The last minute counts to its end."""
    return time.fromisoformat(rule.cutoff).replace(second=59, microsecond=999_999)
