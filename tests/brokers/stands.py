"""The brokers under test, each with what the suite does to it: cut it off, take a member for dead, forget messages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psycopg
from kafka import KafkaAdminClient, TopicPartition

from chassis.brokers import Broker, BrokerDown, Message, StaleMember, Subscription
from chassis.brokers.memory import MemoryBroker
from chassis.brokers.opening import open_broker
from infra.cluster import Cluster
from infra.databases import libpq
from tests.brokers.socks import CuttableProxy

PATIENCE_S = 30.0


class Stand:
    """A broker, names that nobody else uses, and everything closed at the end."""

    def __init__(self) -> None:
        self._closers: list[Callable[[], None]] = []
        self.topics: list[str] = []
        self.broker = self.open()
        self.group = f"group-{uuid4().hex[:12]}"
        self.topic = self.make_topic()

    def make_topic(self) -> str:
        """A new topic."""
        topic = f"topic-{uuid4().hex[:12]}"
        self.broker.ensure_topics([topic])
        self.topics.append(topic)
        return topic

    def open(self, **settings: Any) -> Broker:
        """Another client of the same broker, in another process as it were."""
        broker = self.connect(settings)
        self._closers.append(broker.close)
        return broker

    def subscribe(self, member: str = "one", *topics: str, broker: Broker | None = None) -> Subscription:
        """A subscription of the stand's group, by default to the stand's topic."""
        subscription = (broker or self.broker).subscribe(self.group, topics or (self.topic,), member)
        self._closers.append(subscription.close)
        return subscription

    def publish(self, *sayings: tuple[str, object], topic: str = "") -> None:
        """Publish (key, value) pairs in one batch."""
        self.broker.publish([Message(topic or self.topic, key, str(value).encode(), {}) for key, value in sayings])

    def close(self) -> None:
        """Close in the reverse order."""
        for close in reversed(self._closers):
            close()

    def connect(self, settings: dict[str, Any]) -> Broker:
        """A client of the broker."""
        raise NotImplementedError

    def impatient(self) -> Broker:
        """A client whose members are soon taken for dead when they do not poll."""
        raise NotImplementedError

    def take_for_dead(self, member: str) -> None:
        """Let the broker believe that a paused member is dead, where it does not by time alone."""

    def await_begun(self, subscription: Subscription) -> None:
        """Poll until the group has a place in the stand's topic, though it has read nothing."""
        read_nothing(subscription)

    def outage(self) -> Any:
        """A context in which the broker cannot be reached."""
        raise NotImplementedError

    def forget(self, topic: str) -> None:
        """Throw all messages of the topic away."""
        raise NotImplementedError


class MemoryStand(Stand):
    """The memory broker: one object, whoever opens it."""

    def __init__(self) -> None:
        self.memory = MemoryBroker()
        super().__init__()

    def connect(self, settings: dict[str, Any]) -> Broker:
        return self.memory

    def impatient(self) -> Broker:
        return self.memory

    def take_for_dead(self, member: str) -> None:
        self.memory.expire(self.group, member)

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.memory.stop()
        yield
        self.memory.start()

    def forget(self, topic: str) -> None:
        self.memory.forget(topic)


class PostgresStand(Stand):
    """The PostgreSQL broker on a database of the test cluster."""

    def __init__(self, cluster: Cluster, database: str) -> None:
        self.cluster = cluster
        self.database = database
        self.url = cluster.create_database(database).owner
        super().__init__()

    def connect(self, settings: dict[str, Any]) -> Broker:
        return open_broker(f"{self.url}&{urlencode({'lease_s': 1_000} | settings)}")

    def impatient(self) -> Broker:
        return self.open(lease_s=0.9)

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self.cluster.administer() as admin:
            admin.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self.database,))
        yield
        with self.cluster.administer() as admin:
            admin.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true")

    def forget(self, topic: str) -> None:
        while self.open(retention_s=0).forget_old():
            pass

    def connect_sql(self) -> psycopg.Connection:
        """A connection to the broker's database."""
        return psycopg.connect(libpq(self.url), autocommit=True)


class KafkaStand(Stand):
    """A real Kafka, reached through a proxy that can be cut."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.proxy = CuttableProxy()
        super().__init__()
        self._closers.insert(0, self.proxy.close)

    def connect(self, settings: dict[str, Any]) -> Broker:
        quick = {
            "proxy_url": self.proxy.url,
            "session_timeout_ms": 6000,
            "heartbeat_interval_ms": 500,
            "bootstrap_timeout_ms": 2000,
            "request_timeout_ms": 2000,
            "delivery_timeout_ms": 2500,
            "replication_factor": 1,
        }
        return open_broker(f"kafka://{self.address}?{urlencode(quick | settings)}")

    def impatient(self) -> Broker:
        return self.open(max_poll_interval_ms=2000)

    def await_begun(self, subscription: Subscription) -> None:
        with self.administer() as admin:
            read_until(subscription, lambda _: len(admin.list_group_offsets([self.group])[self.group]) == 12)

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.proxy.cut()
        yield
        self.proxy.mend()

    def forget(self, topic: str) -> None:
        ends = {(topic, place.partition): place.end for place in self.broker.positions("nobody", [topic])}
        with self.administer() as admin:
            admin.delete_records({TopicPartition(*place): end for place, end in ends.items() if end})

    def close(self) -> None:
        """Deletes its topics too: Kafka opens every one that there is when it starts after kill -9."""
        super().close()
        with self.administer() as admin:
            admin.delete_topics(self.topics)

    @contextmanager
    def administer(self) -> Iterator[KafkaAdminClient]:
        """An admin client that does not go through the proxy."""
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        yield admin
        admin.close()


def make_postgres_name() -> str:
    """A name for a database that nobody else uses."""
    return f"broker_{os.getpid()}_{uuid4().hex[:8]}"


def read(
    subscriptions: Subscription | Sequence[Subscription],
    wanted: int,
    *,
    max_messages: int = 100,
    and_commit: bool = True,
) -> list[Message]:
    """Poll the subscriptions until ``wanted`` messages have come; outages and lost partitions are sat through."""
    return read_until(subscriptions, lambda got: len(got) >= wanted, max_messages=max_messages, and_commit=and_commit)


def read_until(
    subscriptions: Subscription | Sequence[Subscription],
    is_enough: Callable[[list[Message]], bool],
    *,
    max_messages: int = 100,
    and_commit: bool = True,
) -> list[Message]:
    """Poll the subscriptions, each in a thread of its own if there are several, until what has come is enough."""
    several = subscriptions if isinstance(subscriptions, Sequence) else [subscriptions]
    got: list[Message] = []
    lock = Lock()
    deadline = time.monotonic() + PATIENCE_S

    def pump(subscription: Subscription) -> None:
        while True:
            with lock:
                if is_enough(got):
                    return
                assert time.monotonic() < deadline, f"only {len(got)} messages came: {got[-3:]}"
            with suppress(BrokerDown, StaleMember):
                batch = subscription.poll(max_messages, 0.1)
                with lock:
                    got.extend(batch)
                if and_commit:
                    subscription.commit()

    with ThreadPoolExecutor(len(several)) as threads:
        for pumped in [threads.submit(pump, subscription) for subscription in several]:
            pumped.result()
    return got


def read_nothing(subscription: Subscription, *, polls: int = 3) -> None:
    """Poll a few times and see nothing."""
    for _ in range(polls):
        assert subscription.poll(100, 0.1) == []


def by_key(messages: Iterable[Message]) -> dict[str, list[int]]:
    """The numbers that each key said, in the order in which they came."""
    said: dict[str, list[int]] = {}
    for message in messages:
        said.setdefault(message.key, []).append(int(message.value))
    return said


def first_hearing(messages: Iterable[Message]) -> dict[str, list[int]]:
    """As ``by_key``, but what comes again is left out: what a group with an inbox hears."""
    return {key: list(dict.fromkeys(numbers)) for key, numbers in by_key(messages).items()}


def count_heard(messages: Iterable[Message]) -> int:
    """How many different things have been said."""
    return sum(len(numbers) for numbers in first_hearing(messages).values())


def eventually(attempt: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Repeat what raises BrokerDown until it does not."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except BrokerDown:
            assert time.monotonic() < deadline, "the broker did not come back"
