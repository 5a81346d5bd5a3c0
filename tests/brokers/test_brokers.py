"""Do all brokers behave alike? Every test here runs on each of them."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from threading import Event, Lock, Thread

import pytest

from chassis.brokers import (
    MAX_MESSAGE_BYTES,
    BrokerDown,
    FellBehind,
    Message,
    MessageTooLarge,
    StaleMember,
    Subscription,
)
from tests.brokers.stands import Stand, by_key, count_heard, eventually, first_hearing, read, read_nothing, read_until

KEYS = [f"key-{number}" for number in range(24)]


def rounds(start: int, end: int) -> list[tuple[str, int]]:
    """Each key says each number."""
    return [(key, number) for number in range(start, end) for key in KEYS]


def test_a_message_arrives_as_it_was_sent(stand: Stand) -> None:
    headers = {"ce_type": "orders.deal_struck.v1", "ce_note": "宝钢 \u0000 ü", "empty": ""}
    stand.broker.publish(
        [Message(stand.topic, "deal_1", b"\x00\xff{}\n", headers), Message(stand.topic, "交易", b"", {})]
    )
    first, second = sorted(read(stand.subscribe(), 2), key=lambda message: message.key)
    assert (first.topic, first.key, first.value, first.headers) == (stand.topic, "deal_1", b"\x00\xff{}\n", headers)
    assert (second.key, second.value, second.headers) == ("交易", b"", {})
    assert 0 <= first.partition < 12 and first.offset >= 0


def test_nothing_is_published_for_no_messages(stand: Stand) -> None:
    stand.broker.publish([])
    assert stand.broker.lag(stand.group, [stand.topic]) == 0


def test_the_order_of_each_key_is_kept(stand: Stand) -> None:
    for start in range(0, 12, 3):
        stand.publish(*rounds(start, start + 3))
    got = read(stand.subscribe(), 12 * len(KEYS), max_messages=7)
    assert by_key(got) == {key: list(range(12)) for key in KEYS}
    assert len({message.partition for message in got}) > 1
    assert all(len({message.partition for message in got if message.key == key}) == 1 for key in KEYS)
    for partition in {message.partition for message in got}:
        offsets = [message.offset for message in got if message.partition == partition]
        assert offsets == list(range(len(offsets)))


def test_no_partition_waits_for_a_busy_one(stand: Stand) -> None:
    stand.publish(*[("busy", number) for number in range(500)])
    other = next(key for key in KEYS if stand_partition(stand, key) != stand_partition(stand, "busy"))
    subscription = stand.subscribe()
    assert [message.key for message in read(subscription, 1, max_messages=1, and_commit=False)]
    stand.publish((other, 0))
    got = read_until(subscription, lambda got: other in by_key(got), max_messages=40)
    assert len(got) < 600


def stand_partition(stand: Stand, key: str) -> int:
    """Where the stand's broker puts a key."""
    topic = stand.make_topic()
    stand.publish((key, 0), topic=topic)
    return next(place.partition for place in stand.broker.positions("nobody", [topic]) if place.end)


def test_groups_read_independently_from_the_oldest_message_on(stand: Stand) -> None:
    stand.publish(*rounds(0, 2))
    assert by_key(read(stand.subscribe(), 2 * len(KEYS))) == {key: [0, 1] for key in KEYS}
    stand.group += "-other"
    assert by_key(read(stand.subscribe(), 2 * len(KEYS))) == {key: [0, 1] for key in KEYS}


def test_a_subscription_hears_all_its_topics_and_no_other(stand: Stand) -> None:
    second, third = stand.make_topic(), stand.make_topic()
    for topic in (stand.topic, second, third):
        stand.publish(("k", 1), topic=topic)
    subscription = stand.subscribe("one", stand.topic, second)
    assert {message.topic for message in read(subscription, 2)} == {stand.topic, second}
    read_nothing(subscription)


def test_the_next_member_goes_on_behind_what_was_committed(stand: Stand) -> None:
    stand.publish(*rounds(0, 4))
    first = stand.subscribe()
    committed = read(first, 30, max_messages=10)
    in_hand = read(first, 10, max_messages=10, and_commit=False)
    first.close()
    rest = read(stand.subscribe("two", broker=stand.open()), 4 * len(KEYS) - len(committed))
    assert by_key([*committed, *rest]) == {key: [0, 1, 2, 3] for key in KEYS}
    assert {(message.key, message.value) for message in in_hand} <= {(message.key, message.value) for message in rest}


def test_a_rollback_in_mid_batch_brings_the_same_messages_again(stand: Stand) -> None:
    stand.publish(*rounds(0, 4))
    subscription = stand.subscribe()
    before = read(subscription, 20, max_messages=10)
    failed = read(subscription, 30, max_messages=10, and_commit=False)
    subscription.seek_to_committed()
    after = read(subscription, 4 * len(KEYS) - len(before))
    assert by_key([*before, *after]) == {key: [0, 1, 2, 3] for key in KEYS}
    assert {(message.partition, message.offset) for message in failed} <= {
        (message.partition, message.offset) for message in after
    }
    read_nothing(subscription)


def test_lag_counts_what_is_not_committed(stand: Stand) -> None:
    stand.publish(*rounds(0, 2))
    assert stand.broker.lag(stand.group, [stand.topic]) == 2 * len(KEYS)
    subscription = stand.subscribe()
    got = read(subscription, 10, max_messages=10, and_commit=False)
    assert stand.broker.lag(stand.group, [stand.topic]) == 2 * len(KEYS)
    subscription.commit()
    assert stand.broker.lag(stand.group, [stand.topic]) == 2 * len(KEYS) - len(got)
    positions = stand.broker.positions(stand.group, [stand.topic])
    assert [place.partition for place in positions] == list(range(12))
    assert sum(place.committed for place in positions) == len(got) and sum(place.end for place in positions) == 2 * len(
        KEYS
    )


def test_descriptions_are_plain_json(stand: Stand) -> None:
    stand.publish(("k", 1))
    subscription = stand.subscribe("a member")
    assert subscription.describe()["generation"] <= 0
    read(subscription, 1)
    told = json.loads(json.dumps([stand.broker.describe(), subscription.describe()]))
    assert told[0]["topics"][stand.topic]["partitions"] == 12
    assert told[1]["partitions"] == {stand.topic: list(range(12))} and told[1]["member"] == "a member"


def test_what_no_broker_takes_is_refused_before_anything_is_written(stand: Stand) -> None:
    large = Message(stand.topic, "k", bytes(MAX_MESSAGE_BYTES), {})
    with pytest.raises(MessageTooLarge, match="900001 bytes"):
        stand.broker.publish([Message(stand.topic, "k", b"1", {}), large])
    assert stand.broker.lag(stand.group, [stand.topic]) == 0
    stand.broker.publish([Message(stand.topic, "k", bytes(MAX_MESSAGE_BYTES - 1), {})])
    assert len(read(stand.subscribe(), 1)[0].value) == MAX_MESSAGE_BYTES - 1


def test_an_outage_is_told_and_survived(stand: Stand) -> None:
    stand.publish(*rounds(0, 2))
    subscription = stand.subscribe()
    got = read(subscription, 20, max_messages=20)
    with stand.outage():
        with pytest.raises(BrokerDown):
            stand.publish(*rounds(2, 3))
        with pytest.raises(BrokerDown):
            read_in_vain(subscription)
        with pytest.raises(BrokerDown):
            stand.broker.lag(stand.group, [stand.topic])
    eventually(lambda: stand.publish(*rounds(2, 4)))
    got += read_until(subscription, lambda more: count_heard([*got, *more]) == 4 * len(KEYS))
    assert first_hearing(got) == {key: [0, 1, 2, 3] for key in KEYS}
    assert eventually(lambda: stand.broker.lag(stand.group, [stand.topic])) == 0


def read_in_vain(subscription: Subscription) -> None:
    """Poll until it raises, and not for ever."""
    for _ in range(300):
        subscription.poll(100, 0.1)


def test_what_was_in_hand_in_an_outage_comes_again_or_is_committed(stand: Stand) -> None:
    stand.publish(*rounds(0, 2))
    subscription = stand.subscribe()
    in_hand = read(subscription, 10, max_messages=10, and_commit=False)
    with stand.outage(), pytest.raises((BrokerDown, StaleMember)):
        subscription.commit()
    rest = read_until(subscription, lambda more: count_heard([*in_hand, *more]) == 2 * len(KEYS))
    assert first_hearing([*in_hand, *rest]) == {key: [0, 1] for key in KEYS}


def test_a_paused_member_loses_its_partitions_and_commits_nothing_old(stand: Stand) -> None:
    stand.publish(*rounds(0, 2))
    paused = stand.subscribe("paused", broker=stand.impatient())
    in_hand = read(paused, 10, max_messages=10, and_commit=False)
    stand.take_for_dead("paused")
    other = stand.subscribe("other", broker=stand.impatient())
    taken = read(other, 2 * len(KEYS))
    assert first_hearing(taken) == {key: [0, 1] for key in KEYS}
    with pytest.raises(StaleMember):
        paused.commit()
    assert stand.broker.lag(stand.group, [stand.topic]) == 0
    stand.publish(*rounds(2, 4))
    more = read([paused, other], 2 * len(KEYS))
    assert by_key(more) == {key: [2, 3] for key in KEYS}
    assert in_hand


def test_a_member_keeps_its_partitions_while_it_has_messages_in_hand(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.brokers.kafka_subscription.JOIN_WITHIN_MS", 500)
    stand.publish(*rounds(0, 2))
    busy, joining = stand.subscribe("busy"), stand.subscribe("joining")
    in_hand = read(busy, 2 * len(KEYS), and_commit=False)
    read_nothing(joining)
    busy.commit()
    join_all(busy, joining)
    stand.publish(*rounds(2, 3))
    assert by_key([*in_hand, *read([busy, joining], len(KEYS))]) == {key: [0, 1, 2] for key in KEYS}


def test_a_member_that_leaves_hands_over_at_once(stand: Stand) -> None:
    one, two = stand.subscribe("one"), stand.subscribe("two")
    join_all(one, two)
    one.close()
    stand.publish(*rounds(0, 1))
    assert by_key(read(two, len(KEYS))) == {key: [0] for key in KEYS}


def join_all(*subscriptions: Subscription) -> None:
    """Poll until all twelve partitions are dealt out to all the members, and each has its share."""
    share = 12 // len(subscriptions)
    read_until(
        subscriptions,
        lambda _: all(
            [len(partitions) for partitions in subscription.describe()["partitions"].values()] == [share]
            for subscription in subscriptions
        ),
    )


def test_members_share_the_partitions(stand: Stand) -> None:
    members = [stand.subscribe(name, broker=stand.open()) for name in ("one", "two", "three")]
    join_all(*members)
    stand.publish(*rounds(0, 2))
    read_until(members, lambda _: stand.broker.lag(stand.group, [stand.topic]) == 0)
    held = [set(member.describe()["partitions"][stand.topic]) for member in members]
    assert sorted(partition for partitions in held for partition in partitions) == list(range(12))


def test_two_publishers_lose_nothing(stand: Stand) -> None:
    subscription = stand.subscribe()
    publishers = [Thread(target=say_rounds, args=(stand, name)) for name in ("a", "b")]
    for publisher in publishers:
        publisher.start()
    got = read(subscription, 2 * 10 * len(KEYS))
    for publisher in publishers:
        publisher.join()
    assert by_key(got) == {f"{name}-{key}": list(range(10)) for name in ("a", "b") for key in KEYS}


def say_rounds(stand: Stand, name: str) -> None:
    """Ten batches under keys of this publisher, with a client of its own."""
    broker = stand.open()
    for number in range(10):
        broker.publish([Message(stand.topic, f"{name}-{key}", str(number).encode(), {}) for key in KEYS])


class Hearer(Thread):
    """A member in a thread of its own: it writes down what it hears, in one list with all the others, and commits."""

    def __init__(self, subscription: Subscription, heard: list[Message], lock: Lock) -> None:
        super().__init__(daemon=True)
        self.subscription, self.heard, self.lock = subscription, heard, lock
        self.works, self.may_stop = Event(), Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.may_stop.is_set():
                self.step()
            self.subscription.close()
        except BaseException as error:
            self.error = error

    def step(self) -> None:
        batch = self.subscription.poll(20, 0.1)
        with self.lock:
            self.heard.extend(batch)
        if batch:
            self.works.set()
        with suppress(StaleMember):
            self.subscription.commit()


def test_rebalances_under_load_lose_nothing_and_keep_the_order(stand: Stand) -> None:
    heard: list[Message] = []
    lock = Lock()
    one, two, three = (
        Hearer(stand.subscribe(name, broker=stand.open()), heard, lock) for name in ("one", "two", "three")
    )
    said = 0
    for joining in (one, two, three):
        joining.start()
        said = publish_until_works(stand, joining, said)
    one.may_stop.set()
    one.join()
    for staying in (two, three):
        staying.works.clear()
        said = publish_until_works(stand, staying, said)
    while eventually(lambda: stand.broker.lag(stand.group, [stand.topic])):
        assert not (two.error or three.error)
    for staying in (two, three):
        staying.may_stop.set()
        staying.join()
    assert [one.error, two.error, three.error] == [None, None, None]
    assert first_hearing(heard) == {key: list(range(said)) for key in KEYS}


def publish_until_works(stand: Stand, hearer: Hearer, said: int) -> int:
    """Say more rounds, ten at least, until a hearer got something; how many have been said in all."""
    at_least = said + 10
    while said < at_least or not hearer.works.is_set():
        assert said < 5_000 and hearer.error is None
        stand.publish(*rounds(said, said + 1))
        said += 1
    return said


def test_a_group_that_fell_behind_stops_until_it_is_moved(stand: Stand) -> None:
    stand.publish(*rounds(0, 2))
    subscription = stand.subscribe()
    read(subscription, 5, max_messages=5)
    subscription.close()
    left = stand.broker.lag(stand.group, [stand.topic])
    stand.forget(stand.topic)
    stand.publish(*rounds(2, 3))
    late = stand.subscribe()
    for _ in range(2):
        with pytest.raises(FellBehind, match=f"group '{stand.group}'.* topic '{stand.topic}'"):
            read_in_vain(late)
    late.close()
    assert stand.broker.skip_lost(stand.group, [stand.topic]) == left
    assert by_key(read(stand.subscribe(), len(KEYS))) == {key: [2] for key in KEYS}


def test_a_group_that_never_committed_falls_behind_too(stand: Stand) -> None:
    subscription = stand.subscribe()
    stand.await_begun(subscription)
    subscription.close()
    stand.publish(*rounds(0, 1))
    stand.forget(stand.topic)
    with pytest.raises(FellBehind):
        read_in_vain(stand.subscribe())


def test_a_forked_process_makes_connections_of_its_own(stand: Stand) -> None:
    stand.publish(("parent", 0))
    child = os.fork()
    if not child:
        code = 1
        try:
            stand.publish(("child", 1))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    stand.publish(("parent", 2))
    wanted = {"parent": [0, 2], "child": [1]} if stand.broker.describe()["kind"] != "memory" else {"parent": [0, 2]}
    assert by_key(read(stand.subscribe(), sum(map(len, wanted.values())))) == wanted
