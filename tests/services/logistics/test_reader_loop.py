"""The loop that listens to LLRP readers, against llrpkit's emulator over real sockets, up to the stream and the lamp."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from llrpkit.emulator import LLRPEmulator

from chassis import clock
from chassis.brokers import BrokerDown, Message
from chassis.database import Database
from chassis.settings import Settings
from chassis.values import read_wire
from chassis.worker import Context
from events.logistics import GateJudged, ReaderHeard, TagsRead
from services.logistics import SERVICE
from services.logistics.rfid.llrp import session as llrp
from services.logistics.rfid.readers import leases
from services.logistics.rfid.readers.collecting import ReaderLoop
from tests.conformance.llrp.readers import HoldingReader, Reads, cut
from tests.conformance.llrp.test_emulator import TlsEmulator, _certificate
from tests.services.logistics.conftest import BEGINNING, Stand, open_stand

PATIENCE_S = 30.0
LAMP = {"release": [1], "stop": [2], "check": [3], "lasts_s": 60}
RELEASE, STOP, CHECK = ({1: one == 1, 2: one == 2, 3: one == 3, 4: False} for one in (1, 2, 3))


class Shaky:
    """The broker, and how it is lost and found again."""

    def __init__(self, broker: Any) -> None:
        self.broker, self.is_down = broker, False

    def publish(self, messages: list[Message]) -> None:
        if self.is_down:
            raise BrokerDown("lost")
        self.broker.publish(messages)


@pytest.fixture
def stand(databases: tuple[Database, Database]) -> Stand:
    """The service by the machine's clock, for readers have their own."""
    return open_stand(databases, clock.FrozenClock(BEGINNING))


@pytest.fixture
def reads() -> Iterator[Reads]:
    with closing(Reads()) as reads:
        yield reads


@pytest.fixture
def emulator(reads: Reads) -> Iterator[LLRPEmulator]:
    reader = LLRPEmulator(reads_per_sec=200)
    reads.run(reader.start())
    yield reader
    reads.run(reader.stop())


@pytest.fixture
def holding(reads: Reads) -> Iterator[HoldingReader]:
    reader = HoldingReader()
    reads.run(reader.start())
    yield reader
    reads.run(reader.stop_reading())
    reads.run(reader.stop())


def make_loop(stand: Stand, member: str = "one", broker: Any = None) -> ReaderLoop:
    """The loop of one worker."""
    settings = Settings(service="logistics")
    return ReaderLoop(Context(SERVICE, stand.database, broker or stand.broker, settings, member))


def register(stand: Stand, gate: dict[str, Any], emulator: LLRPEmulator, **changed: Any) -> dict[str, Any]:
    """Register an emulated reader."""
    body = {"name": f"at {emulator.port}", "kind": "llrp", "host": "127.0.0.1", "port": emulator.port, **changed}
    return stand.send("POST", f"/v1/gates/{gate['id']}/readers", body).ok()


def until(is_so: Callable[[], Any], *loops: ReaderLoop) -> None:
    """Let loops work until something is so; what they raise they are asked again."""
    end, failures = time.monotonic() + PATIENCE_S, []
    while not is_so():
        assert time.monotonic() < end, failures[-3:]
        for loop in loops:
            try:
                loop.step()
            except BrokerDown as error:
                failures.append(error)


class Stream:
    """What is in the stream, read on and on."""

    def __init__(self, stand: Stand) -> None:
        self._subscription = stand.broker.subscribe("looking-in", [TagsRead.topic], "test")
        self.reads: list[tuple[str, str, int, str, Any]] = []
        self.edges: list[tuple[int, bool]] = []
        self.heard: list[ReaderHeard] = []

    def look(self) -> Stream:
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
        return {read[:3] for read in self.reads}


def holders(stand: Stand) -> dict[str, str]:
    """Who has a lease, by reader."""
    return dict(stand.rows("SELECT name, holder FROM reader_lease WHERE until > now()"))


def judge(stand: Stand, gate: dict[str, Any], verdict: str) -> None:
    """The gate says something of a passage that was just now."""
    word = {"gate_id": gate["id"], "warehouse_id": "warehouse", "passage_id": clock.new_id("passage")}
    stand.hear(GateJudged(**word, at=clock.now(), verdict=verdict))


def test_what_a_reader_reads_comes_into_the_stream_with_a_sign_of_life(
    stand: Stand, emulator: LLRPEmulator, reads: Reads
) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate, emulator)
    stream = Stream(stand)
    with closing(make_loop(stand)) as loop:
        until(lambda: len(stream.look().reads) > 50 and stream.heard, loop)
        reads.run(emulator.set_gpi(2, True))
        reads.run(emulator.set_gpi(2, False))
        until(lambda: len(stream.look().edges) == 2, loop)
        loop._share_at = 0.0
        loop.step()
        path = f"/v1/gates/{gate['id']}/readers/{reader['id']}/test"
        checks = {one["name"]: one["is_well"] for one in stand.get(path, party="warehouse").ok()["checks"]}
    assert {epc for _, _, _, epc, _ in stream.reads} <= {tag.epc.hex().upper() for tag in emulator.tags}
    assert stream.edges == [(2, True), (2, False)]
    assert all(one.seen_until <= one.at and one.reader_id == reader["id"] for one in stream.heard)
    assert (checks["listener"], checks["link"]) == (True, True)
    assert holders(stand) == {}, "a worker that stops leaves its readers to others"


def test_nothing_is_lost_and_nothing_counts_twice_over_breaks_on_both_sides(
    stand: Stand, holding: HoldingReader, reads: Reads
) -> None:
    gate = stand.make_gate()
    register(stand, gate, holding)
    stream, broker = Stream(stand), Shaky(stand.broker)
    with closing(make_loop(stand, broker=broker)) as loop:
        for _ in range(3):
            before = len(stream.look().named)
            until(lambda least=before + 50: len(stream.look().named) > least, loop)
            reads.run(cut(holding))
            unsent = len(holding.read) + 30
            until(lambda least=unsent: len(holding.read) > least, loop)
            broker.is_down = True
            unheard = len(holding.read) + 100
            until(lambda least=unheard: len(holding.read) > least, loop)
            broker.is_down = False
        reads.run(holding.stop_reading())
        until(lambda: loop._collector.states()[next(iter(loop._held))].is_ready, loop)
        reads.run(holding._flush())
        until(lambda: len(stream.look().named) >= len(holding.read), loop)
    by_name = {read[:3]: read[3:] for read in stream.reads}
    told = sorted((epc, round(at.timestamp() * 1e6)) for epc, at in by_name.values())
    assert told == sorted(holding.read)


def test_each_read_is_kept_once_and_the_reader_is_heard(stand: Stand, holding: HoldingReader, reads: Reads) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate, holding)
    with closing(make_loop(stand)) as loop:
        for _ in range(2):
            before = len(holding.read)
            until(lambda least=before + 50: len(holding.read) > least, loop)
            reads.run(cut(holding))
        until(lambda: any(state.is_ready for state in loop._collector.states().values()), loop)
        reads.run(holding.stop_reading())
        reads.run(holding._flush())

        def is_kept() -> bool:
            stand.work_off()
            return stand.rows("SELECT count(*) FROM tag_read") == [(len(holding.read),)]

        until(is_kept, loop)
    kept = stand.rows("SELECT epc, reader_at, reader_id FROM tag_read")
    assert sorted((epc, round(at.timestamp() * 1e6)) for epc, at, _ in kept) == sorted(holding.read)
    assert {reader_id for _, _, reader_id in kept} == {reader["id"]}
    shown = stand.get(f"/v1/gates/{gate['id']}/readers/{reader['id']}", party="warehouse").ok()
    assert (shown["connection"], shown["boot"]) == ("connected", "llrp")
    assert abs(shown["clock_offset_ms"]) < 10_000, "the emulator has the clock of this machine"


def test_readers_are_shared_out_and_taken_over_from_a_dead_worker(
    stand: Stand, emulator: LLRPEmulator, holding: HoldingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = stand.make_gate()
    ids = {register(stand, gate, one)["id"] for one in (emulator, holding)}
    first, second, stream = make_loop(stand, "first"), make_loop(stand, "second"), Stream(stand)
    until(lambda: holders(stand) == dict.fromkeys(ids, "first"), first)
    stand.owner.run(
        lambda session: session.execute(
            leases.text(
                "INSERT INTO heartbeat (member, loop, at) VALUES ('first', 'readers', now()), ('second', 'readers', now())"
            )
        )
    )

    def share_now(loop: ReaderLoop) -> None:
        loop._share_at = 0.0

    def are_shared() -> bool:
        share_now(first), share_now(second)
        return sorted(holders(stand).values()) == ["first", "second"]

    until(are_shared, first, second)
    before = len(stream.look().named)
    until(lambda: len(stream.look().named) > before + 20, first, second)
    first._collector.close()  # it dies: its sockets close, nobody renews its leases
    stand.owner.run(
        lambda session: session.execute(
            leases.text(
                "UPDATE reader_lease SET until = now() - interval '1 second' WHERE holder = 'first'; "
                "DELETE FROM heartbeat WHERE member = 'first'"
            )
        )
    )

    def is_taken_over() -> bool:
        share_now(second)
        return holders(stand) == dict.fromkeys(ids, "second")

    with closing(second):
        until(is_taken_over, second)
        boots = {boot for _, boot, _ in stream.look().named}
        stream.reads.clear()
        until(lambda: {boot for _, boot, _ in stream.look().named} == boots and len(boots) == 2, second)


def test_a_worker_that_cannot_renew_its_lease_lets_go_before_another_takes_over(
    stand: Stand, emulator: LLRPEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(stand, stand.make_gate(), emulator)
    loop = make_loop(stand)
    until(lambda: any(state.is_ready for state in loop._collector.states().values()), loop)

    def fail(*_: Any) -> None:
        raise ConnectionError("no database")

    monkeypatch.setattr(loop.context.database, "run", fail)
    loop._share_at = 0.0
    with pytest.raises(ConnectionError):
        loop.step()
    assert loop._held, "for a while it goes on"
    loop._lapses_at = 0.0
    with pytest.raises(ConnectionError):
        loop.step()
    assert loop._held == {} and loop._collector.states() == {}
    monkeypatch.undo()
    loop.close()


def test_the_lamp_shows_the_word_of_the_gate_and_falls_back_to_check(
    stand: Stand, emulator: LLRPEmulator, reads: Reads
) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate, emulator, lamp=LAMP | {"lasts_s": 2})
    broker = Shaky(stand.broker)
    shows = lambda states: lambda: emulator._gpo_states == states  # noqa: E731
    with closing(make_loop(stand, broker=broker)) as loop:
        until(shows(CHECK), loop)
        judge(stand, gate, "stop")
        until(shows(STOP), loop)
        judge(stand, gate, "release")
        until(shows(RELEASE), loop)
        until(shows(CHECK), loop)
        judge(stand, gate, "release")
        until(shows(RELEASE), loop)
        reads.run(cut(emulator))
        emulator._gpo_states.update(RELEASE)
        until(shows(CHECK), loop)
        stand.send("PUT", f"/v1/gates/{gate['id']}/readers/{reader['id']}", {**setting(reader), "lamp": LAMP}).ok()
        loop._share_at = 0.0
        judge(stand, gate, "release")
        until(shows(RELEASE), loop)
        broker.is_down = True
        until(shows(CHECK), loop)
        broker.is_down = False
        until(shows(RELEASE), loop)
    assert emulator._gpo_states == CHECK, "a worker that stops leaves no gate open"


def setting(reader: dict[str, Any]) -> dict[str, Any]:
    """What a person says about a reader, out of its view."""
    return {name: reader[name] for name in ("name", "host", "port", "antennas", "lamp")}


def test_a_lamp_falls_back_when_the_database_is_lost(
    stand: Stand, emulator: LLRPEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = stand.make_gate()
    register(stand, gate, emulator, lamp=LAMP)
    with closing(make_loop(stand)) as loop:
        judge(stand, gate, "release")
        until(lambda: emulator._gpo_states == RELEASE, loop)

        def fail(*_: Any) -> None:
            raise ConnectionError("no database")

        with monkeypatch.context() as patched:
            patched.setattr(loop.context.database, "look", fail)
            until(lambda: emulator._gpo_states == CHECK, loop)
        until(lambda: emulator._gpo_states == RELEASE, loop)


def test_a_retired_reader_is_left_at_check_and_its_operation_of_another_program_is_left_alone(
    stand: Stand, holding: HoldingReader, reads: Reads
) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate, holding, lamp=LAMP)
    with closing(make_loop(stand)) as loop:
        judge(stand, gate, "release")
        until(lambda: holding._gpo_states == RELEASE, loop)
        (ours,) = holding._rospecs
        stand.send("POST", f"/v1/gates/{gate['id']}/readers/{reader['id']}/retire").ok()
        loop._share_at = 0.0
        until(lambda: loop._held == {}, loop)
        assert holding._gpo_states == CHECK
    spec, _ = holding._rospecs[ours]
    holding._rospecs[7] = (dataclasses.replace(spec, ro_spec_id=7), "Disabled")
    register(stand, gate, holding, antennas=[{"number": 1, "label": "in", "power_dbm": None}])
    with closing(make_loop(stand, "two")) as loop:
        until(lambda: any(state.is_ready for state in loop._collector.states().values()), loop)
    assert 7 in holding._rospecs and len(holding._rospecs) == 2, "ours is replaced by that of the new setting"
    assert llrp.is_ours(max(holding._rospecs)) and ours not in holding._rospecs


@pytest.mark.parametrize("is_its_own", [True, False])
def test_a_reader_with_a_certificate_is_read_over_tls_and_no_other(
    stand: Stand, reads: Reads, tmp_path: Path, is_its_own: bool
) -> None:
    for name in ("its", "another"):
        (tmp_path / name).mkdir()
    (path, shown), (other, _) = _certificate(tmp_path / "its"), _certificate(tmp_path / "another")
    emulator = TlsEmulator(reads_per_sec=200)
    emulator.shown = shown
    reads.run(emulator.start())
    certificate = x509.load_pem_x509_certificate((path if is_its_own else other).read_bytes())
    gate = stand.make_gate()
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    reader = register(stand, gate, emulator, certificate=pem)
    stream = Stream(stand)
    with closing(make_loop(stand)) as loop:
        if is_its_own:
            until(lambda: len(stream.look().reads) > 20, loop)
        else:
            shown_error = f"/v1/gates/{gate['id']}/readers/{reader['id']}"

            def is_told() -> bool:
                loop._share_at = 0.0
                return "CERTIFICATE_VERIFY_FAILED" in (stand.get(shown_error, party="warehouse").ok()["error"] or "")

            until(is_told, loop)
            assert stream.look().reads == []
    reads.run(emulator.stop())


def test_a_reader_outside_the_networks_that_are_allowed_is_not_called(stand: Stand, emulator: LLRPEmulator) -> None:
    register(stand, stand.make_gate(), emulator)
    settings = Settings(service="logistics", reader_networks="10.0.0.0/8")
    loop = ReaderLoop(Context(SERVICE, stand.database, stand.broker, settings, "one"))
    loop.step()
    assert loop._held == {}
    loop.close()
