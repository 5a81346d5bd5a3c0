"""Reads from Kafka: one consumer, one member of a group, one thread.

kafka-python reconnects and rejoins by itself while it is polled, and meanwhile returns nothing, as if all were well. So a
quiet reader asks the coordinator and the leaders from time to time, and an outage is BrokerDown here as with every broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
    RetriableError,
    UnknownMemberIdError,
)
from kafka.structs import MemberState

from chassis.brokers import FellBehind, Message, StaleMember, fell_behind
from chassis.brokers.kafka_settings import KafkaSettings, broker_down

ASK_EVERY_S = 1.0
ANSWER_WITHIN_MS = 2_000
COMMIT_WITHIN_MS = 10_000
JOIN_WITHIN_MS = 5_000
RENEW_AFTER_S = 60.0
"""After an outage of this length a consumer that still fails is replaced; before, it keeps its place in the group."""
CLOSE_WITHIN_MS = 3_000
_STALE = (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
log = structlog.get_logger(__name__)


class KafkaSubscription:
    """A member of a group. What was returned since the last commit is kept by partition, as (first offset, next offset)."""

    def __init__(
        self,
        settings: KafkaSettings,
        ensure_topics: Callable[[Iterable[str]], None],
        group: str,
        topics: tuple[str, ...],
        member: str,
    ) -> None:
        self._settings = settings
        self._ensure_topics = ensure_topics
        self._group = group
        self._topics = topics
        self._member = member
        self._consumer: KafkaConsumer | None = None
        self._read: dict[TopicPartition, tuple[int, int]] = {}
        self._has_lost_messages = False
        self._ask_at = 0.0
        self._fails_since = 0.0
        self._rebalances = 0

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """The next messages; see the protocol."""
        with broker_down():
            try:
                batch = self._poll(max_messages, time.monotonic() + timeout_s)
            except KafkaError as error:
                self._fails_since = self._fails_since or time.monotonic()
                if not isinstance(error, RetriableError) or time.monotonic() - self._fails_since > RENEW_AFTER_S:
                    self._drop()
                raise
        self._fails_since = 0.0
        return batch

    def commit(self) -> None:
        """Commit what poll returned; see the protocol."""
        try:
            if self._has_lost_messages:
                raise StaleMember(f"{self._member} of group {self._group} has lost partitions that it read from")
            if self._read:
                offsets = {place: OffsetAndMetadata(upto, "", -1) for place, (_, upto) in self._read.items()}
                with broker_down():
                    self._commit(offsets)
        except StaleMember:
            self.seek_to_committed()
            raise
        self._read = {}

    def seek_to_committed(self) -> None:
        """Let the next poll return again what was returned since the last commit."""
        for place, (first, _) in self._read.items():
            with suppress(ValueError):  # no longer assigned: whoever has it begins at the committed offset
                self._consumer.seek(place, first)
        self._read, self._has_lost_messages = {}, False

    def describe(self) -> dict[str, Any]:
        """Group, member, generation, partitions by topic and rebalances."""
        places = self._consumer.assignment() if self._consumer else ()
        return {
            "group": self._group,
            "member": self._member,
            "generation": self._consumer.group_metadata().generation_id if self._consumer else 0,
            "partitions": {topic: sorted(p for t, p in places if t == topic) for topic in self._topics},
            "rebalances": self._rebalances,
        }

    def close(self) -> None:
        """Leave the group."""
        self._drop()

    def _drop(self) -> None:
        consumer, self._consumer, self._fails_since = self._consumer, None, 0.0
        self.give_up(self._read)
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=CLOSE_WITHIN_MS)

    def give_up(self, places: Iterable[TopicPartition]) -> None:
        """Remember that these partitions may be another's now."""
        lost = [place for place in places if place in self._read]
        self._has_lost_messages |= bool(lost)
        for place in lost:
            del self._read[place]

    def count_rebalance(self) -> None:
        """Partitions were dealt anew."""
        self._rebalances += 1
        log.info("partitions dealt", group=self._group, member=self._member)

    def _poll(self, max_messages: int, deadline: float) -> list[Message]:
        if self._consumer is None:
            self._connect()
        while True:
            try:
                self._join_if_due()
                left_ms = max(0, int((deadline - time.monotonic()) * 1000))
                found = self._consumer.poll(timeout_ms=left_ms, max_records=max_messages)
            except NoOffsetForPartitionError as error:
                self._begin_at_oldest(error.args[0])
                continue
            except OffsetOutOfRangeError as error:
                raise self._name_lost(error.args[0]) from None
            if found:
                return self._deliver(found)
            self._join_if_due()
            self._ask_if_due()
            if time.monotonic() >= deadline:
                return []

    def _connect(self) -> None:
        self._ensure_topics(self._topics)
        self._consumer = self._settings.make_consumer(self._group, self._member)
        for topic in self._topics:  # else the first deal is of no partitions
            self._consumer.partitions_for_topic(topic)
        self._consumer.subscribe(self._topics, listener=_Listener(self))

    def _join_if_due(self) -> None:
        """Take part in a new deal to its end, which may take longer than the caller wanted to wait.

        A join that kafka-python's poll gave up waiting for goes on behind its back. If it is done by the next poll it is begun
        all over, and if only changed metadata had called for it, it is forgotten, and the reader is in no group for ever: so the
        join is asked for by name.
        """
        coordinator = self._consumer._coordinator
        if coordinator.need_rejoin() or coordinator.rejoining:
            coordinator.request_rejoin()
            coordinator.poll(timeout_ms=JOIN_WITHIN_MS)

    def _commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        try:
            self._consumer.commit(offsets, timeout_ms=COMMIT_WITHIN_MS)
        except _STALE as error:
            raise StaleMember(f"{self._member} of group {self._group}: {type(error).__name__}: {error}") from error

    def _begin_at_oldest(self, places: Iterable[TopicPartition]) -> None:
        """Commit where a new group begins, so that it is known to have fallen behind if it does before its first commit."""
        oldest = self._consumer.beginning_offsets(list(places), timeout_ms=ANSWER_WITHIN_MS)
        offsets = {place: OffsetAndMetadata(offset, "", -1) for place, offset in oldest.items()}
        # A member that was put out meanwhile joins again at the next poll.
        with suppress(*_STALE):
            self._consumer.commit(offsets, timeout_ms=COMMIT_WITHIN_MS)

    def _name_lost(self, offsets: dict[TopicPartition, int]) -> FellBehind:
        place, wanted = next(iter(offsets.items()))
        first = self._consumer.beginning_offsets([place], timeout_ms=ANSWER_WITHIN_MS)[place]
        return fell_behind(self._group, place.topic, place.partition, wanted=wanted, first=first)

    def _ask_if_due(self) -> None:
        """Raise KafkaTimeoutError or another KafkaError when a leader or the coordinator does not answer.

        While the group is dealt anew the coordinator is not asked: it would answer only when all have joined.
        """
        if time.monotonic() < self._ask_at:
            return
        assigned = sorted(self._consumer.assignment()) or [TopicPartition(self._topics[0], 0)]
        self._consumer.end_offsets(assigned, timeout_ms=ANSWER_WITHIN_MS)
        if self._consumer.group_metadata().state is MemberState.STABLE:
            self._consumer.committed(assigned[0], timeout_ms=ANSWER_WITHIN_MS)
        self._ask_at = time.monotonic() + ASK_EVERY_S

    def _deliver(self, found: dict[TopicPartition, list[Any]]) -> list[Message]:
        batch = []
        for place, records in found.items():
            first = self._read.get(place, (records[0].offset, 0))[0]
            self._read[place] = (first, records[-1].offset + 1)
            for record in records:
                headers = {name: value.decode() for name, value in record.headers}
                batch.append(
                    Message(place.topic, record.key.decode(), record.value, headers, place.partition, record.offset)
                )
        return batch


class _Listener(ConsumerRebalanceListener):
    """Runs on kafka-python's own thread, but only while the reader's thread waits in poll or close."""

    def __init__(self, subscription: KafkaSubscription) -> None:
        self._subscription = subscription

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Before a new deal."""
        self._subscription.give_up(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """After it."""
        self._subscription.count_rebalance()
