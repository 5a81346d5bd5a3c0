"""Reads from the PostgreSQL broker: one connection, one member of a group, one thread."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
import structlog

from chassis.brokers import BrokerDown, Message, StaleMember, fell_behind
from chassis.brokers.placement import Place
from chassis.brokers.postgres_group import Membership, commit, join, leave, settle
from chassis.brokers.postgres_schema import ensure_topics, group_channel, topic_channel
from chassis.brokers.postgres_settings import PostgresSettings, broker_down

LOOK_EVERY_S = 0.5
"""How long a quiet reader trusts notifications before it looks by itself; a publisher may die between commit and NOTIFY."""
_READ = """
SELECT g.generation, found.*
FROM broker_group AS g LEFT JOIN LATERAL (
    SELECT due.topic_id, due.partition, due.position, due.first_offset, m.log_offset, m.key, m.value, m.headers
    FROM (
        SELECT at.topic_id, at.partition, at.position, p.first_offset
        FROM unnest(%(ids)s::int[], %(partitions)s::int[], %(positions)s::bigint[]) WITH ORDINALITY
            AS at (topic_id, partition, position, turn)
        JOIN broker_partition AS p USING (topic_id, partition)
        WHERE p.next_offset > at.position ORDER BY at.turn) AS due
    LEFT JOIN LATERAL (
        SELECT log_offset, key, value, headers FROM broker_message
        WHERE topic_id = due.topic_id AND partition = due.partition AND log_offset >= due.position
        ORDER BY log_offset LIMIT %(most)s) AS m ON due.first_offset <= due.position
    LIMIT %(most)s) AS found ON true
WHERE g.id = %(group)s"""
_decode_headers = msgspec.json.Decoder(dict[str, str]).decode
log = structlog.get_logger(__name__)


class PostgresSubscription:
    """A member of a group. The generation is read with the messages, so a member outside the group is never given any."""

    def __init__(self, settings: PostgresSettings, group: str, topics: tuple[str, ...], member: str) -> None:
        self._settings = settings
        self._group = group
        self._topics = topics
        self._member = member
        self._connection: psycopg.Connection | None = None
        self._membership: Membership | None = None
        self._next: dict[Place, int] = {}
        self._read: dict[Place, tuple[int, int]] = {}
        self._has_lost_messages = False
        self._renew_at = 0.0
        self._look_at = 0.0
        self._names: dict[int, str] = {}
        self._turn = 0
        self._rebalances = 0

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """The next messages; see the protocol."""
        deadline = time.monotonic() + timeout_s
        try:
            with broker_down():
                while True:
                    if time.monotonic() >= self._look_at and (batch := self._look(max_messages)):
                        return batch
                    if time.monotonic() >= deadline:
                        return []
                    self._listen(min(deadline, self._look_at))
        except BrokerDown:
            self._drop()
            raise

    def commit(self) -> None:
        """Commit what poll returned; see the protocol."""
        try:
            if self._has_lost_messages:
                raise StaleMember(f"{self._member} of group {self._group} has lost partitions that it read from")
            if self._read:
                with broker_down():
                    commit(self._membership, {place: upto for place, (_, upto) in self._read.items()})
        except BrokerDown:
            self._drop()
            self.seek_to_committed()
            raise
        except StaleMember:
            self.seek_to_committed()
            raise
        self._read = {}

    def seek_to_committed(self) -> None:
        """Let the next poll return again what was returned since the last commit."""
        self._next |= {place: first for place, (first, _) in self._read.items()}
        self._read, self._has_lost_messages = {}, False
        self._look_at = 0.0

    def describe(self) -> dict[str, Any]:
        """Group, member, generation, partitions by topic and rebalances."""
        owned = self._membership.owned if self._membership else {}
        return {
            "group": self._group,
            "member": self._member,
            "generation": self._membership.number if self._membership else 0,
            "partitions": {topic: sorted(p for t, p in owned if t == topic) for topic in self._topics},
            "rebalances": self._rebalances,
        }

    def close(self) -> None:
        """Leave the group."""
        if self._membership is not None:
            with suppress(psycopg.Error):
                leave(self._membership)
        self._drop()

    def _listen(self, until: float) -> None:
        """Wait to be told of something: what was told since the last look is kept by the connection."""
        wait_s = max(0.0, until - time.monotonic())
        if list(self._connection.notifies(timeout=wait_s, stop_after=1)):
            self._look_at = 0.0

    def _drop(self) -> None:
        """Forget the connection, and with it the membership: it cannot outlive it."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._look_at = 0.0
        self._leave_behind()

    def _leave_behind(self) -> None:
        self._membership = None
        self._has_lost_messages |= bool(self._read)
        self._next, self._read = {}, {}

    def _look(self, max_messages: int) -> list[Message]:
        """Messages if there are any now; joins and settles first when that is called for.

        When it found all there were, the next look waits until somebody tells of more.
        """
        if self._membership is None or not self._membership.is_complete or time.monotonic() > self._renew_at:
            self._settle()
        rows = self._fetch(max_messages)
        while rows[0][0] != self._membership.seen:
            self._settle()
            rows = self._fetch(max_messages)
        batch = self._deliver(rows) if rows[0][1] is not None else []
        self._look_at = time.monotonic() + LOOK_EVERY_S if len(batch) < max_messages else 0.0
        return batch

    def _settle(self) -> None:
        """Have the partitions that are due to this member, joining when it is no member (any more)."""
        before = set(self._next)
        if self._membership is None or not settle(self._membership):
            self._join()
            settle(self._membership)
        owned = self._membership.owned
        self._renew_at = time.monotonic() + self._settings.lease_s / 3
        self._has_lost_messages |= any(place not in owned for place in self._read)
        self._read = {place: read for place, read in self._read.items() if place in owned}
        self._next = {place: self._next.get(place, committed) for place, (_, committed) in owned.items()}
        if before != set(self._next):
            self._rebalances += 1
            log.info("partitions dealt", **self.describe(), complete=self._membership.is_complete)

    def _join(self) -> None:
        """A new membership, on a new connection: what the old one holds shall not outlive it."""
        self._drop()
        name = f"{self._member} {self._group}"
        self._connection = self._settings.connect_reader(name)
        ids = ensure_topics(self._connection, self._topics, self._settings.partitions)
        self._names = {topic_id: topic for topic, (topic_id, _) in ids.items()}
        self._membership = join(self._connection, self._group, self._member, self._topics, self._settings.lease_s)
        channels = [group_channel(self._membership.group_id), *map(topic_channel, self._names)]
        for channel in channels:
            self._connection.execute(f"LISTEN {channel}")

    def _fetch(self, max_messages: int) -> list[tuple[Any, ...]]:
        """Rows of ``_READ``, beginning with another partition each time: at least one, whose first column is the generation."""
        self._turn = (self._turn + 1) % max(1, len(self._next))
        places = list(self._next.items())
        places = places[self._turn :] + places[: self._turn]
        owned = self._membership.owned
        asked = {
            "group": self._membership.group_id,
            "ids": [owned[place][0] for place, _ in places],
            "partitions": [partition for (_, partition), _ in places],
            "positions": [position for _, position in places],
            "most": max_messages,
        }
        return self._connection.execute(_READ, asked).fetchall()

    def _deliver(self, rows: list[tuple[Any, ...]]) -> list[Message]:
        """The messages of the rows; the next poll goes on behind them. Raises FellBehind."""
        batch = []
        upto: dict[Place, int] = {}
        for _, topic_id, partition, position, first, offset, key, value, headers in rows:
            place = (self._names[topic_id], partition)
            if offset is None:
                raise fell_behind(self._group, *place, wanted=position, first=first)
            batch.append(Message(place[0], key, value, _decode_headers(headers), partition, offset))
            upto[place] = offset + 1
        for place, end in upto.items():
            self._read[place] = (self._read.get(place, (self._next[place], 0))[0], end)
        self._next |= upto
        return batch
