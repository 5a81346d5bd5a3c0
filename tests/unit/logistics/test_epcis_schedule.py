"""Does a standing query run exactly when its schedule says?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.logistics.epcis.subscriptions.schedule import LIMITS, ScheduleWrong, find_next, read_schedule

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ({"hour": "1", "minute": "5"}, NOON, "2026-03-03T01:05:00"),
        ({"minute": "5"}, NOON, "2026-03-02T12:05:00"),
        ({"second": "0"}, NOON, "2026-03-02T12:01:00"),
        ({"second": "*"}, NOON, "2026-03-02T12:00:01"),
        ({"second": "[10-20]"}, NOON, "2026-03-02T12:00:10"),
        ({"second": "1,3"}, NOON + timedelta(seconds=1), "2026-03-02T12:00:03"),
        ({"second": "[1-2],59"}, NOON + timedelta(seconds=2), "2026-03-02T12:00:59"),
        ({"hour": "*"}, NOON, "2026-03-02T13:00:00"),
        ({"dayOfWeek": "1"}, NOON, "2026-03-09T00:00:00"),
        ({"dayOfWeek": "7", "hour": "23"}, NOON, "2026-03-08T23:00:00"),
        ({"dayOfMonth": "31"}, NOON, "2026-03-31T00:00:00"),
        ({"dayOfMonth": "31", "month": "[4-6]"}, NOON, "2026-05-31T00:00:00"),
        ({"dayOfMonth": "29", "month": "2"}, NOON, "2028-02-29T00:00:00"),
        ({"dayOfMonth": "29", "month": "2", "dayOfWeek": "1"}, NOON, "2044-02-29T00:00:00"),
        ({"dayOfMonth": "29", "month": "2"}, datetime(2096, 3, 1, tzinfo=UTC), "2104-02-29T00:00:00"),
        ({"dayOfMonth": "1", "month": "1", "hour": "0", "minute": "", "second": " "}, NOON, "2027-01-01T00:00:00"),
        ({"minute": "59", "hour": "23"}, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2027-01-01T23:59:00"),
    ],
)
def test_the_next_run_is_exact(fields: dict[str, str], after: datetime, expected: str) -> None:
    assert find_next(read_schedule(fields), after) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_the_time_is_utc_wherever_the_asker_is() -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    assert find_next(read_schedule({"hour": "13"}), shanghai) == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"hour": ""}, {"second": "60"}, {"minute": "-1"}, {"hour": "24"}, {"dayOfMonth": "0"}, {"dayOfMonth": "32"},
        {"month": "13"}, {"dayOfWeek": "0"}, {"dayOfWeek": "8"}, {"second": "0/30"}, {"second": "[20-10]"}, {"second": "[1-2"},
        {"second": "1-2"}, {"second": "1,,2"}, {"second": "1,"}, {"second": "one"}, {"second": "１"}, {"second": "*,1"},
        {"second": "1" * 201}, {"year": "2026"}, {"dayOfMonth": "31", "month": "2"}, {"dayOfMonth": "31", "month": "4,6,9,11"},
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ScheduleWrong):
        read_schedule(fields)


def _fields(names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    def one(name: str) -> st.SearchStrategy[str]:
        low, high = LIMITS[name]
        number = st.integers(low, high)
        span = st.tuples(number, number).map(lambda pair: f"[{min(pair)}-{max(pair)}]")
        return st.lists(st.one_of(number.map(str), span), min_size=1, max_size=3).map(",".join)

    return st.fixed_dictionaries({}, optional={name: one(name) for name in names}).filter(bool)


def _fits(fields: dict[str, str], at: datetime) -> bool:
    """The rule said in another way: is this second one of those of the schedule?"""
    finest = min(list(LIMITS).index(name) for name in fields)
    is_now = {
        "second": at.second, "minute": at.minute, "hour": at.hour, "dayOfMonth": at.day, "month": at.month,
        "dayOfWeek": at.isoweekday(),
    }  # fmt: skip
    for place, (name, value) in enumerate(is_now.items()):
        if name not in fields:
            if place < min(finest, 3) and value != 0:
                return False
            continue
        spans = [part.strip("[]").split("-") for part in fields[name].split(",")]
        if not any(int(span[0]) <= value <= int(span[-1]) for span in spans):
            return False
    return True


@settings(max_examples=200, deadline=None)
@given(_fields(list(LIMITS)), st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)))
def test_it_runs_when_every_field_agrees_and_no_earlier(fields: dict[str, str], naive: datetime) -> None:
    after = naive.replace(tzinfo=UTC)
    try:
        found = find_next(read_schedule(fields), after)
    except ScheduleWrong:
        return
    assert found > after and _fits(fields, found)
    second = after.replace(microsecond=0) + timedelta(seconds=1)
    for step in range(min(4_000, int((found - second).total_seconds()))):
        assert not _fits(fields, second + timedelta(seconds=step))
    day = second.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    while day.date() < found.date():
        day_fields = {name: text for name, text in fields.items() if name in ("dayOfMonth", "month", "dayOfWeek")}
        assert not day_fields or not _fits(day_fields, day)
        assert day_fields
        day += timedelta(days=1)
