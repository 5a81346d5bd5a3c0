"""Hears events: inbox, handlers and outbox in one transaction a batch, offsets committed afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec
import structlog
from sqlalchemy.orm import Session

from chassis import messages, parking, telemetry
from chassis.auth import Caller
from chassis.brokers import Broker, Message, StaleMember, Subscription
from chassis.database import Database
from chassis.envelope import read_envelope
from chassis.pace import UNPAUSED
from chassis.problems import NotFound, NotYetKnown, Unavailable
from chassis.service import Service, Together
from chassis.values import read_wire

BATCH = 100
MOST_PARKED_KEYS = 20
WINDOW = 1_000
MOST_PARKED_IN_WINDOW = 50
log = structlog.get_logger(__name__)


class ConsumerStopped(Exception):
    """Too much was parked: an operator must look before anything more is taken in."""


class Facts:
    """How a service takes in the facts it subscribed to: each event once, each key in order."""

    def __init__(self, service: Service) -> None:
        self.group = service.name
        self.topics = service.topics
        self.caller = Caller.system(service.name)
        self._handlers = {
            type_: (msgspec.json.Decoder(event, dec_hook=read_wire), handler)
            for type_, (event, handler) in service.by_type.items()
        }

    def hears(self, message: Message) -> bool:
        """Whether the service has a handler for the message."""
        return message.headers.get("ce_type") in self._handlers

    def take_in(self, session: Session, batch: list[Message]) -> None:
        """Handle what was not heard before; messages of parked keys are set aside."""
        for type_, alike in groupby(self._hear(session, batch), key=lambda message: message.headers["ce_type"]):
            if isinstance(self._handlers[type_][1], Together):
                self._handle_together(session, list(alike))
            else:
                for message in alike:
                    self.handle(session, message)

    def _hear(self, session: Session, batch: list[Message]) -> Iterator[Message]:
        """The messages to be handled, in their order."""
        fresh, parked = messages.hear(session, self.group, [message.headers["ce_id"] for message in batch])
        for message in batch:
            if message.headers["ce_id"] not in fresh:
                continue
            fresh.discard(message.headers["ce_id"])
            if (message.topic, message.key) in parked:
                parking.set_aside(session, self.group, message)
            else:
                yield message

    def handle(self, session: Session, message: Message) -> None:
        """Run the handler of one message, under the request and trace ids that it carries."""
        decoder, handler = self._handlers[message.headers["ce_type"]]
        envelope = read_envelope(message.headers)
        with telemetry.continued(envelope.request_id, envelope.traceparent):
            handler(session, self.caller, decoder.decode(message.value))

    def _handle_together(self, session: Session, alike: list[Message]) -> None:
        """Run a handler that takes many; of several messages with one key the last says on whose request."""
        decoder, handler = self._handlers[alike[0].headers["ce_type"]]
        envelopes = {message.key: read_envelope(message.headers) for message in alike}
        asked = {key: (envelope.request_id, envelope.traceparent) for key, envelope in envelopes.items()}
        with telemetry.continued_together(asked):
            handler.take_in(session, self.caller, [decoder.decode(message.value) for message in alike])

    def park(self, session: Session, message: Message, reason: str, *, may_wait: bool) -> None:
        """Put a message that failed into the inbox and set its key aside."""
        fresh, parked = messages.hear(session, self.group, [message.headers["ce_id"]])
        if not fresh:
            return
        if (message.topic, message.key) in parked:
            parking.set_aside(session, self.group, message)
        else:
            parking.park(session, self.group, message, reason, may_wait=may_wait)


class Streams:
    """How a service takes in streams: batches of readings, made harmless twice by their natural key at the handler."""

    def __init__(self, service: Service) -> None:
        self.group = f"{service.name}-streams"
        self.topics = tuple(sorted(service.streams))
        self.caller = Caller.system(service.name)
        self._handlers = service.streams

    def hears(self, message: Message) -> bool:
        """Every message of a stream's topic is heard."""
        return True

    def take_in(self, session: Session, batch: list[Message]) -> None:
        """Handle a batch, topic by topic."""
        for topic in self.topics:
            if of_topic := [message for message in batch if message.topic == topic]:
                self._handlers[topic](session, self.caller, of_topic)

    def handle(self, session: Session, message: Message) -> None:
        """Handle one message of a stream alone."""
        self._handlers[message.topic](session, self.caller, [message])

    def park(self, session: Session, message: Message, reason: str, *, may_wait: bool) -> None:
        """Set one batch of readings aside; those after it go on."""
        parking.park(session, self.group, message, reason, may_wait=may_wait)


class Consumer:
    """Polls, takes in, commits. One thread uses it."""

    pace = UNPAUSED
    """It waits at the broker for the next message."""

    def __init__(
        self, way: Facts | Streams, database: Database, broker: Broker, *, member: str, wait_s: float = 0.5
    ) -> None:
        self.way = way
        self.database = database
        self.broker = broker
        self.member = member
        self.wait_s = wait_s
        self._subscription: Subscription | None = None
        self._parked = deque[bool](maxlen=WINDOW)
        self._passed_over = 0

    def step(self) -> int:
        """Take in one batch; how many messages came. Raises BrokerDown, Unavailable (nothing is lost) or ConsumerStopped.

        Messages that are not heard are committed with the next that is, or when none comes.
        """
        if self._subscription is None:
            self._refuse_when_too_much_is_parked()
            self._subscription = self.broker.subscribe(self.way.group, self.way.topics, self.member)
        batch = self._subscription.poll(BATCH, self.wait_s)
        heard = [message for message in batch if self.way.hears(message)]
        try:
            self._take_in(heard)
        except BaseException:
            self._subscription.seek_to_committed()
            raise
        self._passed_over += len(batch) - len(heard)
        if heard or self._passed_over >= (WINDOW if batch else 1):
            self._commit()
        return len(batch)

    def _commit(self) -> None:
        self._passed_over = 0
        try:
            self._subscription.commit()
        except StaleMember as error:
            # Another member reads these partitions now: the inbox keeps what it hears again from counting twice.
            log.info("partitions were lost while reading", group=self.way.group, reason=error.detail)

    def _take_in(self, batch: list[Message]) -> None:
        if not batch:
            return
        try:
            self.database.run(lambda session: self.way.take_in(session, batch))
            self._parked.extend([False] * len(batch))
        except Exception:
            for message in batch:
                self._take_in_one(message)

    def _take_in_one(self, message: Message) -> None:
        try:
            self.database.run(lambda session: self.way.take_in(session, [message]))
            self._parked.append(False)
        except NotYetKnown as error:
            self._park(message, error, may_wait=True)
        except Unavailable:
            raise
        except Exception as error:
            self._park(message, error, may_wait=False)

    def _park(self, message: Message, error: Exception, *, may_wait: bool) -> None:
        reason = f"{type(error).__name__}: {error}"
        write = log.info if may_wait else log.exception
        write("message set aside", group=self.way.group, topic=message.topic, key=message.key, reason=reason)
        self.database.run(lambda session: self.way.park(session, message, reason, may_wait=may_wait))
        self._parked.append(not may_wait)
        if not may_wait:
            self._refuse_when_too_much_is_parked()

    def _refuse_when_too_much_is_parked(self) -> None:
        keys = self.database.look(lambda session: parking.count_parked(session, self.way.group))
        if keys > MOST_PARKED_KEYS or sum(self._parked) > MOST_PARKED_IN_WINDOW:
            raise ConsumerStopped(
                f"{self.way.group}: {keys} keys are parked, {sum(self._parked)} of the last {len(self._parked)} messages: "
                "look at `haihe dead list`, then replay or drop"
            )

    def retry_waiting(self) -> int:
        """Try the waiting keys whose time has come; how many messages were handled."""
        keys = self.database.look(lambda session: parking.waiting_keys(session, self.way.group))
        return sum(self._retry(topic, key) for topic, key in keys)

    def _retry(self, topic: str, key: str) -> int:
        handled = 0
        group, handle = self.way.group, self.way.handle
        try:
            while self.database.run(lambda session: parking.replay_head(session, group, topic, key, handle)):
                handled += 1
            return handled + 1
        except NotYetKnown:
            self.database.run(lambda session: parking.wait_longer(session, group, topic, key))
        except NotFound as error:
            if f"{key!r} of {topic} is not parked" not in error.detail:
                self._give_up(topic, key, error)
        except Unavailable:
            raise
        except Exception as error:
            self._give_up(topic, key, error)
        return handled

    def _give_up(self, topic: str, key: str, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        self.database.run(lambda session: parking.give_up_waiting(session, self.way.group, topic, key, reason))

    def lag(self) -> int:
        """How many messages of the topics the group has still to take in."""
        return self.broker.lag(self.way.group, self.way.topics)

    def close(self) -> None:
        """Leave the group."""
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            subscription.close()


def replay(way: Any, database: Database, topic: str, key: str, *, who: str, why: str) -> int:
    """Replay a parked key in order until it is empty: how many were handled. Raises NotFound, or what a handler raises."""
    handled = 0
    log.warning("parked key replayed", group=way.group, topic=topic, key=key, who=who, why=why)
    more = True
    while more:
        more = database.run(lambda session: parking.replay_head(session, way.group, topic, key, way.handle))
        handled += 1
    return handled
