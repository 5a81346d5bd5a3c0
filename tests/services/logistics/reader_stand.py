"""The loop of a worker that listens to readers, and what is around it: fixtures and functions for the tests of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from llrpkit.emulator import LLRPEmulator

from chassis import clock
from chassis.brokers import BrokerDown, Message
from chassis.database import Database
from chassis.settings import Settings
from chassis.values import read_wire
from chassis.worker import Context
from events.logistics import ReaderHeard, TagsRead
from services.logistics import SERVICE
from services.logistics.rfid.readers.collecting import ReaderLoop
from tests.services.logistics.conftest import BEGINNING, Stand, open_stand

PATIENCE_S = 30.0


class Shaky:
    """The broker, how it is lost and found again, and how it gives no answer until something is so."""

    def __init__(self, broker: Any) -> None:
        self.broker, self.is_down = broker, False
        self.stuck_until: Callable[[], bool] = lambda: True

    def publish(self, messages: list[Message]) -> None:
        if self.is_down:
            raise BrokerDown("lost")
        wait_for(self.stuck_until)
        self.broker.publish(messages)


@pytest.fixture
def stand(databases: tuple[Database, Database]) -> Stand:
    """The service by the machine's clock, for readers have their own."""
    return open_stand(databases, clock.FrozenClock(BEGINNING))


def make_loop(stand: Stand, member: str = "one", broker: Any = None, **settings: Any) -> ReaderLoop:
    """The loop of one worker."""
    wanted = Settings(service="logistics", **settings)
    return ReaderLoop(Context(SERVICE, stand.database, broker or stand.broker, wanted, member))


def register(stand: Stand, gate: dict[str, Any], emulator: LLRPEmulator, **changed: Any) -> dict[str, Any]:
    """Register an emulated reader."""
    body = {"name": f"at {emulator.port}", "kind": "llrp", "host": "127.0.0.1", "port": emulator.port, **changed}
    return stand.send("POST", f"/v1/gates/{gate['id']}/readers", body).ok()


def wait_for(is_so: Callable[[], Any], work: Callable[[], Any] = lambda: time.sleep(0.01)) -> None:
    """Work until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end
        work()


def until(is_so: Callable[[], Any], *loops: ReaderLoop) -> None:
    """Let loops work until something is so; what they raise they are asked again."""
    failures = []

    def work() -> None:
        for loop in loops:
            try:
                loop.step()
            except BrokerDown as error:
                failures.append(error)

    try:
        wait_for(is_so, work)
    except AssertionError:
        raise AssertionError(failures[-3:]) from None


def is_ready(loop: ReaderLoop) -> bool:
    """Whether a reader that the loop listens to is connected and set up."""
    return any(state.is_ready for state in loop._collector.states().values())


class Stream:
    """What is in the stream, read on and on."""

    def __init__(self, stand: Stand) -> None:
        self._subscription = stand.broker.subscribe("looking-in", [TagsRead.topic], "test")
        self.reads: list[tuple[str, str, int, str, Any]] = []
        self.edges: list[tuple[int, bool]] = []
        self.heard: list[ReaderHeard] = []

    def look(self) -> Stream:
        """Read on."""
        while some := self._subscription.poll(500, 0):
            for one in some:
                if one.headers["ce_type"] == ReaderHeard.type:
                    self.heard.append(msgspec.json.decode(one.value, type=ReaderHeard, dec_hook=read_wire))
                    continue
                told = msgspec.json.decode(one.value, type=TagsRead, dec_hook=read_wire)
                assert one.key == told.gate_id and told.boot.startswith(f"{told.reader_id}/")
                self.edges += [(edge.port, edge.is_high) for edge in told.edges]
                self.reads += [
                    (told.gate_id, told.boot, read.sequence, read.epc, read.reader_at) for read in told.reads
                ]
        return self

    @property
    def named(self) -> set[tuple[str, str, int]]:
        """What names the reads."""
        return {read[:3] for read in self.reads}
