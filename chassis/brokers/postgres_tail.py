"""Follows topics of the PostgreSQL broker from their ends on: one connection, no group, nothing written."""

from __future__ import annotations

import time

import msgspec
import psycopg
import structlog

from chassis.brokers import BrokerDown, Message
from chassis.brokers.postgres_schema import ensure_topics, topic_channel
from chassis.brokers.postgres_settings import PostgresSettings, broker_down

LOOK_EVERY_S = 0.5
"""How long a quiet follower trusts notifications; a publisher may die between its commit and its NOTIFY."""
_ENDS = "SELECT topic_id, partition, next_offset FROM broker_partition WHERE topic_id = ANY(%s)"
_READ = """
SELECT due.topic_id, due.partition, due.position, m.log_offset, m.key, m.value, m.headers
FROM (
    SELECT at.topic_id, at.partition, at.position
    FROM unnest(%(ids)s::int[], %(partitions)s::int[], %(positions)s::bigint[]) WITH ORDINALITY
        AS at (topic_id, partition, position, turn)
    JOIN broker_partition AS p USING (topic_id, partition)
    WHERE p.next_offset > at.position ORDER BY at.turn) AS due
CROSS JOIN LATERAL (
    SELECT log_offset, key, value, headers FROM broker_message
    WHERE topic_id = due.topic_id AND partition = due.partition AND log_offset >= due.position
    ORDER BY log_offset LIMIT %(most)s) AS m
LIMIT %(most)s"""
_decode_headers = msgspec.json.Decoder(dict[str, str]).decode
log = structlog.get_logger(__name__)


class PostgresTail:
    """A follower; where it is, is known to itself alone."""

    def __init__(self, settings: PostgresSettings, topics: tuple[str, ...], member: str) -> None:
        self._settings = settings
        self._topics = topics
        self._member = member
        self._connection: psycopg.Connection | None = None
        self._names: dict[int, str] = {}
        self._next: dict[tuple[int, int], int] = {}
        self._turn = 0

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """The next messages; see the protocol."""
        deadline = time.monotonic() + timeout_s
        try:
            with broker_down():
                if self._connection is None:
                    self._connect()
                while True:
                    if batch := self._look(max_messages):
                        return batch
                    left_s = deadline - time.monotonic()
                    if left_s <= 0:
                        return []
                    list(self._connection.notifies(timeout=min(left_s, LOOK_EVERY_S), stop_after=1))
        except BrokerDown:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> None:
        """Listen first and ask for the ends then, so that nothing is published in between unheard."""
        self._connection = self._settings.connect_reader(f"{self._member} follows")
        ids = ensure_topics(self._connection, self._topics, self._settings.partitions)
        self._names = {topic_id: topic for topic, (topic_id, _) in ids.items() if topic in self._topics}
        for topic_id in self._names:
            self._connection.execute(f"LISTEN {topic_channel(topic_id)}")
        ends = self._connection.execute(_ENDS, (list(self._names),)).fetchall()
        self._next = {(topic, part): self._next.get((topic, part), end) for topic, part, end in ends}

    def _look(self, max_messages: int) -> list[Message]:
        self._turn = (self._turn + 1) % max(1, len(self._next))
        places = list(self._next.items())
        places = places[self._turn :] + places[: self._turn]
        asked = {
            "ids": [topic_id for (topic_id, _), _ in places],
            "partitions": [partition for (_, partition), _ in places],
            "positions": [position for _, position in places],
            "most": max_messages,
        }
        batch = []
        for topic_id, partition, position, offset, key, value, headers in self._connection.execute(_READ, asked):
            if offset > position and self._next[topic_id, partition] == position:
                log.warning("a follower missed messages", topic=self._names[topic_id], missed=offset - position)
            batch.append(Message(self._names[topic_id], key, value, _decode_headers(headers), partition, offset))
            self._next[topic_id, partition] = offset + 1
        return batch
