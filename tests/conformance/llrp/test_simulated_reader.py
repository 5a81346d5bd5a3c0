"""Our simulated reader over a real socket: with our own collector, and with llrpkit's client, which nobody here wrote."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from llrpkit.reader import Reader as TheirClient

from services.logistics.rfid.llrp.collector import Collector
from services.logistics.rfid.llrp.link import Reader
from services.logistics.rfid.llrp.plan import Plan
from services.logistics.rfid.llrp.session import Happening, InputChanged, Noticed
from services.logistics.rfid.llrp.sights import Sight
from services.logistics.rfid.simulator.llrp_reader import LlrpReader, Told
from services.logistics.rfid.simulator.llrp_server import LlrpServer

PATIENCE_S = 30.0
IDENTITY = "00162512FFFF25D6"
EPC = "3035A537C806D140000F4240"
AHEAD_US = 5_000_000


class Stand:
    """A simulated reader whose clock is five seconds ahead, and what it was switched to."""

    def __init__(self) -> None:
        self.switched: list[tuple[int, bool]] = []
        self.reader = LlrpReader(IDENTITY, 4, lambda port, high: self.switched.append((port, high)))
        self.server = LlrpServer(at=lambda id, now_us: now_us + AHEAD_US)
        self.port = self.server.add("reader", self.reader)
        self.server.start()
        self.seen = 0

    def see(self, count: int) -> None:
        """So many tags answer, each once."""
        now_us = round(time.time() * 1e6) + AHEAD_US
        tags = [Told(f"{int(EPC, 16) + self.seen + n:024X}", n % 4 + 1, -50 - n % 20, now_us + n) for n in range(count)]
        self.seen += count
        self.server.see("reader", tags)

    def close(self) -> None:
        self.server.close()


@pytest.fixture
def stand() -> Iterator[Stand]:
    with closing(Stand()) as stand:
        yield stand


def _listen(stand: Stand, heard: list[Happening], identity: str = IDENTITY) -> Collector:
    plan = Plan(keepalive_s=0.2, identity=identity)
    return Collector([Reader(id="gate-1", host="127.0.0.1", port=stand.port, plan=plan)], heard.extend)


def _until(collector: Collector, is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, collector.states()
        collector.step(0.02)


def _sights(heard: list[Happening]) -> list[Sight]:
    return [one for one in heard if isinstance(one, Sight)]


def test_our_collector_sets_it_up_and_hears_it_by_our_clock(stand: Stand) -> None:
    heard: list[Happening] = []
    stand.see(5)
    with closing(_listen(stand, heard)) as collector:
        _until(collector, lambda: collector.states()["gate-1"].is_ready and stand.reader.is_reading)
        stand.see(200)
        _until(collector, lambda: len(_sights(heard)) == 200)
        state = collector.states()["gate-1"]
    assert (state.version, state.malformed, state.repeated) == (2, 0, 0)
    assert [sight.epc for sight in _sights(heard)][:2] == [f"{int(EPC, 16) + n:024X}" for n in (5, 6)]
    assert all(abs(sight.last_us - sight.received_us) < 2_000_000 for sight in _sights(heard)), (
        "five seconds ahead are seen"
    )
    assert {sight.antenna for sight in _sights(heard)} == {1, 2, 3, 4}


def test_what_it_reads_through_a_break_comes_after_it_and_once(stand: Stand) -> None:
    heard: list[Happening] = []
    with closing(_listen(stand, heard)) as collector:
        _until(collector, lambda: collector.states()["gate-1"].is_ready and stand.reader.is_reading)
        stand.see(100)
        _until(collector, lambda: len(_sights(heard)) == 100)
        stand.server.cut("reader")
        stand.see(1_000)
        _until(collector, lambda: len(_sights(heard)) == 1_100)
        assert collector.states()["gate-1"].connections == 2
    assert len({sight.epc for sight in _sights(heard)}) == 1_100


def test_inputs_are_told_and_outputs_switched(stand: Stand) -> None:
    heard: list[Happening] = []
    with closing(_listen(stand, heard)) as collector:
        _until(collector, lambda: collector.states()["gate-1"].is_ready)
        stand.server.set_input("reader", 2, is_high=True)
        stand.server.set_input("reader", 2, is_high=True)
        collector.switch("gate-1", {1: True, 3: False})
        collector.switch("gate-1", {9: True})
        _until(collector, lambda: sum(isinstance(one, Noticed) for one in heard) == 2)
        _until(collector, lambda: any(isinstance(one, InputChanged) for one in heard))
    changed = [one for one in heard if isinstance(one, InputChanged)]
    assert [(one.port, one.is_high) for one in changed] == [(2, True)]
    assert abs(changed[0].at_us - time.time() * 1e6) < 3_000_000
    assert [one.event for one in heard if isinstance(one, Noticed)] == ["OutputsSwitched", "OutputsNotSwitched"]
    assert stand.switched == [(1, True), (3, False)]


def test_whoever_wants_another_reader_does_not_read_from_it(stand: Stand) -> None:
    heard: list[Happening] = []
    with closing(_listen(stand, heard, identity="00162512FFFF25D7")) as collector:
        _until(collector, lambda: "another reader" in collector.states()["gate-1"].error)
    assert not stand.reader.is_reading


def test_a_client_that_nobody_here_wrote_reads_from_it(stand: Stand) -> None:
    async def read() -> tuple[int, int, list[str], dict[int, bool]]:
        async with TheirClient("127.0.0.1", port=stand.port) as client:
            await client.set_gpo(2, True)
            epcs: list[str] = []
            async with asyncio.timeout(PATIENCE_S):
                async for tag in client.inventory():
                    epcs.append(tag.epc_hex.upper())
                    if len(epcs) == 50:
                        break
            return client.max_antennas, client.model_number, epcs, dict(stand.reader.outputs)

    async def run() -> tuple[int, int, list[str], dict[int, bool]]:
        reading = asyncio.create_task(read())
        while not reading.done():
            if stand.server.is_reading("reader") and stand.seen == 0:
                stand.see(50)
            await asyncio.sleep(0.01)
        return await reading

    antennas, _, epcs, outputs = asyncio.run(run())
    assert antennas == 4
    assert epcs == [f"{int(EPC, 16) + n:024X}" for n in range(50)]
    assert outputs[2] is True


@pytest.mark.parametrize("garbage", [b"\xff" * 64, b"\x04\x3d\x00\x00\x00\x05\x00\x00\x00\x01", bytes(10)])
def test_garbage_ends_the_connection_and_nothing_else(stand: Stand, garbage: bytes) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", stand.port), timeout=PATIENCE_S) as client:
        client.sendall(garbage)
        while client.recv(65_536):
            pass
    heard: list[Happening] = []
    with closing(_listen(stand, heard)) as collector:
        _until(collector, lambda: collector.states()["gate-1"].is_ready)
