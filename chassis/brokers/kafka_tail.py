"""Follows topics of Kafka from their ends on: one consumer without a group, one thread.

As a quiet consumer of kafka-python cannot tell an outage from silence, the leaders are asked from time to time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from chassis.brokers import BrokerDown, Message
from chassis.brokers.kafka_settings import KafkaSettings, broker_down

ASK_EVERY_S = 1.0
ANSWER_WITHIN_MS = 2_000
CLOSE_WITHIN_MS = 3_000
log = structlog.get_logger(__name__)


class KafkaTail:
    """A follower; where it is, is known to itself alone, so a consumer that fails is replaced by another one."""

    def __init__(
        self,
        settings: KafkaSettings,
        ensure_topics: Callable[[Iterable[str]], None],
        topics: tuple[str, ...],
        member: str,
    ) -> None:
        self._settings = settings
        self._ensure_topics = ensure_topics
        self._topics = topics
        self._member = member
        self._consumer: KafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}
        self._ask_at = 0.0

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """The next messages; see the protocol."""
        try:
            with broker_down():
                return self._poll(max_messages, time.monotonic() + timeout_s)
        except BrokerDown:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the consumer."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=CLOSE_WITHIN_MS)

    def _poll(self, max_messages: int, deadline: float) -> list[Message]:
        if self._consumer is None:
            self._connect()
        while True:
            left_ms = max(0, int((deadline - time.monotonic()) * 1000))
            try:
                found = self._consumer.poll(timeout_ms=min(left_ms, int(ASK_EVERY_S * 1000)), max_records=max_messages)
            except OffsetOutOfRangeError as error:
                self._pass_over(error.args[0])
                continue
            if found:
                return self._deliver(found)
            self._ask_if_due()
            if time.monotonic() >= deadline:
                return []

    def _connect(self) -> None:
        self._ensure_topics(self._topics)
        consumer = self._settings.make_consumer(None, self._member)
        self._consumer = consumer
        places = [TopicPartition(topic, n) for topic in self._topics for n in consumer.partitions_for_topic(topic)]
        ends = consumer.end_offsets(places, timeout_ms=ANSWER_WITHIN_MS)
        consumer.assign(places)
        self._next = {place: self._next.get(place, ends[place]) for place in places}
        for place, offset in self._next.items():
            consumer.seek(place, offset)

    def _pass_over(self, offsets: dict[TopicPartition, int]) -> None:
        oldest = self._consumer.beginning_offsets(list(offsets), timeout_ms=ANSWER_WITHIN_MS)
        for place, wanted in offsets.items():
            log.warning("a follower missed messages", topic=place.topic, missed=oldest[place] - wanted)
            self._next[place] = oldest[place]
            self._consumer.seek(place, oldest[place])

    def _ask_if_due(self) -> None:
        """Raise KafkaTimeoutError or another KafkaError when a leader does not answer."""
        if time.monotonic() >= self._ask_at:
            self._consumer.end_offsets(list(self._next), timeout_ms=ANSWER_WITHIN_MS)
            self._ask_at = time.monotonic() + ASK_EVERY_S

    def _deliver(self, found: dict) -> list[Message]:
        batch = []
        for place, records in found.items():
            self._next[place] = records[-1].offset + 1
            for record in records:
                headers = {name: value.decode() for name, value in record.headers}
                batch.append(
                    Message(place.topic, record.key.decode(), record.value, headers, place.partition, record.offset)
                )
        return batch
