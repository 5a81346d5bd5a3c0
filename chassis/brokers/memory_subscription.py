"""Reads from the memory broker."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chassis.brokers import BrokerDown, Message, StaleMember, fell_behind
from chassis.brokers.placement import Place, assign_ranges

if TYPE_CHECKING:
    from chassis.brokers.memory import MemoryBroker


class MemorySubscription:
    """A member of a group of the memory broker."""

    def __init__(self, broker: MemoryBroker, group: str, topics: tuple[str, ...], member: str) -> None:
        self._broker = broker
        self._group = group
        self._topics = topics
        self._member = member
        self._number = 0
        self._rebalances = 0
        self._turn = 0
        self._owned: set[Place] = set()
        self._next: dict[Place, int] = {}
        self._has_lost_messages = False

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """What is there, at once; see the protocol."""
        with self._broker.lock:
            self._broker.ensure_topics(self._topics)
            self._settle()
            return self._shuffled(max_messages) if self._broker.random else self._in_turn(max_messages)

    def commit(self) -> None:
        """Commit what poll returned; see the protocol."""
        with self._broker.lock:
            self._broker.check_up()
            state = self._broker.groups[self._group]
            if self._has_lost_messages or any(state.owners.get(place) != self._number for place in self._next):
                self.seek_to_committed()
                raise StaleMember(f"{self._member} of group {self._group} has lost partitions that it read from")
            state.committed |= self._next
            self._next = {}

    def seek_to_committed(self) -> None:
        """Let the next poll return again what was returned since the last commit."""
        self._next, self._has_lost_messages = {}, False

    def describe(self) -> dict[str, Any]:
        """Group, member, generation, partitions by topic and rebalances."""
        partitions = {topic: sorted(p for t, p in self._owned if t == topic) for topic in self._topics}
        return {
            "group": self._group,
            "member": self._member,
            "generation": self._number,
            "partitions": partitions,
            "rebalances": self._rebalances,
        }

    def close(self) -> None:
        """Leave the group."""
        with self._broker.lock, suppress(BrokerDown):
            self._broker.check_up()
            self._broker.groups[self._group].drop(self._number)

    def _settle(self) -> None:
        """Join if outside; then let go of what others are due, and take what is due here and free."""
        state = self._broker.groups[self._group]
        if self._number not in state.members:
            state.generation += 1
            self._number = state.generation
            state.members[self._number] = (self._member, self._topics)
        topics = {number: topics for number, (_, topics) in state.members.items()}
        partitions = {topic: len(self._broker.logs[topic]) for topic in self._topics}
        due = assign_ranges(topics, partitions)[self._number]
        for place in [place for place, owner in state.owners.items() if owner == self._number and place not in due]:
            del state.owners[place]
        owned = {place for place in due if state.owners.setdefault(place, self._number) == self._number}
        for topic, partition in owned:
            state.committed.setdefault((topic, partition), self._broker.logs[topic][partition].first)
        self._rebalances += owned != self._owned
        self._has_lost_messages |= any(place not in owned for place in self._next)
        self._next = {place: offset for place, offset in self._next.items() if place in owned}
        self._owned = owned

    def _waiting(self, place: Place) -> list[Message]:
        """The messages of a partition that are still to be returned. Raises FellBehind."""
        log = self._broker.logs[place[0]][place[1]]
        at = self._next.get(place, self._broker.groups[self._group].committed[place])
        if at < log.first:
            raise fell_behind(self._group, *place, wanted=at, first=log.first)
        return log.messages[at - log.first : log.visible_end - log.first]

    def _take(self, place: Place, messages: list[Message]) -> list[Message]:
        if messages:
            self._next[place] = messages[-1].offset + 1
        return messages

    def _in_turn(self, max_messages: int) -> list[Message]:
        """Partition after partition, beginning with another one at each poll."""
        places = sorted(self._owned)
        self._turn = (self._turn + 1) % max(1, len(places))
        batch: list[Message] = []
        for place in places[self._turn :] + places[: self._turn]:
            batch += self._take(place, self._waiting(place)[: max_messages - len(batch)])
        return batch

    def _shuffled(self, max_messages: int) -> list[Message]:
        """A number drawn of each partition, and then keys in an order drawn."""
        draw = self._broker.random
        waiting = {place: self._waiting(place) for place in sorted(self._owned)}
        slots = [place for place, messages in waiting.items() for _ in messages]
        draw.shuffle(slots)
        chosen = slots[:max_messages]
        by_key: dict[Place, list[Message]] = defaultdict(list)
        for place, messages in waiting.items():
            for message in self._take(place, messages[: chosen.count(place)]):
                by_key[(message.topic, message.key)].append(message)
        order = [key for key, messages in by_key.items() for _ in messages]
        draw.shuffle(order)
        streams = {key: iter(messages) for key, messages in by_key.items()}
        return [next(streams[key]) for key in order]
