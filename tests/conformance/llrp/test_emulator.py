"""Our client against llrpkit's emulated reader, over a real socket, with breaks."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from queue import Full

import pytest
from llrpkit.emulator import LLRPEmulator

from services.logistics.rfid.llrp.collector import MOST_WAITING, Collector
from services.logistics.rfid.llrp.link import Reader
from services.logistics.rfid.llrp.plan import Plan
from services.logistics.rfid.llrp.session import Happening, InputChanged, Noticed
from services.logistics.rfid.llrp.sights import Sight
from tests.conformance.llrp.readers import (
    HoldingReader,
    Reads,
    TlsEmulator,
    cut,
    emulator,
    holding,
    make_certificate,
    reads,
)

__all__ = ["emulator", "holding", "reads"]
PLAN = Plan(keepalive_s=0.2)
PATIENCE_S = 30.0


def _listen(reader: LLRPEmulator, take: Callable[[list[Happening]], None], plan: Plan = PLAN) -> Collector:
    return Collector([Reader(id="gate-1", host="127.0.0.1", port=reader.port, plan=plan)], take)


def _until(collector: Collector, is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, collector.states()
        collector.step(0.02)


def _sights(heard: list[Happening]) -> list[Sight]:
    return [one for one in heard if isinstance(one, Sight)]


def _noticed(heard: list[Happening], event: str) -> list[dict[str, object]]:
    return [one.values for one in heard if isinstance(one, Noticed) and one.event == event]


def test_a_reader_is_set_up_and_reads(emulator: LLRPEmulator) -> None:
    heard: list[Happening] = []
    with closing(_listen(emulator, heard.extend)) as collector:
        _until(collector, lambda: len(heard) > 200 and emulator.keepalive_acks >= 3)
        state = collector.states()["gate-1"]
    sights = _sights(heard)
    assert {sight.epc for sight in sights} <= {tag.epc.hex().upper() for tag in emulator.tags}
    assert all(sight.antenna in (1, 2, 3, 4) and -80 < (sight.rssi_dbm or 0) < -30 for sight in sights)
    assert all(0 <= sight.received_us - sight.last_us < 1_000_000 and not sight.is_skewed for sight in sights)
    assert (state.is_ready, state.connections, state.error, state.malformed) == (True, 1, "", 0)
    assert state.version == 1, "the emulator speaks LLRP 1.0.1 and refuses the question for a version"


def test_a_reader_that_forgets_at_a_break_is_set_up_again(emulator: LLRPEmulator, reads: Reads) -> None:
    heard: list[Happening] = []
    with closing(_listen(emulator, heard.extend)) as collector:
        for connections in (1, 2, 3):
            before = len(heard)
            _until(collector, lambda least=before + 50: len(heard) > least)  # type: ignore[misc]
            assert collector.states()["gate-1"].connections == connections
            reads.run(cut(emulator))
            _until(collector, lambda least=connections: len(_noticed(heard, "ReaderLost")) == least)  # type: ignore[misc]
    keys = [sight.key for sight in _sights(heard)]
    assert len(keys) == len(set(keys))


def test_no_read_that_a_reader_holds_is_lost_and_none_comes_twice(holding: HoldingReader, reads: Reads) -> None:
    heard: list[Happening] = []
    with closing(_listen(holding, heard.extend)) as collector:
        for breaks in range(4):
            before = len(_sights(heard))
            _until(collector, lambda least=before + 100: len(_sights(heard)) > least)  # type: ignore[misc]
            reads.run(cut(holding))
            unsent = len(holding.read) + 50
            _until(collector, lambda least=unsent: len(holding.read) > least)  # type: ignore[misc]
            _until(collector, lambda least=breaks + 2: collector.states()["gate-1"].connections == least)  # type: ignore[misc]
        _until(collector, lambda: collector.states()["gate-1"].is_ready)
        reads.run(holding.stop_reading())
        reads.run(holding._flush())
        _until(collector, lambda: len(_sights(heard)) >= len(holding.read))
        state = collector.states()["gate-1"]
    read = [(sight.epc, sight.told_first) for sight in _sights(heard)]
    assert sorted(read) == sorted(holding.read)
    assert state.repeated > 0, "the reader sent its last reports again, and they were known"
    assert len(holding._rospecs) == 1, "the operation that ran on was left alone"


def test_what_cannot_be_taken_is_given_again_before_more_is_read(holding: HoldingReader, reads: Reads) -> None:
    heard: list[Happening] = []
    refusals = iter([False] * 3 + [True] * 20 + [False] * 1_000_000)

    def take(happenings: list[Happening]) -> None:
        if next(refusals):
            raise ConnectionError("the broker is away")
        heard.extend(happenings)

    with closing(_listen(holding, take)) as collector:
        refused = 0
        while len(heard) < 300:
            try:
                collector.step(0.02)
            except ConnectionError:
                refused += 1
        reads.run(holding.stop_reading())
        reads.run(holding._flush())
        _until(collector, lambda: len(_sights(heard)) >= len(holding.read))
    assert refused == 20
    assert sorted((sight.epc, sight.told_first) for sight in _sights(heard)) == sorted(holding.read)


def test_lamp_and_barrier_are_switched_and_a_port_that_is_not_there_is_told(emulator: LLRPEmulator) -> None:
    heard: list[Happening] = []
    with closing(_listen(emulator, heard.extend)) as collector:
        collector.switch("gate-1", {1: True})
        collector.switch("nobody", {1: True})
        _until(collector, lambda: len(_noticed(heard, "OutputsNotSwitched")) == 2)
        assert emulator._gpo_states[1] is False, "a reader that is not ready gets nothing later"
        _until(collector, lambda: collector.states()["gate-1"].is_ready)
        collector.switch("gate-1", {1: True, 3: True})
        collector.switch("gate-1", {1: False})
        collector.switch("gate-1", {9: True})
        _until(collector, lambda: len(_noticed(heard, "OutputsNotSwitched")) == 3)
        assert emulator._gpo_states == {1: False, 2: False, 3: True, 4: False}
        assert _noticed(heard, "OutputsSwitched") == [{"outputs": {1: True, 3: True}}, {"outputs": {1: False}}]
        assert collector.states()["gate-1"].connections == 1


def test_more_switching_than_can_be_worked_off_is_refused(emulator: LLRPEmulator) -> None:
    with closing(_listen(emulator, lambda heard: None)) as collector:
        for _ in range(MOST_WAITING):
            collector.switch("gate-1", {1: True})
        with pytest.raises(Full):
            collector.switch("gate-1", {1: True})


def test_inputs_and_antennas_are_told(emulator: LLRPEmulator, reads: Reads) -> None:
    heard: list[Happening] = []
    with closing(_listen(emulator, heard.extend)) as collector:
        _until(collector, lambda: collector.states()["gate-1"].is_ready)
        reads.run(emulator.set_gpi(2, True))
        reads.run(emulator.set_antenna_connected(3, False))
        reads.run(emulator.set_gpi(2, False))
        _until(collector, lambda: sum(isinstance(one, InputChanged) for one in heard) == 2)
    changed = [one for one in heard if isinstance(one, InputChanged)]
    assert [(one.reader_id, one.port, one.is_high) for one in changed] == [("gate-1", 2, True), ("gate-1", 2, False)]
    assert all(abs(one.at_us - time.time() * 1e6) < 10e6 for one in changed)
    assert _noticed(heard, "AntennaEvent") == [{"Event": 0, "AntennaID": 3}]


def test_a_second_client_is_refused_and_waits(emulator: LLRPEmulator) -> None:
    with (
        closing(_listen(emulator, lambda heard: None)) as first,
        closing(_listen(emulator, lambda heard: None)) as second,
    ):
        _until(first, lambda: first.states()["gate-1"].is_ready)
        _until(second, lambda: "refuses the connection" in second.states()["gate-1"].error)
        first.close()
        first.set_readers([])
        _until(second, lambda: second.states()["gate-1"].is_ready)


def test_a_reader_of_another_identity_is_refused(emulator: LLRPEmulator) -> None:
    """The emulator tells none: whoever wants a reader that proves which one it is does not read from it."""
    heard: list[Happening] = []
    plan = Plan(keepalive_s=0.2, identity="00162512FFFF25D6")
    with closing(_listen(emulator, heard.extend, plan)) as collector:
        _until(collector, lambda: "another reader" in collector.states()["gate-1"].error)
    assert _sights(heard) == []


def test_a_bug_that_one_reader_meets_ends_its_connection_and_no_other(
    emulator: LLRPEmulator, holding: HoldingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Happening] = []
    one, two = (
        Reader(id=str(reader.port), host="127.0.0.1", port=reader.port, plan=PLAN) for reader in (emulator, holding)
    )
    with closing(Collector([one, two], heard.extend)) as collector:
        _until(collector, lambda: all(state.is_ready for state in collector.states().values()))
        monkeypatch.setattr(collector._links[one.id].session, "receive", lambda data, now_us: data[-1] // 0)
        _until(collector, lambda: collector.states()[one.id].connections == 2)
        assert collector.states()[two.id].connections == 1
    assert len(_noticed(heard, "ReaderLost")) == 1


def test_readers_come_and_go_while_others_read(emulator: LLRPEmulator, holding: HoldingReader) -> None:
    heard: list[Happening] = []
    one = Reader(id="one", host="127.0.0.1", port=emulator.port, plan=PLAN)
    two = Reader(id="two", host="127.0.0.1", port=holding.port, plan=PLAN)
    nowhere = Reader(id="nowhere", host="127.0.0.1", port=1, plan=PLAN)
    with closing(Collector([one, nowhere], heard.extend)) as collector:
        _until(collector, lambda: collector.states()["one"].is_ready)
        collector.set_readers([one, two, nowhere])
        _until(collector, lambda: {sight.reader_id for sight in _sights(heard)} == {"one", "two"})
        assert collector.states()["one"].connections == 1
        assert collector.states()["nowhere"].connections == 0
        collector.set_readers([two])
        assert collector.states().keys() == {"two"}


@pytest.mark.parametrize("is_trusted", [True, False])
def test_over_tls_only_a_reader_with_its_certificate_is_read(reads: Reads, tmp_path: Path, is_trusted: bool) -> None:
    path, shown = make_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=path if is_trusted else None)
    heard: list[Happening] = []
    with reads.running(TlsEmulator(shown, reads_per_sec=500)) as emulator:
        reader = Reader(id="gate-1", host="127.0.0.1", port=emulator.port, plan=PLAN)
        with closing(Collector([reader], heard.extend, tls=lambda reader: trust)) as collector:
            if is_trusted:
                _until(collector, lambda: len(_sights(heard)) > 100)
            else:
                _until(collector, lambda: "CERTIFICATE_VERIFY_FAILED" in collector.states()["gate-1"].error)
                assert _sights(heard) == []
