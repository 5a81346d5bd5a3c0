"""The loop that listens to LLRP readers, against llrpkit's emulator over real sockets, up to the stream."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from llrpkit.emulator import LLRPEmulator

from services.logistics.rfid.readers import leases
from services.logistics.rfid.readers.collecting import ReaderLoop
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
from tests.services.logistics.conftest import Stand
from tests.services.logistics.reader_stand import Shaky, Stream, is_ready, make_loop, register, stand, until

__all__ = ["emulator", "holding", "reads", "stand"]


def holders(stand: Stand) -> dict[str, str]:
    """Who has a lease, by reader."""
    return dict(stand.rows("SELECT name, holder FROM reader_lease WHERE until > now()"))


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
        until(lambda: is_ready(loop), loop)
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
    until(lambda: is_ready(loop), loop)

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


@pytest.mark.parametrize("is_its_own", [True, False])
def test_a_reader_with_a_certificate_is_read_over_tls_and_no_other(
    stand: Stand, reads: Reads, tmp_path: Path, is_its_own: bool
) -> None:
    for name in ("its", "another"):
        (tmp_path / name).mkdir()
    (path, shown), (other, _) = make_certificate(tmp_path / "its"), make_certificate(tmp_path / "another")
    with reads.running(TlsEmulator(shown, reads_per_sec=200)) as emulator:
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
                    return "CERTIFICATE_VERIFY_FAILED" in (
                        stand.get(shown_error, party="warehouse").ok()["error"] or ""
                    )

                until(is_told, loop)
                assert stream.look().reads == []


def test_a_reader_outside_the_networks_that_are_allowed_is_not_called(stand: Stand, emulator: LLRPEmulator) -> None:
    register(stand, stand.make_gate(), emulator)
    loop = make_loop(stand, reader_networks="10.0.0.0/8")
    loop.step()
    assert loop._held == {}
    loop.close()
