"""Part deals: takes under load until every deal is effective, against the same deals made by hand in one request."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any

from loadtests.benchmarks.client import Drive, Load, drive, write_request
from loadtests.benchmarks.figures import Figure, Goal, compare, interleave, measure_alone, percentile_of
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.rounds import Round, TradeFailed, Watch, measure_use, name_keys
from loadtests.benchmarks.serving import Server
from loadtests.benchmarks.stage import Stage, standing
from loadtests.benchmarks.usage import count_statements, cpu_seconds, read_statements, start_statements

TONNE = {"value": "1", "unit": "TNE"}
_IS_PENDING = "SELECT EXISTS (SELECT FROM deal WHERE id > %s AND state = 'deposits_pending')"
_BECAME = """
SELECT extract(epoch FROM struck_at)::float8, extract(epoch FROM drawn_at)::float8
FROM deal JOIN agreement USING (id) WHERE deal.id > %s AND deal.state = 'effective'"""


class Market:
    """Offers and buyers: what each client asks for, on the platform and by hand."""

    def __init__(self, plan: Plan, stage: Stage, reference: Server, offers: Sequence[dict[str, Any]]) -> None:
        self.plan, self.stage, self.reference, self.offers = plan, stage, reference, offers
        self.watch = Watch(plan, stage)
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
        return Load(port, clients, self.plan.deal_seconds, requests, keys=name_keys("deal"))

    def take(self, clients: int) -> Round:
        """Haihe's side: from the first take until every deal is effective; its processor time until all is heard."""
        stage, watch = self.stage, self.watch
        last = watch.orders.execute("SELECT coalesce(max(id), '') FROM deal").fetchone()[0]

        def act() -> Drive:
            done = drive(self.load(clients, stage.port, "takes"))
            watch.until(lambda: not watch.orders.execute(_IS_PENDING, (last,)).fetchone()[0], "deals to be effective")
            return done

        use = measure_use(stage.admin, stage.roots, act, hush=watch.until_quiet)
        became = watch.orders.execute(_BECAME, (last,)).fetchall()
        if len(became) != use.done.count:
            raise TradeFailed(f"{use.done.count} takes were answered, {len(became)} deals are effective")
        struck, effective = zip(*became, strict=True)
        took_ms = [(end - begin) * 1000 for begin, end in became]
        return use.make_round(len(became) / (max(effective) - min(struck)), effective_p95_ms=percentile_of(took_ms, 95))

    def make_by_hand(self, clients: int, verb: str) -> Round:
        """The reference's side; worker and streams stand still meanwhile, for they would take processor time from it."""
        load, roots = self.load(clients, self.reference.port, verb), (self.reference.pid, self.stage.pid_of("postgres"))
        with standing(self.stage.pid_of("worker"), self.stage.pid_of("streams")):
            use = measure_use(self.stage.admin, roots, lambda: drive(load))
        return use.make_round(use.done.rate)


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
    with contextlib.closing(market.watch):
        return [figure for clients in plan.clients for figure in _measure(market, clients)]


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
        compare("deals", f"deals effective a second, {who}", "/s", column("a_second"), half),
        compare("deals", f"… by hand the take alone, {who}", "/s", column("a_second", 2)),
        compare("deals", f"p95 of the request, {who}", "ms", column("p95_ms")),
        measure_alone("deals", f"p95 from take to effective, {who}", "ms", own("effective_p95_ms")),
        compare("deals", f"SQL statements a deal, {who}", "", column("statements"), Goal(of="ours", at_most=20)),
        compare("deals", f"CPU a deal, {who}", "ms", column("cpu_ms"), Goal(of="ours", at_most=20)),
        compare("deals", f"CPU of the client a deal, {who}", "ms", column("client_ms")),
        compare("deals", f"WAL a deal, {who}", "kB", column("wal_kb")),
    ]
