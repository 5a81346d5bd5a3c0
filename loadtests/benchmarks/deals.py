"""Part deals: takes under load until every deal is effective, against the same deals made by hand in one request."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from infra.failures import Failure
from loadtests.benchmarks.client import Drive, Load, drive, write_request
from loadtests.benchmarks.figures import Figure, Goal, compare, interleave, measure_alone, percentile_of
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.serving import Server
from loadtests.benchmarks.stage import Stage, standing
from loadtests.benchmarks.usage import count_statements, cpu_seconds, read_statements, start_statements, wal_position

LOOK_EVERY_S = 0.02
TONNE = {"value": "1", "unit": "TNE"}
_IS_PENDING = "SELECT EXISTS (SELECT FROM deal WHERE id > %s AND state = 'deposits_pending')"
_BECAME = """
SELECT extract(epoch FROM struck_at)::float8, extract(epoch FROM drawn_at)::float8
FROM deal JOIN agreement USING (id) WHERE deal.id > %s AND deal.state = 'effective'"""
_IS_OWED = "SELECT EXISTS (SELECT FROM outbox)"
_LAG = """
SELECT coalesce(sum(p.next_offset - o.committed), 0) FROM broker_position AS o
JOIN broker_partition AS p USING (topic_id, partition)"""
_keys = itertools.count(1)


class TradeFailed(Failure):
    """Not every deal became effective."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What a deal came to in one round. Processor time of the servers and of the client apart."""

    deals_a_second: float
    p95_ms: float
    cpu_ms: float
    client_ms: float
    statements: float = 0.0
    wal_kb: float = 0.0
    effective_p95_ms: float = 0.0


class Market:
    """Offers and buyers: what each client asks for, on the platform and by hand."""

    def __init__(self, plan: Plan, stage: Stage, reference: Server, offers: Sequence[dict[str, Any]]) -> None:
        self.plan, self.stage, self.reference, self.offers = plan, stage, reference, offers
        self.orders, self.settlement, self.broker = map(stage.connect, ("orders", "settlement", "broker"))
        self.tokens: list[str] = []

    def sign_in(self) -> None:
        """Every buyer gets a fresh token: they live for ten minutes."""
        self.tokens = [trade.buyer.desk.sign_in() for trade in self.stage.traders]

    def load(self, clients: int, port: int, verb: str) -> Load:
        """Each client takes a tonne at a time of an offer of its own."""
        requests = []
        for client, offer in enumerate(self.offers[:clients]):
            token, body = self.tokens[client % len(self.tokens)], {"version": offer["version"], "quantity": TONNE}
            path = f"/v1/offers/{offer['id']}/{verb}"
            requests.append(write_request("POST", path, key=True, token=token, body=body))
        return Load(port, clients, self.plan.deal_seconds, requests, keys=f"deal-{next(_keys)}")

    def take(self, clients: int) -> Round:
        """Haihe's side: from the first take until every deal is effective; its processor time until all is heard."""
        stage = self.stage
        last = self.orders.execute("SELECT coalesce(max(id), '') FROM deal").fetchone()[0]
        start_statements(stage.admin)
        used, wal = cpu_seconds(stage.roots), wal_position(stage.admin)
        done = drive(self.load(clients, stage.port, "takes"))
        self._await(lambda: not self.orders.execute(_IS_PENDING, (last,)).fetchone()[0], "deals to be effective")
        statements = count_statements(read_statements(stage.admin))
        self._await(self._is_quiet, "everything to be heard")
        used, wal = cpu_seconds(stage.roots) - used, wal_position(stage.admin) - wal
        became = self.orders.execute(_BECAME, (last,)).fetchall()
        if len(became) != done.count:
            raise TradeFailed(f"{done.count} takes were answered, {len(became)} deals are effective")
        struck, effective = zip(*became, strict=True)
        return Round(
            deals_a_second=len(became) / (max(effective) - min(struck)),
            p95_ms=done.latency_ms(95),
            cpu_ms=used / done.count * 1000,
            client_ms=done.cpu_s / done.count * 1000,
            statements=statements / done.count,
            wal_kb=wal / done.count / 1024,
            effective_p95_ms=percentile_of([end - begin for begin, end in became], 95) * 1000,
        )

    def make_by_hand(self, clients: int, verb: str) -> Round:
        """The reference's side; Haihe's worker stands still meanwhile, for it would take processor time from it."""
        postgres, worker, _ = self.stage.roots
        roots = (self.reference.pid, postgres)
        load = self.load(clients, self.reference.port, verb)
        with standing(worker):
            start_statements(self.stage.admin)
            used, wal = cpu_seconds(roots), wal_position(self.stage.admin)
            done: Drive = drive(load)
            used, wal = cpu_seconds(roots) - used, wal_position(self.stage.admin) - wal
            statements = count_statements(read_statements(self.stage.admin))
        return Round(
            deals_a_second=done.rate,
            p95_ms=done.latency_ms(95),
            cpu_ms=used / done.count * 1000,
            client_ms=done.cpu_s / done.count * 1000,
            statements=statements / done.count,
            wal_kb=wal / done.count / 1024,
        )

    def _await(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self.plan.timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                raise TradeFailed(f"waited {self.plan.timeout_s:g} s for {what}")
            time.sleep(LOOK_EVERY_S)

    def _is_quiet(self) -> bool:
        owed = [one.execute(_IS_OWED).fetchone()[0] for one in (self.orders, self.settlement)]
        return not any(owed) and not self.broker.execute(_LAG).fetchone()[0]

    def close(self) -> None:
        """Closes its connections."""
        for connection in (self.orders, self.settlement, self.broker):
            connection.close()


def measure_idleness(plan: Plan, stage: Stage) -> list[Figure]:
    """What the platform uses while nobody asks for anything: processor time and statements a second."""
    used, ran = [], []
    for _ in range(plan.deal_rounds):
        start_statements(stage.admin)
        before, began = cpu_seconds(stage.roots), time.monotonic()
        time.sleep(plan.seconds)
        seconds = time.monotonic() - began
        used.append((cpu_seconds(stage.roots) - before) / seconds * 1000)
        ran.append(count_statements(read_statements(stage.admin)) / seconds)
    return [
        measure_alone("deals", "CPU of the idle platform a second", "ms", used),
        measure_alone("deals", "SQL statements of the idle platform", "/s", ran),
    ]


def measure_deals(plan: Plan, stage: Stage, reference: Server, offers: Sequence[dict[str, Any]]) -> list[Figure]:
    """Deals at each number of clients, side by side."""
    market = Market(plan, stage, reference, offers)
    try:
        return [figure for clients in plan.clients for figure in _measure(market, clients)]
    finally:
        market.close()


def _measure(market: Market, clients: int) -> list[Figure]:
    market.sign_in()
    rounds = interleave(
        market.plan.deal_rounds,
        lambda: market.take(clients),
        lambda: market.make_by_hand(clients, "deals"),
        lambda: market.make_by_hand(clients, "takes"),
    )
    who, half = f"{clients} client{'s' if clients > 1 else ''}", Goal(of="ratio", at_least=0.5)

    def column(name: str, side: int = 1) -> list[tuple[float, float]]:
        return [(getattr(each[0], name), getattr(each[side], name)) for each in rounds]

    def own(name: str) -> list[float]:
        return [getattr(each[0], name) for each in rounds]

    return [
        compare("deals", f"deals effective a second, {who}", "/s", column("deals_a_second"), half),
        compare("deals", f"… by hand the take alone, {who}", "/s", column("deals_a_second", 2)),
        compare("deals", f"p95 of the request, {who}", "ms", column("p95_ms")),
        measure_alone("deals", f"p95 from take to effective, {who}", "ms", own("effective_p95_ms")),
        compare("deals", f"SQL statements a deal, {who}", "", column("statements"), Goal(of="ours", at_most=20)),
        compare("deals", f"CPU a deal, {who}", "ms", column("cpu_ms"), Goal(of="ours", at_most=20)),
        compare("deals", f"CPU of the client a deal, {who}", "ms", column("client_ms")),
        compare("deals", f"WAL a deal, {who}", "kB", column("wal_kb")),
    ]
