"""One look at one service's database: its invariants, those of its messages, and what it says for comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psycopg

from chassis.service import Invariant, Service
from chassis.settings import Settings
from infra.check.agreements import Side
from infra.check.local import message_invariants
from infra.databases import libpq

STATEMENT_TIMEOUT = "120s"
MOST_NAMED = 20


@dataclass(frozen=True)
class Violation:
    """A broken invariant: the ids are the first that break it, ``count`` is how many there are."""

    service: str
    name: str
    sentence: str
    count: int
    ids: list[str]


@dataclass(frozen=True)
class Snapshot:
    """What one database said at one moment.

    ``undelivered`` are the subjects of messages on their way or set aside there; ``moving`` counts the messages and
    errands that will be gone soon if all goes well (what is parked will not).
    """

    service: str
    violations: list[Violation]
    undelivered: frozenset[str]
    moving: int
    checked: int
    sides: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)


_UNDELIVERED = "select key from outbox union select key from parked_key"
_MOVING = (
    "select (select count(*) from outbox) + (select count(*) from parked_key where due_at is not null)"
    " + (select count(*) from errand where state = 'owed' and due_at <= now())"
)


def take_snapshot(service: Service, given: Settings, sides: Iterable[Side], *, grace_s: float) -> Snapshot:
    """Asks everything in one read-only REPEATABLE READ transaction. Raises psycopg.OperationalError when it cannot be
    reached.
    """
    invariants = [*service.invariants, *message_invariants(service, grace_s)]
    with psycopg.connect(libpq(given.database), options=f"-c statement_timeout={STATEMENT_TIMEOUT}") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        violations = [_violation(service.name, connection, each) for each in invariants]
        undelivered = frozenset(key for (key,) in connection.execute(_UNDELIVERED))
        moving = connection.execute(_MOVING).fetchone()[0]
        said = {side: dict(connection.execute(side.query).fetchall()) for side in sides}
        connection.rollback()
    return Snapshot(
        service.name, [each for each in violations if each.count], undelivered, moving, len(invariants), said
    )


def _violation(service: str, connection: psycopg.Connection, invariant: Invariant) -> Violation:
    ids = [str(row[0]) for row in connection.execute(invariant.query)]
    return Violation(service, invariant.name, invariant.sentence, len(ids), sorted(ids)[:MOST_NAMED])
