"""Apache Kafka by kafka-python, for the distributed profile."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from chassis.brokers import GroupIsActive, Message, Position, check_sizes
from chassis.brokers.kafka_settings import KafkaSettings, broker_down
from chassis.brokers.kafka_subscription import KafkaSubscription
from chassis.brokers.kafka_tail import KafkaTail

PUBLISH_WITHIN_S = 20.0
CLOSE_WITHIN_S = 3.0


class KafkaBroker:
    """A Kafka cluster. The producer and the admin client are made when first used, by each process for itself."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer_lock = Lock()
        self._admin_lock = Lock()
        self._producer: KafkaProducer | None = None
        self._admin: KafkaAdminClient | None = None
        self._topics: set[str] = set()
        self._pid = os.getpid()

    @classmethod
    def at(cls, servers: str, given: Mapping[str, str]) -> KafkaBroker:
        """The cluster at ``host:port,host:port``; see KafkaSettings."""
        return cls(KafkaSettings.read(servers, given))

    def ensure_topics(self, topics: Iterable[str]) -> None:
        """Create the topics that are not there yet, and wait until they can be used."""
        wanted = set(topics) - self._topics
        if not wanted:
            return
        with self._asking() as admin:
            if missing := sorted(wanted - set(admin.list_topics())):
                self._create(admin, missing)
            self._topics |= wanted

    def publish(self, messages: Sequence[Message]) -> None:
        """Send the messages and wait for all acknowledgements; see the protocol. At the first failure the producer is dropped."""
        check_sizes(messages)
        self.ensure_topics({message.topic for message in messages})
        with broker_down():
            producer = self._connected_producer()
            try:
                sent = [_send(producer, message) for message in messages]
                deadline = time.monotonic() + PUBLISH_WITHIN_S
                for future in sent:
                    future.get(timeout=max(0.0, deadline - time.monotonic()))
            except KafkaError:
                self._drop_producer(producer)
                raise

    def subscribe(self, group: str, topics: Sequence[str], member: str) -> KafkaSubscription:
        """A subscription that joins at its first poll, with a consumer of its own."""
        return KafkaSubscription(self._settings, self.ensure_topics, group, tuple(topics), member)

    def follow(self, topics: Sequence[str], member: str) -> KafkaTail:
        """A follower, with a consumer of its own from its first poll on."""
        return KafkaTail(self._settings, self.ensure_topics, tuple(topics), member)

    def positions(self, group: str, topics: Sequence[str]) -> list[Position]:
        """How far the group has come in each partition; Kafka's answer names no members."""
        self.ensure_topics(topics)
        with self._asking() as admin:
            places = [
                TopicPartition(topic["name"], partition["partition_index"])
                for topic in admin.describe_topics(list(topics))
                for partition in topic["partitions"]
            ]
            committed = admin.list_group_offsets({group: places}).get(group, {})
            first = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
            end = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        positions = []
        for place in sorted(places):
            at = committed[place].offset if place in committed else -1
            oldest = first[place].offset
            positions.append(Position(*place, oldest, at if at >= 0 else oldest, end[place].offset))
        return positions

    def lag(self, group: str, topics: Sequence[str]) -> int:
        """How many messages the group has still to commit."""
        return sum(position.lag for position in self.positions(group, topics))

    def skip_lost(self, group: str, topics: Sequence[str]) -> int:
        """Move a group that fell behind, and has no members, to the oldest message; how many were given up."""
        behind = [position for position in self.positions(group, topics) if position.committed < position.first]
        offsets = {TopicPartition(at.topic, at.partition): OffsetAndMetadata(at.first, "", -1) for at in behind}
        with self._asking() as admin:
            answers = admin.alter_group_offsets(group, offsets)
        if any(answer is not NoError for answer in answers.values()):
            raise GroupIsActive(f"group {group!r} can only be moved while none of its workers runs", group=group)
        return sum(at.first - at.committed for at in behind)

    def forget_old(self) -> int:
        """Kafka does it by itself."""
        return 0

    def describe(self) -> dict[str, Any]:
        """What a status page shows."""
        with self._asking() as admin:
            found = [topic for topic in admin.describe_topics() if not topic["is_internal"]]
        topics = {topic["name"]: {"partitions": len(topic["partitions"])} for topic in found}
        return {"kind": "kafka", "address": self._settings.servers, "topics": dict(sorted(topics.items()))}

    def close(self) -> None:
        """Close producer and admin client; the broker may be used again."""
        self._begin_in_this_process()
        with self._producer_lock:
            if self._producer is not None:
                with suppress(KafkaError):
                    self._producer.close(timeout=CLOSE_WITHIN_S)
            self._producer = None
        with self._admin_lock:
            if self._admin is not None:
                self._admin.close()
            self._admin = None

    def _create(self, admin: KafkaAdminClient, topics: list[str]) -> None:
        settings = self._settings
        options = {
            "num_partitions": settings.partitions,
            "replication_factor": settings.replication_factor,
            "configs": {"retention.ms": str(int(settings.retention_s * 1000))},
        }
        answer = admin.create_topics(dict.fromkeys(topics, options), raise_errors=False)
        for topic in answer["topics"]:
            error = for_code(topic["error_code"])
            if error not in (NoError, TopicAlreadyExistsError):
                raise error(f"topic {topic['name']}: {topic['error_message']}")
        admin.wait_for_topics(topics)

    def _connected_producer(self) -> KafkaProducer:
        self._begin_in_this_process()
        with self._producer_lock:
            if self._producer is None:
                self._producer = self._settings.make_producer()
            return self._producer

    def _drop_producer(self, producer: KafkaProducer) -> None:
        """Close without sending what is left: close() alone would flush, and what failed would arrive behind its successors."""
        with self._producer_lock:
            if self._producer is producer:
                self._producer = None
        producer._sender.force_close()
        producer._sender.join(CLOSE_WITHIN_S)
        with suppress(KafkaError):
            producer.close(timeout=0)

    @contextmanager
    def _asking(self) -> Iterator[KafkaAdminClient]:
        """The admin client, for one thread at a time; it is dropped when something goes wrong."""
        self._begin_in_this_process()
        with broker_down(), self._admin_lock:
            if self._admin is None:
                self._admin = self._settings.make_admin()
            try:
                yield self._admin
            except KafkaError:
                admin, self._admin = self._admin, None
                with suppress(KafkaError):
                    admin.close()
                raise

    def _begin_in_this_process(self) -> None:
        """After a fork the parent's clients are left alone: their threads did not come along, and their sockets are shared."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._producer_lock, self._admin_lock = Lock(), Lock()
            self._producer, self._admin = None, None


def _send(producer: KafkaProducer, message: Message) -> Any:
    headers = [(name, text.encode()) for name, text in message.headers.items()]
    return producer.send(message.topic, message.value, message.key.encode(), headers)
