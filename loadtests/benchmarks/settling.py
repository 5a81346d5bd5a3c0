"""Part settle: weighed deliveries accepted under load, until every one of them is settled."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from loadtests.benchmarks.client import Drive, Load, drive, write_request
from loadtests.benchmarks.figures import Figure, interleave, measure_alone
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.rounds import Round, TradeFailed, Watch, measure_use, name_keys
from loadtests.benchmarks.stage import Stage
from loadtests.steel import SteelTrade

LOAD = {"value": "1", "unit": "TNE"}
LOAD_KG = 1_000
_HAVE_COME_TO = (
    "SELECT count(*) = cardinality(%(ids)s::text[]) FROM delivery WHERE id = ANY(%(ids)s) AND state = %(state)s"
)
_SETTLED_AT = """
SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 FROM delivery WHERE id = ANY(%s)"""


def share_deliveries(count: int, clients: int) -> list[int]:
    """How many deliveries each client has: as many as the others, or one more."""
    return [count // clients + (client < count % clients) for client in range(clients)]


class Yard:
    """Deals whose trucks have arrived: each client accepts the deliveries of a deal of its own."""

    def __init__(self, plan: Plan, stage: Stage, offers: Sequence[dict[str, Any]]) -> None:
        self.plan, self.stage, self.offers = plan, stage, offers
        self.watch = Watch(plan, stage)

    def settle(self) -> Round:
        """From the first accept until every delivery is settled; processor time until all is heard."""
        deliveries = self._deliver()
        ids = [one["id"] for each in deliveries for one in each]
        load = self._load(deliveries)

        def act() -> Drive:
            done = drive(load)
            self._await(ids, "settled")
            return done

        use = measure_use(self.stage.admin, self.stage.roots, act, hush=self.watch.until_quiet)
        if use.done.count != len(ids):
            raise TradeFailed(f"{use.done.count} of {len(ids)} deliveries were accepted")
        (settled_at,) = self.watch.orders.execute(_SETTLED_AT, (ids,)).fetchone()
        return use.make_round(len(ids) / (settled_at - use.done.began_at))

    def _deliver(self) -> list[list[dict[str, Any]]]:
        """Each client's deliveries, weighed at both ends; step by step for all, so that news spreads meanwhile."""
        shares = share_deliveries(self.plan.deliveries, self.plan.settlers)
        trades = [self.stage.trader_of(client) for client in range(len(shares))]
        deals = self._make_deals(trades, shares)
        notes = [
            [trade.issue_note(deal_id, quantity=LOAD) for _ in range(share)]
            for trade, deal_id, share in zip(trades, deals, shares, strict=True)
        ]
        deliveries = [[trade.load(note) for note in each] for trade, each in zip(trades, notes, strict=True)]
        loads = [(trade, one["id"]) for trade, each in zip(trades, deliveries, strict=True) for one in each]
        for trade, delivery_id in loads:
            trade.weigh(delivery_id, "loading", LOAD_KG)
        for trade, delivery_id in loads:
            trade.depart(delivery_id)
        for trade, delivery_id in loads:
            trade.weigh(delivery_id, "receiving", LOAD_KG)
        self._await([delivery_id for _, delivery_id in loads], "weighed")
        self.watch.until_quiet()
        return deliveries

    def _make_deals(self, trades: Sequence[SteelTrade], shares: Sequence[int]) -> list[str]:
        """The id of a signed and paid deal a client, of as many tonnes as it has deliveries."""
        for trade in trades:
            trade.known.setdefault("gate", {"id": self.stage.gate_id})
        taken = [
            (trade, trade.take(offer, quantity=LOAD | {"value": str(share)})["id"])
            for trade, offer, share in zip(trades, self.offers, shares, strict=False)
        ]
        for trade, deal_id in taken:
            trade.wait_for(deal_id, "effective")
            trade.sign(deal_id)
        for trade, deal_id in taken:
            trade.wait_for(deal_id, "signed")
            trade.pay(deal_id)
        for trade, deal_id in taken:
            trade.wait_for(deal_id, "delivering")
        return [deal_id for _, deal_id in taken]

    def _load(self, deliveries: Sequence[Sequence[dict[str, Any]]]) -> Load:
        """Every accept once, with a fresh token: they live for ten minutes."""
        tokens = [trade.buyer.desk.sign_in() for trade in self.stage.traders]
        scripts = [
            [write_request("POST", path, key=True, token=tokens[client % len(tokens)]) for path in _accepts(each)]
            for client, each in enumerate(deliveries)
        ]
        return Load(self.stage.port, len(scripts), self.plan.timeout_s, (), name_keys("accept"), scripts)

    def _await(self, ids: list[str], state: str) -> None:
        said = {"ids": ids, "state": state}
        self.watch.until(
            lambda: self.watch.orders.execute(_HAVE_COME_TO, said).fetchone()[0], f"deliveries to be {state}"
        )


def _accepts(deliveries: Sequence[dict[str, Any]]) -> list[str]:
    return [f"/v1/deals/{one['deal_id']}/deliveries/{one['id']}/accept" for one in deliveries]


def measure_settling(plan: Plan, stage: Stage, offers: Sequence[dict[str, Any]]) -> list[Figure]:
    """What a delivery costs from its acceptance on; nothing stands beside it."""
    yard = Yard(plan, stage, offers)
    with contextlib.closing(yard.watch):
        rounds = [each for (each,) in interleave(plan.deal_rounds, yard.settle)]
    who = f"{plan.settlers} clients"

    def measure(name: str, unit: str, column: str) -> Figure:
        return measure_alone("settle", f"{name}, {who}", unit, [getattr(each, column) for each in rounds])

    return [
        measure("deliveries settled a second", "/s", "a_second"),
        measure("p95 of the accept", "ms", "p95_ms"),
        measure("SQL statements a delivery", "", "statements"),
        measure("CPU a delivery", "ms", "cpu_ms"),
        measure("CPU of the client a delivery", "ms", "client_ms"),
        measure("WAL a delivery", "kB", "wal_kb"),
    ]
