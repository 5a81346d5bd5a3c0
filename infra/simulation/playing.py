"""Plays a simulation on a platform: each message of each reader when it is due, by HTTP or through LLRP readers of our own."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.simulation.setting_up import Placed
from services.logistics.rfid.simulator.arrivals import Batch
from services.logistics.rfid.simulator.llrp_reader import LlrpReader, Told
from services.logistics.rfid.simulator.llrp_server import LlrpServer
from services.logistics.rfid.simulator.world import Simulation

MOST_READS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_us() -> int:
    """Our clock."""
    return time.time_ns() // 1_000


def play_http(
    simulation: Simulation, placed: Placed, *, shift_us: int, tell: Callable[[int], None] = lambda us: None
) -> int:
    """Post every batch when it is due (``shift_us`` later than it says); how many reads were sent."""
    sent = 0
    for batch in simulation.batches:
        _wait_until(batch.received_us + shift_us, tell)
        speaker, clock = placed.speakers[batch.reader_id], simulation.clock_of(batch.reader_id)
        body: dict[str, Any] = {"boot": "1", "sent_at": _write(clock.tell(now_us() - shift_us) + shift_us)}
        gate_id = placed.gates[simulation.gate_of_reader()[batch.reader_id]]
        path = f"/v1/gates/{gate_id}/readers/{placed.readers[batch.reader_id]}/reads"
        for start in range(0, max(1, len(batch.sights)), MOST_READS):
            some = batch.sights[start : start + MOST_READS]
            speaker.post(path, body | {"reads": [_read(number, sight, shift_us) for number, sight in some]}, key="")
            sent += len(some)
    return sent


def _read(number: int, sight: Any, shift_us: int) -> dict[str, Any]:
    return {
        "sequence": number,
        "epc": sight.epc,
        "antenna": sight.antenna,
        "rssi_dbm": float(sight.rssi_dbm),
        "at": _write(sight.at_us + shift_us),
    }


def _write(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds")


def _wait_until(at_us: int, tell: Callable[[int], None]) -> None:
    """Nothing but time can be waited for here: a simulated truck comes when it comes."""
    while (left_us := at_us - now_us()) > 0:
        tell(now_us())
        time.sleep(min(left_us / 1e6, 0.5))


def open_readers(
    simulation: Simulation, switched: Callable[[str, int, bool], None], *, shift_us: Callable[[], int]
) -> tuple[LlrpServer, dict[str, int]]:
    """An LLRP reader for each of the simulation, listening; their ports."""

    def tell(reader_id: str, at_us: int) -> int:
        return simulation.clock_of(reader_id).tell(at_us - shift_us()) + shift_us()

    server, ports = LlrpServer(at=tell), {}
    for number, reader in enumerate(reader for gate in simulation.site.gates for reader in gate.readers):
        made = LlrpReader(
            f"00162512FFFF{number:04X}", len(reader.antennas), lambda port, high, id=reader.id: switched(id, port, high)
        )
        ports[reader.id] = server.add(reader.id, made)
    server.start()
    return server, ports


def play_llrp(
    simulation: Simulation, server: LlrpServer, *, shift_us: int, tell: Callable[[int], None] = lambda us: None
) -> int:
    """Let readers see every tag when it answers; how many tags were seen.

    A reader of LLRP reports at once and once: late batches and repetitions, which gateways make, do not come.
    """
    seen = 0
    for written_us, batch in _as_written(simulation):
        _wait_until(written_us + shift_us, tell)
        tags = [Told(one.epc, one.antenna, one.rssi_dbm, one.at_us + shift_us) for _, one in batch.sights]
        server.see(batch.reader_id, tags)
        seen += len(tags)
    return seen


def _as_written(simulation: Simulation) -> list[tuple[int, Batch]]:
    """Batches in the order in which they were written, with our time of that, each sight once."""
    clocks = {id: simulation.clock_of(id) for id in {batch.reader_id for batch in simulation.batches}}
    known: defaultdict[str, set[int]] = defaultdict(set)
    once: list[tuple[int, Batch]] = []
    written = sorted((clocks[batch.reader_id].when(batch.told_us), batch) for batch in simulation.batches)
    for at_us, batch in written:
        fresh = tuple((number, sight) for number, sight in batch.sights if number not in known[batch.reader_id])
        known[batch.reader_id].update(number for number, _ in fresh)
        if fresh:
            once.append((at_us, Batch(batch.received_us, batch.reader_id, batch.told_us, fresh)))
    return once
