"""A broker in one process, for tests: deterministic, without time or threads, and able to misbehave in every way that is allowed.

It never waits: a poll returns what is there. Groups, partitions, commits and stale members are as in the real ones.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from threading import RLock
from typing import Any

from chassis.brokers import DEFAULT_PARTITIONS, BrokerDown, Message, Position, check_sizes
from chassis.brokers.memory_log import Group, Log
from chassis.brokers.memory_subscription import MemorySubscription
from chassis.brokers.memory_tail import MemoryTail
from chassis.brokers.placement import partition_of


class MemoryBroker:
    """Keeps everything in dictionaries. The methods after ``close`` are for tests.

    With ``duplicate`` set, each batch is written twice over, as by a relay that dies before it deletes.
    """

    def __init__(self, *, partitions: int = DEFAULT_PARTITIONS) -> None:
        self.lock = RLock()
        self.logs: dict[str, list[Log]] = {}
        self.groups: dict[str, Group] = defaultdict(Group)
        self.duplicate = False
        self.random: random.Random | None = None
        self._partitions = partitions
        self._is_down = False
        self._kept_of_failures: list[int] = []

    def ensure_topics(self, topics: Iterable[str]) -> None:
        """Create the topics that are not there yet."""
        with self.lock:
            self.check_up()
            for topic in topics:
                self.logs.setdefault(topic, [Log() for _ in range(self._partitions)])

    def publish(self, messages: Sequence[Message]) -> None:
        """Append the messages; see the protocol."""
        check_sizes(messages)
        with self.lock:
            self.ensure_topics({message.topic for message in messages})
            failing = bool(self._kept_of_failures)
            kept = messages[: self._kept_of_failures.pop(0)] if failing else messages
            for _ in range(1 + self.duplicate):
                for message in kept:
                    partition = partition_of(message.key, self._partitions)
                    self.logs[message.topic][partition].append(message, partition)
            if failing:
                raise BrokerDown(f"told to fail after {len(kept)} of {len(messages)} messages")

    def subscribe(self, group: str, topics: Sequence[str], member: str) -> MemorySubscription:
        """A subscription that joins at its first poll."""
        return MemorySubscription(self, group, tuple(topics), member)

    def follow(self, topics: Sequence[str], member: str) -> MemoryTail:
        """A follower of the topics."""
        return MemoryTail(self, tuple(topics))

    def positions(self, group: str, topics: Sequence[str]) -> list[Position]:
        """How far the group has come in each partition."""
        with self.lock:
            self.ensure_topics(topics)
            state = self.groups[group]
            return [
                Position(
                    topic,
                    partition,
                    log.first,
                    state.committed.get((topic, partition), log.first),
                    log.end,
                    state.members.get(state.owners.get((topic, partition), 0), ("", ()))[0],
                )
                for topic in topics
                for partition, log in enumerate(self.logs[topic])
            ]

    def lag(self, group: str, topics: Sequence[str]) -> int:
        """How many messages the group has still to commit, held back or not."""
        return sum(position.lag for position in self.positions(group, topics))

    def skip_lost(self, group: str, topics: Sequence[str]) -> int:
        """Move a group that fell behind to the oldest message; how many were given up."""
        with self.lock:
            behind = [place for place in self.positions(group, topics) if place.committed < place.first]
            self.groups[group].committed |= {(place.topic, place.partition): place.first for place in behind}
            return sum(place.first - place.committed for place in behind)

    def forget_old(self) -> int:
        """Nothing grows old here; see ``forget``."""
        return 0

    def describe(self) -> dict[str, Any]:
        """What a status page shows."""
        with self.lock:
            self.check_up()
            topics = {
                topic: {"partitions": len(logs), "messages": sum(len(log.messages) for log in logs)}
                for topic, logs in sorted(self.logs.items())
            }
            return {"kind": "memory", "address": "memory:", "topics": topics}

    def close(self) -> None:
        """There is nothing to let go of."""

    def stop(self) -> None:
        """Refuse everything with BrokerDown until ``start``; members are forgotten, messages and commits are kept."""
        with self.lock:
            self._is_down = True
            for group in self.groups.values():
                for number in list(group.members):
                    group.drop(number)

    def start(self) -> None:
        """End an outage."""
        self._is_down = False

    def check_up(self) -> None:
        """Raise BrokerDown during an outage."""
        if self._is_down:
            raise BrokerDown("stopped")

    def fail_next_publish(self, *, kept: int = 0) -> None:
        """Let the next publish raise BrokerDown after ``kept`` of its messages were written. Calls add up, one a publish."""
        self._kept_of_failures.append(kept)

    def hold_back(self, topic: str) -> None:
        """Let nobody see what is published to the topic from now on, until ``release``."""
        self.ensure_topics([topic])
        for log in self.logs[topic]:
            log.held_at = log.visible_end

    def release(self, topic: str) -> None:
        """Let what was held back be seen."""
        for log in self.logs[topic]:
            log.held_at = None

    def shuffle(self, seed: int) -> None:
        """From now on deliver messages of different keys in an order drawn from the seed; each key's own order is kept."""
        self.random = random.Random(seed)

    def expire(self, group: str, member: str) -> None:
        """Take a member for dead: it loses its partitions and does not know it yet."""
        state = self.groups[group]
        for number in [number for number, (name, _) in state.members.items() if name == member]:
            state.drop(number)

    def forget(self, topic: str) -> None:
        """Throw away all messages of the topic, as retention does."""
        for log in self.logs[topic]:
            log.first, log.messages = log.end, []
