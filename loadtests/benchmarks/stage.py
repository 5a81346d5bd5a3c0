"""The benchmark's own platform: real processes on a temporary folder and free ports, with traders, money and offers.

Everything in it comes in through the public API; the first operator alone is made as ``haihe operator create`` does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from infra.assembly import open_service
from infra.capacity import Capacity
from infra.cluster import Cluster
from infra.embedded import Platform
from infra.environment import platform_environment
from infra.folder import DataFolder
from infra.operators import make_operator
from loadtests.api import Actor, Api, HttpCarrier, session_of
from loadtests.benchmarks.plan import Plan
from loadtests.steel import SteelTrade

MONEY = 10**13
TONNES = "100000000"
GATE = {"name": "South gate", "place": "Tianjin Xingang"}
OPERATOR = "operator@bench.haihe.example"
BENCH_CONNECTIONS = 80
COUNTED = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.max": "10000",
    "track_commit_timestamp": "on",
}
Say = Callable[[str], None]


@dataclass
class Stage:
    """A running platform, the superuser's connection to its PostgreSQL, and who trades on it."""

    platform: Platform
    folder: Path
    admin: psycopg.Connection
    traders: list[SteelTrade] = field(default_factory=list)
    gate_id: str = ""

    @property
    def port(self) -> int:
        """Where its web server answers."""
        return self.platform.port

    @property
    def roots(self) -> tuple[int, ...]:
        """The processes that all others of the platform descend from."""
        return tuple(child.thing.process.pid for child in self.platform.children)

    def pid_of(self, name: str) -> int:
        """The root process of a part of the platform: ``postgres``, ``worker``, ``streams`` or ``web``."""
        return next(child.thing.process.pid for child in self.platform.children if child.name == name)

    def connect(self, database: str) -> psycopg.Connection:
        """A connection of the superuser to another database, in autocommit. The caller closes it."""
        url = self.platform.cluster.superuser_url(database).replace("postgresql+psycopg://", "postgresql://", 1)
        return psycopg.connect(url, autocommit=True)

    def trader_of(self, client: int) -> SteelTrade:
        """Whose offer a client takes."""
        return self.traders[client % len(self.traders)]


@contextlib.contextmanager
def set_stage(plan: Plan, folder: Path, port: int, capacity: Capacity, say: Say) -> Iterator[Stage]:
    """The platform with its traders, up for as long as the context lasts; durable, as ``haihe up`` runs it."""
    platform = Platform(DataFolder(folder / "platform"), port=port, say=lambda _: None, capacity=capacity)
    platform.folder.path.mkdir(mode=0o711)
    most = capacity.max_connections + BENCH_CONNECTIONS
    platform.cluster = Cluster(platform.folder.path, max_connections=most, settings=COUNTED)
    say("starting a platform")
    with platform.up(), platform.cluster.administer() as admin:
        admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        stage = Stage(platform, folder, admin)
        say(f"admitting {2 * plan.traders + 1} companies")
        stage.traders = _admit_traders(stage, plan.traders)
        stage.gate_id = stage.traders[0].warehouse.desk.post("/v1/gates", GATE)["id"]
        yield stage


@contextlib.contextmanager
def standing(*pids: int) -> Iterator[None]:
    """Processes stand still for as long as the context lasts."""
    processes = [psutil.Process(pid) for pid in pids]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def _admit_traders(stage: Stage, count: int) -> list[SteelTrade]:
    api = Api(HttpCarrier(stage.platform.url))
    operator = Actor(api, "operator", session_of(api, OPERATOR, _make_operator(stage.platform)))
    traders = [SteelTrade(api, operator, number=number) for number in range(1, count + 1)]
    warehouse = traders[0].admit("warehouse", "Bench Warehouse")
    for trade in traders:
        trade.companies["warehouse"] = warehouse
        trade.admit("mill", f"Bench Mill {trade.number}")
        trade.admit("buyer", f"Bench Buyer {trade.number}")
    for trade in traders:
        for role in ("mill", "buyer"):
            trade.top_up(role, MONEY)
            trade.until(lambda trade=trade, role=role: trade.balance(role) >= MONEY, "the money to be there")
    return traders


def _make_operator(platform: Platform) -> str:
    environ = platform_environment(platform.folder, platform.cluster, port=platform.port)
    with open_service("identity", environ) as (_, database):
        return make_operator(database, email=OPERATOR, name="Bench operator")["password"]


def list_offers(stage: Stage, count: int) -> list[dict[str, Any]]:
    """An offer by weight a client, from which a tonne can be taken at a time for as long as anyone measures."""
    return [
        stage.trader_of(client).list_weight(TONNES, minimum="1", step="1", valid_until=None) for client in range(count)
    ]
