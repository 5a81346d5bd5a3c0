"""Follows topics of the memory broker from their ends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.brokers import Message
from chassis.brokers.placement import Place

if TYPE_CHECKING:
    from chassis.brokers.memory import MemoryBroker


class MemoryTail:
    """A follower; where it is, is known to itself alone. Like a subscription it never waits."""

    def __init__(self, broker: MemoryBroker, topics: tuple[str, ...]) -> None:
        self._broker = broker
        self._topics = topics
        self._next: dict[Place, int] = {}

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """What is there, at once; see the protocol."""
        with self._broker.lock:
            self._broker.ensure_topics(self._topics)
            batch: list[Message] = []
            for topic in self._topics:
                for partition, log in enumerate(self._broker.logs[topic]):
                    at = max(self._next.setdefault((topic, partition), log.end), log.first)
                    found = log.messages[at - log.first : log.visible_end - log.first][: max_messages - len(batch)]
                    self._next[topic, partition] = at + len(found)
                    batch += found
            return batch

    def close(self) -> None:
        """There is nothing to let go of."""
