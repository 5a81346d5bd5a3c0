"""Whether a service can do its work: its database answers, and each of its worker's loops comes round."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Row, text

from chassis import clock
from chassis.database import Database
from chassis.problems import Problem

FRESH = timedelta(seconds=15)
_BEATS = text("SELECT member, loop, at, error FROM heartbeat WHERE at > :since ORDER BY member, loop")


class Readiness(msgspec.Struct, frozen=True):
    """One service: ``problem`` is what its database lacks; each loop is ``ok`` or what is wrong with it."""

    service: str
    ready: bool
    problem: str | None
    loops: dict[str, str]


def look_at(service: str, database: Database) -> Readiness:
    """The readiness of a service now, as its own database tells it."""
    try:
        now = clock.now()
        rows = database.look(lambda session: session.execute(_BEATS, {"since": now - 40 * FRESH}).all())
    except Problem as problem:
        return Readiness(service, False, f"the database does not answer: {problem.detail or problem.title()}", {})
    loops = judge_loops(rows, now)
    return Readiness(service, all(said == "ok" for said in loops.values()), None, loops)


def judge_loops(rows: Iterable[Row], now: datetime) -> dict[str, str]:
    """What is to be said of each loop. It is ``ok`` when it comes round without an error in one worker that is alive
    at least.
    """
    beats = [(member, loop, at, error) for member, loop, at, error in rows]
    alive = {member for member, _, at, _ in beats if at > now - FRESH}
    said: dict[str, str] = {} if alive else {"worker": "no worker has been heard of for 15 s"}
    for member, loop, at, error in beats:
        if member in alive and said.get(loop) != "ok":
            said[loop] = error or ("ok" if at > now - FRESH else f"has not come round since {at:%H:%M:%S} UTC")
    return said
