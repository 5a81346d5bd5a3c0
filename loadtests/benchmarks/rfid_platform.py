"""The ground of the RFID benchmark: logistics' own worker, its database, and the stream, fed as collectors feed it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from chassis import migrate
from chassis.auth import Caller
from chassis.brokers import Broker, Message
from chassis.brokers.opening import open_broker
from chassis.consumer import Streams
from chassis.database import Database
from chassis.messages import wrap
from events.logistics import ReaderHeard, TagRead, TagsRead
from infra.assembly import load_service
from infra.children import Process, read_end
from infra.cluster import Cluster
from infra.databases import libpq
from infra.failures import Failure
from loadtests.benchmarks.rfid_traffic import GateReads
from services.logistics.warehouses import commands as warehouses
from services.logistics.warehouses.rules import Antenna, GateRules, Side

WAREHOUSE = Caller("user_bench", "party_bench", frozenset({"warehouse"}))
ROOT = Path(__file__).resolve().parents[2]
LOOK_EVERY_S = 0.1
STANDS_STILL_S = 90.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROGRESS = (
    "SELECT (SELECT count(*) FROM passage WHERE state = 'open'), (SELECT count(*) FROM passage), "
    "(SELECT count(*) FROM outbox)"
)


class NotWorkedOff(Failure):
    """What was sent was not worked off."""


@dataclass
class RfidStand:
    """A logistics worker with its database and its broker."""

    database: Database
    broker: Broker
    admin: psycopg.Connection
    worker: Process
    gate_ids: dict[int, str]

    def add_gates(self, gates: Sequence[GateReads]) -> None:
        """Register gates that are not there yet."""

        def register(session: Any) -> dict[int, str]:
            return {
                one.number: warehouses.register_gate(
                    session, WAREHOUSE, name=f"Gate {one.number}", place="Bench", rules=rules_of(one)
                ).id
                for one in gates
                if one.number not in self.gate_ids
            }

        self.gate_ids |= self.database.run(register)

    def send(self, gate: GateReads, places: Sequence[int], *, start_us: int) -> list[Message]:
        """What a collector publishes of some reads of a gate, and that its reader lives."""
        now, gate_id = datetime.now(UTC), self.gate_ids[gate.number]
        reads = [
            TagRead(
                sequence=gate.sequence[at],
                epc=gate.epcs[gate.tag[at]],
                antenna=gate.antenna[at],
                rssi_dbm=float(gate.rssi_dbm[at]),
                at=time_of(start_us + gate.at[at]),
            )
            for at in places
        ]
        boot = f"{gate.reader_id}/bench"
        told = TagsRead(gate_id=gate_id, boot=boot, received_at=now, reader_id=gate.reader_id, reads=reads)
        return [wrap(told, "logistics")]

    def live(self, gates: Sequence[GateReads]) -> list[Message]:
        """That the readers live and have sent what they had."""
        now = datetime.now(UTC)
        return [
            wrap(
                ReaderHeard(gate_id=self.gate_ids[one.number], reader_id=one.reader_id, at=now, seen_until=now),
                "logistics",
            )
            for one in gates
        ]

    def until_settled(self) -> float:
        """Wait until every read is taken in and every gate settled; the seconds that it took. Raises NotWorkedOff."""
        began, moved, before = time.monotonic(), time.monotonic(), None
        streams = Streams(load_service("logistics"))
        while True:
            progress = (
                self.broker.lag(streams.group, sorted(streams.topics)),
                *self.admin.execute(_PROGRESS).fetchone(),
            )
            if progress[0] == 0 and progress[1] == 0 and progress[3] == 0:
                return time.monotonic() - began
            if progress != before:
                before, moved = progress, time.monotonic()
            if time.monotonic() - moved > STANDS_STILL_S or not self.worker.is_running():
                raise NotWorkedOff(f"it stands still at {progress}:\n{read_end(self.worker.log)}")
            time.sleep(LOOK_EVERY_S)


def rules_of(gate: GateReads) -> GateRules:
    """The rules of a gate: its antennas by side, all else as gates come with it."""
    antennas = [Antenna(reader_id=gate.reader_id, antenna=n, side=Side(side)) for n, side in gate.sides.items()]
    return GateRules(antennas=tuple(antennas), ghost_rssi_dbm=-60)


def time_of(at_us: int) -> datetime:
    """A time from microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at_us)


@contextlib.contextmanager
def set_rfid_stand(cluster: Cluster, folder: Path, broker_url: str | None = None) -> Iterator[RfidStand]:
    """The worker, up for as long as the context lasts, on a broker of its own or the one that is named."""
    address = cluster.create_database("rfid", service="logistics")
    migrate.upgrade("logistics", address.owner)
    url = broker_url or libpq(cluster.create_database("rfid_log").owner)
    broker = open_broker(url)
    service = load_service("logistics")
    broker.ensure_topics([*service.topics, *service.streams])
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HAIHE_LOGISTICS_DATABASE": address.app,
        "HAIHE_LOGISTICS_DATABASE_OWNER": address.owner,
        "HAIHE_BROKER": url,
        "HAIHE_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "infra.cli", "worker", "logistics"]
    worker = Process(command, environ=environ, log=folder / "rfid-worker.log")
    admin = psycopg.connect(libpq(cluster.superuser_url("rfid")), autocommit=True)
    database = Database(address.app, pool_size=4)
    worker.start()
    try:
        yield RfidStand(database, broker, admin, worker, {})
    finally:
        worker.stop()
        for one in (database, broker, admin):
            one.close()
