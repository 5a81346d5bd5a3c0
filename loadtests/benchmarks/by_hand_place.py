"""Where the hand-written reference works: databases of its own in the platform's PostgreSQL, with the same tables and
with copies of the rows that a deal starts from, so that neither side sees the other's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import msgspec
import psycopg
from psycopg import sql

from chassis import migrate, settings
from chassis.access import read_first_key
from infra.capacity import Capacity
from infra.databases import libpq
from infra.environment import platform_environment
from loadtests.benchmarks.by_hand import Told
from loadtests.benchmarks.serving import Server, serve
from loadtests.benchmarks.stage import Stage

COPIED = {"orders": ("market", "party", "offer"), "settlement": ("account",), "logistics": ("gate",)}


@contextlib.contextmanager
def serve_by_hand(stage: Stage, capacity: Capacity) -> Iterator[Server]:
    """The reference, served as the platform is, beside it."""
    addresses = {name: _make_database(stage, name, tables) for name, tables in COPIED.items()}
    environ = platform_environment(stage.platform.folder, stage.platform.cluster, port=stage.port)
    key = read_first_key(settings.read("orders", environ))
    told = Told(**addresses, pool_size=capacity.pool_size, public_key=key.hex())
    place = stage.folder / "by_hand.json"
    place.touch(mode=0o600)
    place.write_bytes(msgspec.json.encode(told))
    with serve(f"loadtests.benchmarks.by_hand:make_app({str(place)!r})", stage.folder, capacity) as server:
        yield server


def _make_database(stage: Stage, service: str, tables: tuple[str, ...]) -> str:
    address = stage.platform.cluster.create_database(f"by_hand_{service}", service=service)
    migrate.upgrade(service, address.owner)
    with stage.connect(service) as theirs, stage.connect(f"by_hand_{service}") as ours:
        for table in tables:
            _copy(theirs, ours, table)
    return libpq(address.app)


def _copy(source: psycopg.Connection, target: psycopg.Connection, table: str) -> None:
    name = sql.Identifier(table)
    with (
        source.cursor().copy(sql.SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(name)) as rows,
        target.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(name)) as copy,
    ):
        for part in rows:
            copy.write(part)
