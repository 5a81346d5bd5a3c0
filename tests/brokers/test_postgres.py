"""What only the embedded broker can get wrong: commits that overtake each other, dead sessions, kill −9, its own tables."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from chassis.brokers import BrokerDown, Message, StaleMember
from chassis.brokers.opening import open_broker
from chassis.brokers.placement import partition_of
from chassis.brokers.postgres import MOST_FORGOTTEN
from infra.cluster import Cluster
from tests.brokers.stands import (
    PostgresStand,
    by_key,
    eventually,
    first_hearing,
    make_postgres_name,
    read,
    read_nothing,
)

KEYS = [f"key-{number}" for number in range(24)]
GATE = 4711
MEMORY = Path("/dev/shm")
SLOW_COMMIT = f"""
CREATE OR REPLACE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON broker_message DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (new.key LIKE 'slow%') EXECUTE FUNCTION wait_at_gate();
"""


@pytest.fixture
def gate(postgres_stand: PostgresStand) -> Iterator[psycopg.Connection]:
    """Shut: a transaction that publishes a key beginning with ``slow`` stands still at its commit until the gate is opened."""
    with postgres_stand.connect_sql() as connection:
        connection.execute(SLOW_COMMIT)
        connection.execute("SELECT pg_advisory_lock(%s)", (GATE,))
        yield connection
        connection.execute("SELECT pg_advisory_unlock_all()")
        connection.execute("DROP TRIGGER slow_commit ON broker_message")


def await_waiting(connection: psycopg.Connection, count: int) -> None:
    """Until so many sessions of the database wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while connection.execute(query).fetchone() != (count,):
        pass


def test_a_slow_commit_is_not_overtaken(postgres_stand: PostgresStand, gate: psycopg.Connection) -> None:
    subscription = postgres_stand.subscribe()
    read_nothing(subscription)
    slow = Thread(target=postgres_stand.publish, args=[*(("slow", number) for number in range(3))])
    slow.start()
    await_waiting(gate, 1)
    place = next(p for p in range(12) if is_locked(gate, postgres_stand.topic, p))
    others = say_elsewhere(postgres_stand, place)
    assert by_key(read(subscription, len(others))) == {key: [0] for key in others}
    behind = Thread(target=postgres_stand.publish, args=[("slow", 3)])
    behind.start()
    await_waiting(gate, 2)
    read_nothing(subscription)
    gate.execute("SELECT pg_advisory_unlock(%s)", (GATE,))
    slow.join()
    behind.join()
    assert by_key(read(subscription, 4)) == {"slow": [0, 1, 2, 3]}


def is_locked(connection: psycopg.Connection, topic: str, partition: int) -> bool:
    """Whether a publisher holds the counter of a partition."""
    query = (
        "SELECT FROM broker_partition JOIN broker_topic AS t ON t.id = topic_id WHERE t.name = %s AND partition = %s "
        "FOR UPDATE OF broker_partition SKIP LOCKED"
    )
    return connection.execute(query, (topic, partition)).fetchone() is None


def say_elsewhere(stand: PostgresStand, partition: int) -> list[str]:
    """Publish under those keys that do not go to this partition; which those are."""
    keys = [key for key in KEYS if partition_of(key, 12) != partition]
    stand.publish(*[(key, 0) for key in keys])
    return keys


def test_publishers_of_the_same_topics_do_not_deadlock(postgres_stand: PostgresStand) -> None:
    topics = [postgres_stand.topic, postgres_stand.make_topic()]
    orders = [
        [Message(t, k, b"1", {}) for t in topics for k in KEYS],
        [Message(t, k, b"1", {}) for t in topics[::-1] for k in KEYS[::-1]],
    ]
    errors: list[BaseException] = []

    def publish(messages: list[Message]) -> None:
        broker = postgres_stand.open()
        try:
            for _ in range(40):
                broker.publish(messages)
        except BrokerDown as error:
            errors.append(error)

    threads = [Thread(target=publish, args=[order]) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert postgres_stand.broker.lag("g", topics) == 2 * 40 * 2 * len(KEYS)


def test_the_partitions_of_a_lost_session_are_free_at_once(postgres_stand: PostgresStand) -> None:
    postgres_stand.publish(*[(key, 0) for key in KEYS])
    killed, staying = (
        postgres_stand.subscribe("killed"),
        postgres_stand.subscribe("staying", broker=postgres_stand.impatient()),
    )
    read(killed, 5, max_messages=5, and_commit=False)
    with postgres_stand.connect_sql() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'killed %'"
        )
    assert by_key(read(staying, len(KEYS))) == {key: [0] for key in KEYS}
    with pytest.raises(BrokerDown):
        killed.commit()
    started_again = postgres_stand.subscribe("killed")
    staying.close()
    postgres_stand.publish(*[(key, 1) for key in KEYS])
    assert by_key(read(started_again, len(KEYS))) == {key: [1] for key in KEYS}


def test_a_commit_of_an_old_generation_is_refused_whole(postgres_stand: PostgresStand) -> None:
    postgres_stand.publish(*[(key, 0) for key in KEYS])
    subscription = postgres_stand.subscribe()
    read(subscription, len(KEYS), and_commit=False)
    with postgres_stand.connect_sql() as connection:
        of_one_partition = (
            "UPDATE broker_position AS o SET owner = owner + 1 FROM broker_group AS g WHERE g.id = group_id AND g.name = %s "
            "AND partition = (SELECT min(partition) FROM broker_partition AS p WHERE p.topic_id = o.topic_id AND next_offset > 0)"
        )
        assert connection.execute(of_one_partition, (postgres_stand.group,)).rowcount == 1
    with pytest.raises(StaleMember):
        subscription.commit()
    assert postgres_stand.broker.lag(postgres_stand.group, [postgres_stand.topic]) == len(KEYS)


def test_retention_deletes_a_bounded_number_from_the_old_end(postgres_stand: PostgresStand) -> None:
    postgres_stand.publish(*[("k", number) for number in range(MOST_FORGOTTEN + 3)])
    assert postgres_stand.broker.forget_old() == 0
    sweeper = postgres_stand.open(retention_s=0)
    forgotten = []
    while not forgotten or forgotten[-1]:
        forgotten.append(sweeper.forget_old())
    assert forgotten[-1] == 0 and max(forgotten) <= 12 * MOST_FORGOTTEN and sum(forgotten) >= MOST_FORGOTTEN + 3
    (place,) = [place for place in postgres_stand.broker.positions("g", [postgres_stand.topic]) if place.end]
    assert place.first == place.end == MOST_FORGOTTEN + 3
    postgres_stand.publish(("k", 1))
    assert [message.offset for message in read(postgres_stand.subscribe(), 1)] == [MOST_FORGOTTEN + 3]


def test_the_tables_are_made_once_however_many_begin(cluster: Cluster) -> None:
    name = make_postgres_name()
    url = cluster.create_database(name).owner
    brokers = [open_broker(url) for _ in range(4)]
    threads = [Thread(target=broker.ensure_topics, args=[["a", "b"]]) for broker in brokers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(broker.describe()["topics"].keys() == {"a", "b"} for broker in brokers)
    for broker in brokers:
        broker.close()
    cluster.drop_database(name)


@pytest.fixture
def mortal() -> Iterator[Cluster]:
    """A cluster of its own, to be killed."""
    folder = Path(tempfile.mkdtemp(prefix="haihe-test-", dir=MEMORY if MEMORY.is_dir() else None))
    folder.chmod(0o711)
    cluster = Cluster(folder)
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_what_was_acknowledged_outlives_kill_minus_nine(mortal: Cluster) -> None:
    stand = PostgresStand(mortal, make_postgres_name())
    said = 0
    subscription = stand.subscribe()
    heard: list[Message] = []
    for _ in range(3):
        publisher = Thread(target=publish_rounds, args=[stand, said, said + 40])
        publisher.start()
        heard += read(subscription, 5 * len(KEYS))
        mortal.kill()
        mortal.start()
        publisher.join()
        said += 40
    while eventually(lambda: stand.broker.lag(stand.group, [stand.topic])):
        heard += read(subscription, 1)
    assert first_hearing(heard) == {key: list(range(said)) for key in KEYS}
    stand.close()


def publish_rounds(stand: PostgresStand, start: int, end: int) -> None:
    """As a relay does: a round that was not acknowledged is published again."""
    for number in range(start, end):
        eventually(lambda number=number: stand.publish(*[(key, number) for key in KEYS]))
