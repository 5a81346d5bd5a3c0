"""What the memory broker keeps: the log of a partition, and the state of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chassis.brokers import Message
from chassis.brokers.placement import Place


@dataclass
class Log:
    """One partition: its messages, the offset of the first of them, and how far they may be seen while the topic is held back."""

    messages: list[Message] = field(default_factory=list)
    first: int = 0
    held_at: int | None = None

    @property
    def end(self) -> int:
        """The offset of the next message."""
        return self.first + len(self.messages)

    @property
    def visible_end(self) -> int:
        """Where readers are stopped."""
        return self.end if self.held_at is None else self.held_at

    def append(self, message: Message, partition: int) -> None:
        """Give the message the next offset."""
        self.messages.append(replace(message, partition=partition, offset=self.end))


@dataclass
class Group:
    """Members by number with their names and topics, who reads which partition, and how far each partition was committed."""

    generation: int = 0
    members: dict[int, tuple[str, Sequence[str]]] = field(default_factory=dict)
    owners: dict[Place, int] = field(default_factory=dict)
    committed: dict[Place, int] = field(default_factory=dict)

    def drop(self, number: int) -> None:
        """Take a member out; its partitions are free."""
        self.members.pop(number, None)
        self.owners = {place: owner for place, owner in self.owners.items() if owner != number}
        self.generation += 1
