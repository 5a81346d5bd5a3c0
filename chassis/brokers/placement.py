"""Where messages go and who reads them, for the brokers that decide it themselves (Kafka's client and coordinator do it there)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

Place = tuple[str, int]
"""A topic's name and a partition."""


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: the same in every process and release, for it is where the key's earlier messages are."""
    return crc32(key.encode()) % partitions


def assign_ranges(members: Mapping[int, Sequence[str]], partitions: Mapping[str, int]) -> dict[int, set[Place]]:
    """Deal the partitions of each topic to the members that hear it, in neighbouring ranges, as Kafka's range assignor does.

    ``members`` maps a member's number to its topics, ``partitions`` a topic to how many it has. Members of equal topics get
    the same partitions of each. Where a topic has fewer partitions than members, some get none.
    """
    dealt: dict[int, set[Place]] = {member: set() for member in members}
    for topic, count in partitions.items():
        hearers = sorted(member for member, topics in members.items() if topic in topics)
        for place, member in enumerate(hearers):
            start, end = place * count // len(hearers), (place + 1) * count // len(hearers)
            dealt[member].update((topic, partition) for partition in range(start, end))
    return dealt
