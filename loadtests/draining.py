"""How long the platform needs, after the last request, until nothing is on its way any more.

The queues are read from /metrics where it is shown (the embedded platform; nginx hides it), and the deals of the load
from the API everywhere: none may wait for the platform itself, or for a deadline that is about to pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from loadtests.api import Actor, Api, ApiRefused

QUEUES = ("haihe_outbox_age_seconds", "haihe_consumer_lag")
PARKED = "haihe_parked_keys"
# The worker tells its metrics every two seconds: queues are empty when they were so for longer than that.
QUIET_S = 3.0
LOOK_EVERY_S = 0.25
DUE_SOON = timedelta(minutes=1)
_PLATFORMS_TURN = ("deposits_pending", "settling")
_PEOPLES_TURN = ("effective", "signed", "delivering")


@dataclass(frozen=True)
class Drain:
    """``seconds`` until all was quiet; ``left`` is what was not when time was up, ``saw_queues`` whether /metrics answered."""

    seconds: float
    left: tuple[str, ...]
    saw_queues: bool


def await_drained(
    look: Callable[[], tuple[list[str], bool]],
    within_s: float,
    *,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Drain:
    """Looks until nothing is left for ``QUIET_S``; ``look`` answers what is left and whether it saw the queues."""
    began = clock()
    quiet_since: float | None = None
    while True:
        left, saw_queues = look()
        at = clock()
        quiet_since = None if left else at if quiet_since is None else quiet_since
        if quiet_since is not None and at - quiet_since >= QUIET_S:
            return Drain(quiet_since - began, (), saw_queues)
        if quiet_since is None and at - began > within_s:
            return Drain(at - began, tuple(left), saw_queues)
        pause(LOOK_EVERY_S)


def look_at(api: Api, operator: Actor, parties: Collection[str], began: str) -> tuple[list[str], bool]:
    """What is on its way now, in the queues and among the deals that these companies buy by."""
    queues = read_queues(api)
    busy = [f"{name} {value:g}" for name, value in (queues or {}).items() if value]
    deals = list_moving(operator, parties, began, datetime.now(UTC))
    return busy + [f"{deal['id']} {deal['state']}" for deal in deals], queues is not None


def read_queues(api: Api) -> dict[str, float] | None:
    """Every queue by its name and labels, or None where /metrics is not shown."""
    page = read_metrics(api)
    return None if page is None else {name: value for name, value in page.items() if name.startswith(QUEUES)}


def read_metrics(api: Api) -> dict[str, float] | None:
    """The samples of /metrics by name and labels, or None where it is not shown."""
    try:
        page = api.call("GET", "/metrics")
    except (ApiRefused, OSError):
        return None
    rows = (line.rpartition(" ") for line in page.decode().splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def list_moving(operator: Actor, parties: Collection[str], began: str, now: datetime) -> list[dict[str, Any]]:
    """The deals that the platform has still to move on: by itself, or because they are due within a minute."""
    waiting = (
        deal for state in _PEOPLES_TURN for deal in list_since(operator, "/v1/deals", "struck_at", began, state=state)
    )
    moving = [deal for deal in waiting if _is_due_soon(deal, now)]
    for state in _PLATFORMS_TURN:
        moving += list_since(operator, "/v1/deals", "struck_at", began, state=state)
    return [deal for deal in moving if deal["buyer_id"] in parties]


def _is_due_soon(deal: dict[str, Any], now: datetime) -> bool:
    return deal["due_at"] is not None and datetime.fromisoformat(deal["due_at"]) < now + DUE_SOON


def list_since(actor: Actor, path: str, time_field: str, began: str, **params: Any) -> Iterator[dict[str, Any]]:
    """The items of a list, newest first, until those that are older than a moment."""
    since, cursor = datetime.fromisoformat(began), None
    while True:
        page = actor.get(path, cursor=cursor, limit=100, **params)
        for item in page["items"]:
            if datetime.fromisoformat(item[time_field]) < since:
                return
            yield item
        if (cursor := page.get("next")) is None:
            return
