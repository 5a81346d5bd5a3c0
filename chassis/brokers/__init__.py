"""What a broker is: one interface, for facts and for streams, over Apache Kafka, the embedded PostgreSQL log and memory.

A topic has partitions, a key always goes to the same one, and a partition is an ordered log. A group reads each message at
least once; each partition is read by one member of the group at a time. Facts are published by the relay, streams straight
by whoever receives them; both in batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.problems import Conflict, Problem, Unavailable

DEFAULT_PARTITIONS = 12
RETENTION_S = 7 * 24 * 3600
MAX_MESSAGE_BYTES = 900_000
"""Key, value and headers together; below Kafka's own limit of 1 MiB a request."""
SURELY_TAKEN = MAX_MESSAGE_BYTES - 100_000
"""A value of that size is not measured: key and headers are ids, and far smaller than what is left."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message; partition and offset are known once it has been read."""

    topic: str
    key: str
    value: bytes
    headers: dict[str, str]
    partition: int = -1
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Position:
    """How far a group has come in one partition: it reads ``committed`` next; ``first`` is kept, ``end`` is not there yet.

    ``member`` is who reads the partition now, and empty where nobody does or the broker cannot tell.
    """

    topic: str
    partition: int
    first: int
    committed: int
    end: int
    member: str = ""

    @property
    def lag(self) -> int:
        """How many messages the group has still to read."""
        return max(0, self.end - self.committed)


class BrokerDown(Unavailable):
    """The message broker cannot be reached."""


class StaleMember(Conflict):
    """A member of a consumer group no longer has the partitions that it read from."""


class FellBehind(Problem):
    """A consumer group has fallen off the end of what the broker keeps."""


class GroupIsActive(Conflict):
    """The consumer group has members: stop its workers first."""


class MessageTooLarge(Problem):
    """A message is larger than a broker takes."""


class Broker(Protocol):
    """Opens its connections when first used, and anew in a forked process. Any thread may use it."""

    def ensure_topics(self, topics: Iterable[str]) -> None:
        """Create the topics that are not there yet."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Write the messages, in order for each (topic, key); all are acknowledged and durable when it returns.

        Raises BrokerDown, after which any of them may or may not have been written: begin again at the oldest.
        Raises MessageTooLarge before anything is written.
        """

    def subscribe(self, group: str, topics: Sequence[str], member: str) -> Subscription:
        """A subscription that joins the group at its first poll. A group new to a topic starts at its oldest message."""

    def follow(self, topics: Sequence[str], member: str) -> Tail:
        """Hears everything that is published to the topics after its first poll, in no group and beside any other follower."""

    def positions(self, group: str, topics: Sequence[str]) -> list[Position]:
        """How far the group has come, by topic and partition. Raises BrokerDown."""

    def lag(self, group: str, topics: Sequence[str]) -> int:
        """How many messages of the topics the group has still to commit. Raises BrokerDown."""

    def skip_lost(self, group: str, topics: Sequence[str]) -> int:
        """Move a group that fell behind to the oldest message that is kept; how many were given up. Raises BrokerDown.

        Raises GroupIsActive where the broker cannot move a group that has members.
        """

    def forget_old(self) -> int:
        """Delete a bounded number of messages that are past retention; how many. 0 where the broker does it by itself."""

    def describe(self) -> dict[str, Any]:
        """What a status page shows, as plain JSON: kind, address, topics with their partitions. Raises BrokerDown."""

    def close(self) -> None:
        """Let go of all connections. Subscriptions are closed by their own threads."""


class Subscription(Protocol):
    """A member of a group. It belongs to one thread."""

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """The next messages, each partition's in order; empty after ``timeout_s`` without any, or while the group is dealt anew.

        Raises BrokerDown; the next poll connects again. Raises FellBehind until somebody has called ``skip_lost``.
        """

    def commit(self) -> None:
        """Say that everything returned by poll so far has been dealt with. Raises BrokerDown.

        Raises StaleMember when some of it came from a partition that this member has lost since: then nothing is committed
        and all of it will come again, to whoever reads the partitions now.
        """

    def seek_to_committed(self) -> None:
        """Let the next poll return again what was returned since the last commit."""

    def describe(self) -> dict[str, Any]:
        """Group, member, generation, partitions by topic, and how often partitions were dealt anew, as plain JSON."""

    def close(self) -> None:
        """Leave the group, so that others take over at once."""


class Tail(Protocol):
    """A follower of topics: for whoever serves those that listen now. It belongs to one thread and nothing is committed."""

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """The next messages, each partition's in order; empty after ``timeout_s`` without any. The first poll finds the ends.

        Raises BrokerDown; the next poll connects again and goes on where this one was. What the broker forgot meanwhile
        is passed over.
        """

    def close(self) -> None:
        """Let go of its connection."""


def check_sizes(messages: Iterable[Message]) -> None:
    """Raise MessageTooLarge for a message that not every broker takes."""
    for message in messages:
        if len(message.value) <= SURELY_TAKEN:
            continue
        headers = sum(len(name) + len(text) for name, text in message.headers.items())
        size = len(message.value) + len(message.key) + headers
        if size > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(f"{size} bytes for {message.key!r} on {message.topic}", limit=MAX_MESSAGE_BYTES)


def fell_behind(group: str, topic: str, partition: int, *, wanted: int, first: int) -> FellBehind:
    """The problem of a group that wants offset ``wanted`` where ``first`` is the oldest that is kept."""
    return FellBehind(
        f"group {group!r} is at offset {wanted} of topic {topic!r}, partition {partition}, and the oldest message that is kept "
        f"has offset {first}: {first - wanted} messages are gone. Make good what they said (haihe republish), then skip them",
        group=group,
        topic=topic,
    )
