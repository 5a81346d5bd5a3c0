"""What a standing query is told besides its question: when it runs, from which time on, whether it reports nothing too. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.logistics.epcis.exceptions import SubscriptionControlsException, ValidationException
from services.logistics.epcis.query.conditions import Query
from services.logistics.epcis.query.given import mend_offset
from services.logistics.epcis.query.parameters import count_alternatives
from services.logistics.epcis.subscriptions.schedule import LIMITS, Schedule, ScheduleWrong, read_schedule
from services.logistics.epcis.times import read_time

NAMES = frozenset(("stream", "reportIfEmpty", "initialRecordTime", *LIMITS))
"""Parameters of a query string that are not part of the question."""
MOST_ALTERNATIVES = 100


class Controls(msgspec.Struct, frozen=True):
    """Without a ``schedule`` it is a stream: each event is told as it comes. ``fields`` is the schedule as it was written."""

    fields: dict[str, str] | None
    schedule: Schedule | None
    report_if_empty: bool
    initial_record_time: datetime | None


def read_controls(given: Mapping[str, Any], now: datetime) -> Controls:
    """The controls of a subscription's JSON: ``stream`` or ``schedule``, ``reportIfEmpty``, ``initialRecordTime``.

    Raises SubscriptionControlsException when both or neither of the first are there, or ValidationException.
    """
    is_stream, fields = given.get("stream", False), given.get("schedule")
    if not isinstance(is_stream, bool) or not isinstance(given.get("reportIfEmpty", False), bool):
        raise ValidationException("stream and reportIfEmpty are true or false")
    if is_stream == (fields is not None):
        raise SubscriptionControlsException("a subscription has either stream: true or a schedule")
    return Controls(
        fields=fields,
        schedule=None if fields is None else _read_fields(fields),
        report_if_empty=given.get("reportIfEmpty", False),
        initial_record_time=_read_time(given.get("initialRecordTime"), now),
    )


def read_control_pairs(pairs: Iterable[tuple[str, str]], now: datetime) -> tuple[Controls, list[tuple[str, str]]]:
    """The controls of a WebSocket's query string, and the parameters that are left. Raises as ``read_controls``."""
    told: dict[str, Any] = {}
    rest = []
    for name, value in pairs:
        if name not in NAMES:
            rest.append((name, value))
        elif name in told:
            raise SubscriptionControlsException(f"{name} is given twice")
        else:
            told[name] = value
    if "initialRecordTime" in told:
        told["initialRecordTime"] = mend_offset(told["initialRecordTime"])
    for name in ("stream", "reportIfEmpty"):
        if name in told:
            if told[name] not in ("true", "false"):
                raise SubscriptionControlsException(f"{name} is true or false")
            told[name] = told[name] == "true"
    if fields := {name: told.pop(name) for name in LIMITS if name in told}:
        told["schedule"] = fields
    return read_controls(told, now), rest


def check_standing(query: Query) -> None:
    """Raises SubscriptionControlsException for a question that cannot be a standing one.

    It asks for an order or a number, or for so much that asking it of each new event would take long.
    """
    if query.is_ordered:
        raise SubscriptionControlsException(
            "a query with orderBy, eventCountLimit or maxEventCount cannot be subscribed to"
        )
    if count_alternatives(query.conditions) > MOST_ALTERNATIVES:
        raise SubscriptionControlsException(
            f"a query with more than {MOST_ALTERNATIVES} patterns and numbers with units cannot be subscribed to"
        )


def _read_fields(fields: Any) -> Schedule:
    if not isinstance(fields, dict) or not all(isinstance(text, str) for text in fields.values()):
        raise ValidationException("a schedule is an object of texts")
    try:
        return read_schedule(fields)
    except ScheduleWrong as wrong:
        raise SubscriptionControlsException(str(wrong)) from None


def _read_time(text: Any, now: datetime) -> datetime | None:
    if text is None:
        return None
    at = read_time(text)
    if at is None:
        raise ValidationException("initialRecordTime is a time with its offset, as 2026-03-02T08:00:00Z")
    return min(at, now)
