"""The loops of a service: send the outbox, hear events, run what is due, do errands; each beats so that others see it live.

Every loop is an object with ``step()``, which does one bounded piece of work and returns how much it did. The worker runs each in a
thread; the world of the tests calls the same steps one after the other.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import func, select, text

from chassis import clock
from chassis.brokers import Broker
from chassis.consumer import Consumer, Facts, Streams
from chassis.database import Database
from chassis.errands import Errands, purge_errands
from chassis.heartbeats import purge_heartbeats
from chassis.idempotency import purge_idempotency
from chassis.messages import purge_inbox
from chassis.pace import PURGE_BATCH, USUAL, Pace
from chassis.parking import ParkedKey
from chassis.relay import Relay
from chassis.service import Service
from chassis.settings import Settings
from chassis.timers import Timers

FIRST_BACK_OFF_S = 0.2
LONGEST_BACK_OFF_S = 5.0
BEAT_S = 2.0
HUNG_S = 60.0
MOST_COUNTED = 10_000
LOOP_WORK = Counter("haihe_loop_work", "Pieces of work that a worker's loop has done.", ("service", "loop"))
LOOP_FAILURES = Counter(
    "haihe_loop_failures", "Times that a worker's loop failed and began again.", ("service", "loop")
)
OUTBOX_AGE = Gauge(
    "haihe_outbox_age_seconds",
    "Age of the oldest event still to be sent.",
    ("service",),
    multiprocess_mode="mostrecent",
)
OUTBOX = Gauge(
    "haihe_outbox_waiting",
    "Events still to be sent, counted up to 10,000.",
    ("service",),
    multiprocess_mode="mostrecent",
)
LOOP_BEAT = Gauge(
    "haihe_loop_beat_seconds",
    "When a worker's loop last came round, as Unix time.",
    ("service", "loop"),
    multiprocess_mode="mostrecent",
)
PARKED = Gauge("haihe_parked_keys", "Keys whose messages are parked.", ("service",), multiprocess_mode="mostrecent")
LAG = Gauge("haihe_consumer_lag", "Messages still to be heard.", ("service",), multiprocess_mode="mostrecent")
log = structlog.get_logger(__name__)


class Loop(Protocol):
    """One bounded piece of work at a time; one with a ``pace`` of its own says so."""

    def step(self) -> int: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Context:
    """What the loops of one service work with."""

    service: Service
    database: Database
    broker: Broker
    settings: Settings
    member: str


class _Steps:
    """A loop made of a function."""

    def __init__(self, step: Callable[[], int]) -> None:
        self.step = step

    def close(self) -> None:
        pass


def make_loops(context: Context) -> dict[str, Loop]:
    """Every loop of a service by name."""
    service, database, broker = context.service, context.database, context.broker
    loops: dict[str, Loop] = {"relay": Relay(database, broker)}
    for name, way in (("facts", Facts(service)), ("streams", Streams(service))):
        if way.topics:
            consumer = Consumer(way, database, broker, member=context.member)
            loops[name] = consumer
            loops[f"{name}-waiting"] = _Steps(Consumer(way, database, broker, member=context.member).retry_waiting)
    if service.timers:
        loops["timers"] = Timers(service, database)
    if service.errands:
        loops["errands"] = Errands(service, database, context.settings)
    loops["housekeeping"] = Housekeeping(database, broker)
    for name, make in service.loops.items():
        loops[name] = make(context)
    return loops


class Housekeeping:
    """Throws away what was kept long enough, a bounded number of rows at a time."""

    EVERY_S = 60.0
    pace = Pace(idle_s=5.0, longest_idle_s=5.0)

    def __init__(self, database: Database, broker: Broker) -> None:
        self.database = database
        self.broker = broker
        self._next = 0.0

    def step(self) -> int:
        """Purge once a minute, and again at once while there is as much as one purge takes; how many rows went."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + self.EVERY_S
        gone = self.broker.forget_old() + self.database.run(
            lambda session: (
                purge_inbox(session) + purge_idempotency(session) + purge_errands(session) + purge_heartbeats(session)
            )
        )
        if gone >= PURGE_BATCH:
            self._next = 0.0
        return gone

    def close(self) -> None:
        """Nothing is held."""


class Worker:
    """Runs the loops of some services, each in a thread, until it is stopped."""

    def __init__(self, contexts: list[Context], *, beat_path: str = "") -> None:
        self.contexts = contexts
        self._stop = threading.Event()
        self._wake = {context.service.name: threading.Event() for context in contexts}
        self._beats: dict[tuple[str, str], tuple[float, str | None]] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start every loop, the heart, and the ear for pokes."""
        for context in self.contexts:
            wake = self._wake[context.service.name].set
            context.database.after_emit = wake
            for name, loop in make_loops(context).items():
                self._spawn(self._turn, context, name, loop, name=f"{context.service.name}/{name}")
            if context.settings.poke:
                self._spawn(self._listen, context.settings.poke, wake, name=f"{context.service.name}/poke")
        self._spawn(self._beat, name="heart")

    def _spawn(self, run: Callable[..., None], *args: Any, name: str) -> None:
        thread = threading.Thread(target=run, args=args, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _turn(self, context: Context, name: str, loop: Loop) -> None:
        service, back_off = context.service.name, FIRST_BACK_OFF_S
        pause_s = 0.0
        wake = self._wake[service] if name == "relay" else self._stop
        while not self._stop.is_set():
            try:
                done, error, back_off = loop.step(), None, FIRST_BACK_OFF_S
            except Exception as raised:
                done, error = 0, f"{type(raised).__name__}: {raised}"
                log.warning(
                    "loop failed", service=service, loop=name, error=error, exc_info=back_off == FIRST_BACK_OFF_S
                )
                LOOP_FAILURES.labels(service, name).inc()
                self._stop.wait(back_off)
                back_off = min(back_off * 2, LONGEST_BACK_OFF_S)
            self._beats[service, name] = (time.monotonic(), error)
            LOOP_WORK.labels(service, name).inc(done)
            pace = getattr(loop, "pace", USUAL)
            pause_s = pace.idle_s if done else min(max(pause_s * 2, pace.idle_s), pace.longest_idle_s)
            if done < pace.full_step:
                wake.wait(pause_s)
                if wake is not self._stop:
                    wake.clear()
        loop.close()

    def _listen(self, address: str, wake: Callable[[], None]) -> None:
        """Pokes are datagrams: losing one costs at most the relay's own wait, 200 to 800 ms."""
        host, _, port = address.rpartition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind((host, int(port)))
            ear.settimeout(1.0)
            while not self._stop.is_set():
                try:
                    ear.recv(16)
                    wake()
                except TimeoutError:
                    continue

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            for context in self.contexts:
                try:
                    write_beats(context, self._beats)
                    measure(context)
                except Exception as error:
                    log.warning("heartbeat not written", service=context.service.name, error=repr(error))
            self._leave_when_hung()

    def _leave_when_hung(self) -> None:
        """A thread that hangs cannot be stopped from inside: the process ends, and whoever supervises it starts another."""
        for (service, name), (at, _) in self._beats.items():
            if time.monotonic() - at > HUNG_S:
                log.error("loop hangs, the worker leaves", service=service, loop=name)
                os._exit(70)

    def stop(self, timeout_s: float = 20.0) -> None:
        """Let every loop finish its step, and close it."""
        self._stop.set()
        for wake in self._wake.values():
            wake.set()
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for context in self.contexts:
            context.broker.close()
            context.database.close()


_BEAT = text(
    "INSERT INTO heartbeat (member, loop, at, error) "
    "SELECT :member, loop, :at, error FROM unnest(:loops ::text[], :errors ::text[]) AS beat (loop, error) "
    "ON CONFLICT (member, loop) DO UPDATE SET at = excluded.at, error = excluded.error"
)


def write_beats(context: Context, beats: dict[tuple[str, str], tuple[float, str | None]]) -> None:
    """Write down the loops of a service that came round since a few seconds ago."""
    since = time.monotonic() - 5 * BEAT_S
    mine = {
        name: error for (service, name), (at, error) in beats.items() if service == context.service.name and at > since
    }
    if mine:
        row = {"member": context.member, "at": clock.now(), "loops": list(mine), "errors": list(mine.values())}
        context.database.run(lambda session: session.execute(_BEAT, row))
    for name in mine:
        LOOP_BEAT.labels(context.service.name, name).set(clock.now().timestamp())


_WAITING = text(
    "SELECT (SELECT at FROM outbox ORDER BY id LIMIT 1), count(*) FROM (SELECT FROM outbox LIMIT :most) AS waiting"
)


def measure(context: Context) -> None:
    """Tell Prometheus how far behind a service is; of a long outbox no more is read than is counted."""
    (oldest, waiting), parked = context.database.look(
        lambda session: (
            session.execute(_WAITING, {"most": MOST_COUNTED}).one(),
            session.scalar(select(func.count()).select_from(ParkedKey).where(ParkedKey.due_at.is_(None))),
        )
    )
    name = context.service.name
    OUTBOX_AGE.labels(name).set((clock.now() - oldest).total_seconds() if oldest else 0)
    OUTBOX.labels(name).set(waiting)
    PARKED.labels(name).set(parked)
    if context.service.topics:
        LAG.labels(name).set(context.broker.lag(name, context.service.topics))


def make_poke(address: str) -> Callable[[], None]:
    """What the web calls after a commit that told something: one datagram to the worker's ear, never waiting, never failing."""
    if not address:
        return lambda: None
    host, _, port = address.rpartition(":")
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mouth.setblocking(False)

    def poke() -> None:
        try:
            mouth.sendto(b"x", (host, int(port)))
        except OSError as error:
            log.debug("poke not sent", error=repr(error))

    return poke
