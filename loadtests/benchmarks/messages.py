"""Part events: how fast a relay empties an outbox and a consumer takes events in, on the embedded broker, against
plain psycopg that moves the same rows in as many transactions.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Protocol

import psycopg
from psycopg.types.json import Jsonb

from chassis import clock, database, migrate
from chassis.brokers.postgres import PostgresBroker
from chassis.consumer import Consumer, Facts
from chassis.database import Database
from chassis.messages import wrap
from chassis.relay import Relay
from chassis.service import Service
from chassis.values import Money
from events.orders import DealStruck
from infra.cluster import Cluster
from infra.databases import libpq
from infra.failures import Failure
from loadtests.benchmarks.by_hand import LIMITS
from loadtests.benchmarks.by_hand_messages import MessagesByHand
from loadtests.benchmarks.figures import Figure, Goal, Pair, compare, interleave
from loadtests.benchmarks.plan import Plan

SUBJECTS = 500
MOST_EMPTY_STEPS = 50
FILL = "COPY outbox (topic, key, headers, value, at) FROM STDIN"


class EventsLost(Failure):
    """Fewer events came out than went in."""


class Messenger(Protocol):
    """One side: ``send`` and ``hear`` do one batch and say how many events it had."""

    def send(self) -> int: ...
    def hear(self) -> int: ...


def _note(session: Any, caller: Any, event: DealStruck) -> None:
    """A handler that does nothing: what is measured is the way to it."""


class HaiheMessages:
    """The chassis's own relay and consumer, one thread each in turn."""

    def __init__(self, address: str, broker: str) -> None:
        hearer = Service(name="bench", base=database.base("bench"), nouns=(), handlers={DealStruck: _note})
        self.database = Database(address, pool_size=4)
        self.broker = PostgresBroker.at(broker)
        self.broker.ensure_topics([DealStruck.topic])
        self.relay = Relay(self.database, self.broker)
        self.consumer = Consumer(Facts(hearer), self.database, self.broker, member="bench")
        self.send, self.hear = self.relay.step, self.consumer.step
        self.hear()

    def close(self) -> None:
        """Closes its connections."""
        for one in (self.consumer, self.relay, self.broker, self.database):
            one.close()


def measure_messages(plan: Plan, cluster: Cluster) -> list[Figure]:
    """Each side's outbox is filled, sent and heard, in turn."""
    outbox = cluster.create_database("events", service="orders")
    migrate.upgrade("orders", outbox.owner)
    broker, log = (libpq(cluster.create_database(name).owner) for name in ("broker", "log"))
    with (
        contextlib.closing(HaiheMessages(outbox.app, broker)) as ours,
        contextlib.closing(MessagesByHand(libpq(outbox.app), log)) as theirs,
        psycopg.connect(libpq(outbox.app), autocommit=True, options=LIMITS) as filler,
    ):
        rounds = interleave(plan.rounds, *(_round_of(side, filler, plan.events) for side in (ours, theirs)))
    sent, heard = ([(one[at], other[at]) for one, other in rounds] for at in (0, 1))
    return [
        compare("events", "relay: events a second", "/s", sent, Goal(of="ours", at_least=4_000)),
        compare("events", "inbox: events a second", "/s", heard, Goal(of="ours", at_least=8_000)),
    ]


def _round_of(side: Messenger, filler: psycopg.Connection, count: int) -> Callable[[], Pair]:
    def run() -> Pair:
        _fill(filler, count)
        return _time(side.send, count), _time(side.hear, count)

    return run


def _fill(connection: psycopg.Connection, count: int) -> None:
    with connection.cursor().copy(FILL) as copy:
        for message in _messages(count):
            copy.write_row((message.topic, message.key, Jsonb(message.headers), message.value, clock.now()))


def _messages(count: int) -> Iterator[Any]:
    money, due_at = Money(38_500, "CNY"), clock.now() + timedelta(minutes=30)
    sides = {"offer_id": clock.new_id("offer"), "buyer_id": clock.new_id("party"), "seller_id": clock.new_id("party")}
    deal_ids = [clock.new_id("deal") for _ in range(SUBJECTS)]
    for number in range(count):
        deal_id = deal_ids[number % SUBJECTS]
        struck = DealStruck(deal_id=deal_id, **sides, buyer_deposit=money, seller_deposit=money, due_at=due_at)
        yield wrap(struck, "orders")


def _time(step: Callable[[], int], count: int) -> float:
    """How many a second until ``count`` are through. Raises EventsLost."""
    began, done, empty = time.perf_counter(), 0, 0
    while done < count:
        moved = step()
        done, empty = done + moved, 0 if moved else empty + 1
        if empty > MOST_EMPTY_STEPS:
            raise EventsLost(f"{done} of {count} came through")
    return count / (time.perf_counter() - began)
