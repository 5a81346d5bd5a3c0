"""Sends the outbox of one service: one active relay a service, in the order of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from chassis.brokers import Broker, Message
from chassis.database import Database
from chassis.pace import Pace

BATCH = 500
_LAZILY = text("SET synchronous_commit = off")
_LOCK = text("SELECT pg_try_advisory_lock(hashtext('haihe outbox relay'))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtext('haihe outbox relay'))")
_READ = text("SELECT id, topic, key, value, headers FROM outbox ORDER BY id LIMIT :batch")
_GO_ON = text(
    "WITH sent AS (DELETE FROM outbox WHERE id = ANY(:ids)) "
    "SELECT id, topic, key, value, headers FROM outbox WHERE id <> ALL(:ids) ORDER BY id LIMIT :batch"
)


class Relay:
    """Reads, publishes, waits for all acknowledgements, and deletes by id on the connection that holds the lock.

    What was put down meanwhile is read by the statement that deletes, for the next step. The connection is the relay's alone
    until it is closed. The lock is the database session's: when the connection is lost, so is the lock, and with it the right
    to delete.
    """

    pace = Pace(idle_s=0.2, longest_idle_s=0.8, full_step=BATCH)
    """It is poked when there is something to send."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self.database = database
        self.broker = broker
        self._connection: Connection | None = None
        self._next: Sequence[Row] = ()

    def step(self) -> int:
        """Send one batch; the number sent, 0 when there was none or another relay is active. Raises BrokerDown, DBAPIError."""
        try:
            return self._send()
        except Exception:
            self.close()
            raise

    def _send(self) -> int:
        if self._connection is None and not self._lock():
            return 0
        rows = self._next or self._connection.execute(_READ, {"batch": BATCH}).all()
        if not rows:
            return 0
        self.broker.publish(
            [Message(topic=row.topic, key=row.key, value=bytes(row.value), headers=row.headers) for row in rows]
        )
        self._next = self._connection.execute(_GO_ON, {"ids": [row.id for row in rows], "batch": BATCH}).all()
        return len(rows)

    def _lock(self) -> bool:
        connection = self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.scalar(_LOCK):
            # A deletion that a crash of the database undoes is only sent again, under the same event ids (decision 0009).
            connection.execute(_LAZILY)
            self._connection = connection
            return True
        connection.close()
        return False

    def close(self) -> None:
        """Give up the lock by closing its connection."""
        self._next = ()
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(DBAPIError):
                connection.execute(_UNLOCK)
            connection.invalidate()
            connection.close()
