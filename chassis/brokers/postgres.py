"""The embedded broker: a durable log in a PostgreSQL database of its own. The relay publishes to it as to Kafka.

Whoever opens it must be allowed to create tables there; nothing else lives in that database.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Lock
from typing import Any

import msgspec
import psycopg
from psycopg_pool import ConnectionPool

from chassis.brokers import BrokerDown, Message, Position, check_sizes
from chassis.brokers.placement import partition_of
from chassis.brokers.postgres_schema import ensure_topics, topic_channel
from chassis.brokers.postgres_settings import PostgresSettings, broker_down
from chassis.brokers.postgres_subscription import PostgresSubscription
from chassis.brokers.postgres_tail import PostgresTail

POOL_TIMEOUT_S = 3.0
MOST_FORGOTTEN = 5_000
"""Messages that one call of ``forget_old`` deletes of a partition: their lock keeps publishers waiting."""
_ADVANCE = """
WITH wanted AS (SELECT * FROM unnest(%s::int[], %s::int[], %s::bigint[]) AS wanted (topic_id, partition, messages)),
locked AS (
    SELECT topic_id, partition, messages FROM broker_partition JOIN wanted USING (topic_id, partition)
    ORDER BY topic_id, partition FOR UPDATE OF broker_partition)
UPDATE broker_partition AS p SET next_offset = p.next_offset + locked.messages
FROM locked WHERE (p.topic_id, p.partition) = (locked.topic_id, locked.partition)
RETURNING p.topic_id, p.partition, p.next_offset - locked.messages"""
_COPY = "COPY broker_message (topic_id, partition, log_offset, key, value, headers) FROM STDIN WITH (FORMAT BINARY)"
_TYPES = ["int4", "int4", "int8", "text", "bytea", "text"]
_TELL = "SELECT pg_notify(channel, '') FROM unnest(%s::text[]) AS channel"
_POSITIONS = """
SELECT t.name, p.partition, p.first_offset, coalesce(o.committed, p.first_offset), p.next_offset, coalesce(m.name, '')
FROM broker_topic AS t JOIN broker_partition AS p ON p.topic_id = t.id
LEFT JOIN broker_group AS g ON g.name = %s
LEFT JOIN broker_position AS o ON o.group_id = g.id AND (o.topic_id, o.partition) = (p.topic_id, p.partition)
LEFT JOIN broker_member AS m ON m.group_id = g.id AND m.generation = o.owner
WHERE t.name = ANY(%s) ORDER BY t.name, p.partition"""
_SKIP = """
UPDATE broker_position AS o SET committed = p.first_offset
FROM broker_partition AS p JOIN broker_topic AS t ON t.id = p.topic_id, broker_group AS g, broker_position AS before
WHERE g.name = %s AND t.name = ANY(%s) AND o.group_id = g.id AND (o.topic_id, o.partition) = (p.topic_id, p.partition)
AND (before.group_id, before.topic_id, before.partition) = (o.group_id, o.topic_id, o.partition)
AND o.committed < p.first_offset RETURNING p.first_offset - before.committed"""
_OLD = """
SELECT p.topic_id, p.partition FROM broker_partition AS p
JOIN broker_message AS m ON (m.topic_id, m.partition, m.log_offset) = (p.topic_id, p.partition, p.first_offset)
WHERE m.published_at < clock_timestamp() - %s"""
_FORGET = """
WITH oldest AS (
    SELECT log_offset, published_at FROM broker_message
    WHERE topic_id = %(topic)s AND partition = %(partition)s ORDER BY log_offset LIMIT %(most)s),
kept AS (
    SELECT coalesce(min(log_offset) FILTER (WHERE published_at >= clock_timestamp() - %(age)s), max(log_offset) + 1) AS first
    FROM oldest),
moved AS (
    UPDATE broker_partition SET first_offset = kept.first FROM kept
    WHERE topic_id = %(topic)s AND partition = %(partition)s AND first_offset < kept.first RETURNING first_offset)
DELETE FROM broker_message USING moved
WHERE topic_id = %(topic)s AND partition = %(partition)s AND log_offset < moved.first_offset"""


class PostgresBroker:
    """A broker over one database. Its pool is opened when first used, by each process for itself."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._pool: ConnectionPool | None = None
        self._pid = os.getpid()
        self._topics: dict[str, tuple[int, int]] = {}

    @classmethod
    def at(cls, url: str) -> PostgresBroker:
        """The broker at a URL; see PostgresSettings."""
        return cls(PostgresSettings.read(url))

    def ensure_topics(self, topics: Iterable[str]) -> None:
        """Create the topics that are not there yet, and the tables on first use."""
        with self._connected() as connection:
            self._topics |= ensure_topics(connection, topics, self._settings.partitions)

    def publish(self, messages: Sequence[Message]) -> None:
        """Write the messages in one transaction; see the protocol."""
        check_sizes(messages)
        if not messages:
            return
        if unknown := {message.topic for message in messages} - self._topics.keys():
            self.ensure_topics(unknown)
        by_place: dict[tuple[int, int], list[Message]] = defaultdict(list)
        for message in messages:
            topic_id, partitions = self._topics[message.topic]
            by_place[topic_id, partition_of(message.key, partitions)].append(message)
        with self._connected() as connection:
            with connection.transaction():
                self._append(connection, by_place)
            # It is told after the commit: in the transaction it would keep other publishers waiting, and here it need not succeed.
            with suppress(psycopg.OperationalError):
                connection.execute(_TELL, ([topic_channel(topic_id) for topic_id in {place[0] for place in by_place}],))

    def subscribe(self, group: str, topics: Sequence[str], member: str) -> PostgresSubscription:
        """A subscription that joins at its first poll, with a connection of its own."""
        return PostgresSubscription(self._settings, group, tuple(topics), member)

    def follow(self, topics: Sequence[str], member: str) -> PostgresTail:
        """A follower, with a connection of its own from its first poll on."""
        return PostgresTail(self._settings, tuple(topics), member)

    def positions(self, group: str, topics: Sequence[str]) -> list[Position]:
        """How far the group has come in each partition."""
        with self._connected() as connection:
            ensure_topics(connection, topics, self._settings.partitions)
            return [Position(*row) for row in connection.execute(_POSITIONS, (group, list(topics)))]

    def lag(self, group: str, topics: Sequence[str]) -> int:
        """How many messages the group has still to commit."""
        return sum(position.lag for position in self.positions(group, topics))

    def skip_lost(self, group: str, topics: Sequence[str]) -> int:
        """Move a group that fell behind to the oldest message; how many were given up. Its members join anew."""
        with self._connected() as connection, connection.transaction():
            skipped = sum(count for (count,) in connection.execute(_SKIP, (group, list(topics))))
            connection.execute(
                "DELETE FROM broker_member USING broker_group AS g WHERE group_id = g.id AND g.name = %s", (group,)
            )
            connection.execute("UPDATE broker_group SET generation = generation + 1 WHERE name = %s", (group,))
        return skipped

    def forget_old(self) -> int:
        """Delete messages past retention, at most ``MOST_FORGOTTEN`` of each partition; how many."""
        age = timedelta(seconds=self._settings.retention_s)
        with self._connected() as connection:
            old = connection.execute(_OLD, (age,)).fetchall()
            return sum(
                connection.execute(
                    _FORGET, {"topic": topic, "partition": partition, "age": age, "most": MOST_FORGOTTEN}
                ).rowcount
                for topic, partition in old
            )

    def describe(self) -> dict[str, Any]:
        """What a status page shows."""
        with self._connected() as connection:
            ensure_topics(connection, [], self._settings.partitions)
            rows = connection.execute(
                "SELECT t.name, count(*), sum(next_offset - first_offset)::bigint FROM broker_topic AS t "
                "JOIN broker_partition ON topic_id = t.id GROUP BY t.name ORDER BY t.name"
            )
            topics = {name: {"partitions": partitions, "messages": messages} for name, partitions, messages in rows}
        return {"kind": "postgres", "address": self._settings.address, "topics": topics}

    def close(self) -> None:
        """Close the pool; the broker may be used again."""
        with self._lock:
            if self._pool is not None and self._pid == os.getpid():
                self._pool.close()
            self._pool = None

    def _append(self, connection: psycopg.Connection, by_place: dict[tuple[int, int], list[Message]]) -> None:
        """Take offsets from the counters, in one order everywhere so that publishers wait and do not deadlock, and copy in."""
        ids, partitions = map(list, zip(*by_place, strict=True))
        counts = [len(messages) for messages in by_place.values()]
        counters = connection.execute(_ADVANCE, (ids, partitions, counts)).fetchall()
        if len(counters) < len(by_place):
            self._topics = {}
            raise BrokerDown("the broker's database is another one than it was: topics are missing")
        encode = msgspec.json.Encoder().encode
        with connection.cursor().copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for topic_id, partition, end in counters:
                for offset, message in enumerate(by_place[topic_id, partition], end):
                    headers = encode(message.headers).decode()
                    copy.write_row((topic_id, partition, offset, message.key, message.value, headers))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        """A connection of this process's pool, in autocommit; BrokerDown when there is none."""
        if self._pid != os.getpid():
            # After a fork the parent's pool is left alone, and its lock may be held by a thread that did not come along.
            self._pid, self._lock, self._pool = os.getpid(), Lock(), None
        with self._lock:
            if self._pool is None:
                self._pool = self._open_pool()
            pool = self._pool
        with broker_down(), pool.connection() as connection:
            yield connection

    def _open_pool(self) -> ConnectionPool:
        return ConnectionPool(
            self._settings.conninfo_for("haihe broker"),
            min_size=0,
            max_size=self._settings.pool_size,
            timeout=POOL_TIMEOUT_S,
            reconnect_timeout=POOL_TIMEOUT_S,
            kwargs={"autocommit": True},
            check=ConnectionPool.check_connection,
            open=True,
        )
