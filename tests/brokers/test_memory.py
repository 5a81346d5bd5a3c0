"""The ways in which the memory broker misbehaves on request."""

from __future__ import annotations

import pytest

from chassis.brokers import BrokerDown, Message
from chassis.brokers.memory import MemoryBroker
from tests.brokers.stands import MemoryStand, by_key, read, read_nothing

KEYS = [f"key-{number}" for number in range(24)]


def test_a_topic_that_is_held_back_is_seen_when_released(memory_stand: MemoryStand) -> None:
    stand, other = memory_stand, memory_stand.make_topic()
    stand.publish(("k", 0))
    stand.memory.hold_back(stand.topic)
    stand.publish(("k", 1))
    stand.publish(("k", 7), topic=other)
    subscription = stand.subscribe("one", stand.topic, other)
    assert sorted(int(message.value) for message in read(subscription, 2)) == [0, 7]
    read_nothing(subscription)
    assert stand.memory.lag(stand.group, [stand.topic]) == 1
    stand.memory.release(stand.topic)
    assert by_key(read(subscription, 1)) == {"k": [1]}


def test_every_batch_can_come_twice(memory_stand: MemoryStand) -> None:
    memory_stand.memory.duplicate = True
    memory_stand.publish(("k", 0), ("k", 1))
    assert by_key(read(memory_stand.subscribe(), 4)) == {"k": [0, 1, 0, 1]}


def test_a_publish_can_fail_half_done(memory_stand: MemoryStand) -> None:
    memory_stand.memory.fail_next_publish(kept=1)
    memory_stand.memory.fail_next_publish()
    for _ in range(2):
        with pytest.raises(BrokerDown):
            memory_stand.publish(("k", 0), ("k", 1))
    memory_stand.publish(("k", 0), ("k", 1))
    assert by_key(read(memory_stand.subscribe(), 3)) == {"k": [0, 0, 1]}


def hear_shuffled(seed: int, *, max_messages: int = 10) -> list[tuple[str, int]]:
    """What a reader hears of five rounds, shuffled by a seed."""
    broker = MemoryBroker()
    broker.shuffle(seed)
    broker.publish([Message("t", key, str(number).encode(), {}) for number in range(5) for key in KEYS])
    subscription = broker.subscribe("g", ["t"], "one")
    return [
        (message.key, int(message.value)) for message in read(subscription, 5 * len(KEYS), max_messages=max_messages)
    ]


def test_a_seed_shuffles_keys_and_never_one_key() -> None:
    heard = hear_shuffled(1)
    for key in KEYS:
        assert [number for said, number in heard if said == key] == list(range(5))
    assert heard == hear_shuffled(1)
    assert len({tuple(hear_shuffled(seed)) for seed in range(5)}) == 5


def test_a_shuffled_batch_that_is_rolled_back_comes_again() -> None:
    broker = MemoryBroker()
    broker.shuffle(3)
    broker.publish([Message("t", key, b"0", {}) for key in KEYS])
    subscription = broker.subscribe("g", ["t"], "one")
    subscription.poll(10, 0)
    subscription.seek_to_committed()
    assert by_key(read(subscription, len(KEYS))) == {key: [0] for key in KEYS}
