"""Does a follower hear everything from its first poll on, on every broker, whoever else listens?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chassis.brokers import BrokerDown, Tail
from tests.brokers.stands import Stand, by_key, eventually, read, read_nothing, read_until

KEYS = [f"key-{number}" for number in range(24)]


def rounds(start: int, end: int) -> list[tuple[str, int]]:
    """Each key says each number."""
    return [(key, number) for number in range(start, end) for key in KEYS]


@pytest.fixture
def tails(stand: Stand) -> Iterator[list[Tail]]:
    """Two followers of the stand's topic, each with a client of its own, that have found the end."""
    stand.publish(*rounds(0, 2))
    found = [stand.open().follow([stand.topic], name) for name in ("one", "two")]
    for tail in found:
        assert eventually(lambda tail=tail: tail.poll(100, 0.1)) == []
    yield found
    for tail in found:
        tail.close()


def heard(tail: Tail, wanted: int) -> dict[str, list[int]]:
    """What a follower is given until there is enough, by key."""
    return by_key(read_until(tail, lambda got: len(got) >= wanted, and_commit=False))


def test_each_follower_hears_all_that_is_said_from_now_on_in_order(stand: Stand, tails: list[Tail]) -> None:
    stand.publish(*rounds(2, 5))
    for tail in tails:
        assert heard(tail, 3 * len(KEYS)) == {key: [2, 3, 4] for key in KEYS}
        read_nothing(tail)


def test_small_polls_lose_nothing(stand: Stand, tails: list[Tail]) -> None:
    stand.publish(*rounds(2, 4))
    got = read_until(tails[0], lambda got: len(got) >= 2 * len(KEYS), max_messages=5, and_commit=False)
    assert by_key(got) == {key: [2, 3] for key in KEYS}


def test_a_follower_takes_nothing_from_a_group(stand: Stand, tails: list[Tail]) -> None:
    stand.publish(*rounds(2, 3))
    assert heard(tails[0], len(KEYS)) == {key: [2] for key in KEYS}
    assert by_key(read(stand.subscribe(), 3 * len(KEYS))) == {key: [0, 1, 2] for key in KEYS}


def test_a_follower_goes_on_after_an_outage_where_it_was(stand: Stand, tails: list[Tail]) -> None:
    stand.publish(*rounds(2, 3))
    assert heard(tails[0], len(KEYS)) == {key: [2] for key in KEYS}
    stand.publish(*rounds(3, 4))
    with stand.outage(), pytest.raises(BrokerDown):
        while True:
            tails[1].poll(100, 0.1)
    eventually(lambda: stand.publish(*rounds(4, 5)))
    assert heard(tails[0], 2 * len(KEYS)) == {key: [3, 4] for key in KEYS}


def test_what_was_forgotten_is_passed_over(stand: Stand, tails: list[Tail]) -> None:
    stand.publish(*rounds(2, 3))
    stand.forget(stand.topic)
    stand.publish(*rounds(3, 4))
    assert heard(tails[0], len(KEYS)) == {key: [3] for key in KEYS}


def test_a_follower_of_several_topics_hears_them_and_no_other(stand: Stand) -> None:
    second, third = stand.make_topic(), stand.make_topic()
    tail = stand.open().follow([stand.topic, second], "one")
    assert eventually(lambda: tail.poll(100, 0.1)) == []
    for topic in (stand.topic, second, third):
        stand.publish(("k", 1), topic=topic)
    got = read_until(tail, lambda got: len(got) >= 2, and_commit=False)
    assert {message.topic for message in got} == {stand.topic, second}
    read_nothing(tail)
    tail.close()
