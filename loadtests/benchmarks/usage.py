"""What the platform used: processor time of its processes, statements that PostgreSQL ran, WAL that it wrote."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec
import psutil
from psycopg import Connection

_WORK = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "COPY", "MERGE")
_STATEMENTS = """
SELECT d.datname, s.calls, s.query, s.total_exec_time
FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid
WHERE s.userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)"""


def cpu_seconds(roots: Sequence[int]) -> float:
    """User and system time so far of these processes and all that they started, those that ended included.

    A process that ended counts once its parent has waited for it.
    """
    return sum(_family_seconds(root) for root in roots)


def _family_seconds(root: int) -> float:
    family = [psutil.Process(root)]
    family += family[0].children(recursive=True)
    return sum(_own_seconds(process) for process in family)


def _own_seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system + times.children_user + times.children_system
    return 0.0


class Statement(msgspec.Struct, frozen=True):
    """One statement of one database: how often it ran, and for how many milliseconds in all."""

    database: str
    calls: int
    text: str
    ms: float

    @property
    def is_work(self) -> bool:
        """Whether a client sent it to read or write something: what begins or ends a transaction does not, and the
        expressions of a deferred trigger, which are counted as if they had been sent, begin with no such word.
        """
        return self.text.lstrip().upper().startswith(_WORK)


def start_statements(admin: Connection) -> None:
    """Counts from nothing again. ``admin`` is the superuser's connection; its own statements are never counted."""
    admin.execute("SELECT pg_stat_statements_reset()")


def read_statements(admin: Connection) -> list[Statement]:
    """What ran since, the most frequent first."""
    found = [Statement(*row) for row in admin.execute(_STATEMENTS)]
    return sorted(found, key=lambda statement: -statement.calls)


def count_statements(statements: Sequence[Statement]) -> int:
    """How often those ran that read or write something."""
    return sum(statement.calls for statement in statements if statement.is_work)


def wal_position(admin: Connection) -> int:
    """How many bytes of WAL were written so far."""
    return int(admin.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()[0])
