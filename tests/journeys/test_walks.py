"""Random walks over the whole platform: whatever people do in whatever order, and however time passes, nothing is broken.

Each walk has deals of its own on one shared town. After every step all invariants are asked; at its end all time passes, and
then every deal has ended, nothing stays held, and no coil is lost.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from loadtests.api import ApiRefused
from tests.journeys.town import Town, offer_pieces

FINAL = ("completed", "cancelled", "defaulted")
CLEAN = (403, 404, 409, 422, 503)
PERIODS = {"deposit": "PT10M", "sign": "PT2H", "pay": "PT2H", "inspect": "PT2H", "load": "PT2H", "receive": "PT4H"}
WALKS = settings(
    max_examples=12,
    stateful_step_count=18,
    deadline=None,
    derandomize=True,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)

number = st.integers(0, 7)


def make_walk(town: Town) -> type[RuleBasedStateMachine]:
    """A machine that walks on a town."""

    class Walk(RuleBasedStateMachine):
        """Two offers, and whoever is asked to act picks among the deals and trucks of this walk by a number."""

        def __init__(self) -> None:
            super().__init__()
            town.settle()
            short = town.periods_of(**PERIODS)
            deliver_by, valid_until = hours_from_now(town, 12), hours_from_now(town, 6)
            terms = {"periods": short, "deliver_by": deliver_by, "valid_until": valid_until}
            self.offer = town.offer_coils(10_000, 11_000, 12_000, 13_000, **terms)
            self.pieces = offer_pieces(self.offer)
            self.deals: list[str] = []
            self.trucks: list[tuple[str, str]] = []

        def attempt(self, act: Any) -> Any:
            """Do it, or be refused cleanly."""
            try:
                return act()
            except ApiRefused as refused:
                assert refused.status in CLEAN, refused
                return None

        def deal(self, n: int) -> str:
            return self.deals[n % len(self.deals)]

        @rule(n=number, both=st.booleans())
        def take(self, n: int, both: bool) -> None:
            chosen = {self.pieces[n % 4], self.pieces[(n + 1) % 4]} if both else {self.pieces[n % 4]}
            body = {"version": self.offer["version"], "piece_ids": sorted(chosen)}
            if deal := self.attempt(lambda: town.buyer.desk.post(f"/v1/offers/{self.offer['id']}/takes", body)):
                self.deals.append(deal["id"])

        @rule()
        def revise(self) -> None:
            said = {"terms": {**self.offer["terms"], "place": "天津"}}
            if revised := self.attempt(lambda: town.mill.desk.post(f"/v1/offers/{self.offer['id']}/revise", said)):
                self.offer = revised

        @rule()
        def withdraw(self) -> None:
            self.attempt(lambda: town.mill.desk.post(f"/v1/offers/{self.offer['id']}/withdraw"))

        @precondition(lambda self: self.deals)
        @rule(n=number, role=st.sampled_from(("mill", "buyer", "warehouse")))
        def sign(self, n: int, role: str) -> None:
            desk, deal_id = town.companies[role].desk, self.deal(n)
            agreement = self.attempt(lambda: desk.get(f"/v1/agreements/{deal_id}"))
            if agreement:
                body = {"sha256": agreement["sha256"]}
                self.attempt(lambda: desk.post(f"/v1/agreements/{deal_id}/sign", body))

        @precondition(lambda self: self.deals)
        @rule(n=number)
        def go_on_to_payment(self, n: int) -> None:
            """What most people do: both sign, the news spreads, the buyer pays."""
            town.settle()
            for role in ("mill", "buyer"):
                self.sign(n, role)
            town.settle()
            self.pay(n)

        @precondition(lambda self: self.deals)
        @rule(n=number)
        def pay(self, n: int) -> None:
            self.attempt(lambda: town.buyer.desk.post(f"/v1/escrows/{self.deal(n)}/pay", {}))

        @precondition(lambda self: self.deals)
        @rule(n=number, m=number)
        def send_truck(self, n: int, m: int) -> None:
            town.settle()
            pieces = [piece["piece_id"] for piece in town.deal(self.deal(n))["pieces"]]
            chosen = pieces if m % 2 else [pieces[m % len(pieces)]]
            body = {"deal_id": self.deal(n), "plate": "x", "driver": "y", "piece_ids": chosen}
            if note := self.attempt(lambda: town.mill.desk.post("/v1/pickup-notes", body)):
                shown = {"note_id": note["id"], "code": note["code"], "gate_id": town.known["gate"]["id"]}
                if truck := self.attempt(lambda: town.warehouse.desk.post("/v1/deliveries", shown)):
                    self.trucks.append((self.deal(n), truck["id"]))

        @precondition(lambda self: self.trucks)
        @rule(n=number, act=st.sampled_from(("depart", "cancel", "depart")))
        def move_truck(self, n: int, act: str) -> None:
            _, truck = self.trucks[n % len(self.trucks)]
            self.attempt(lambda: town.warehouse.desk.post(f"/v1/deliveries/{truck}/{act}", {"reason": "walk"}))

        @precondition(lambda self: self.trucks)
        @rule(n=number, end=st.sampled_from(("loading", "receiving")), net=st.integers(9_000, 30_000))
        def weigh(self, n: int, end: str, net: int) -> None:
            _, truck = self.trucks[n % len(self.trucks)]
            self.attempt(lambda: town.weigh(truck, end, net))

        @precondition(lambda self: self.trucks)
        @rule(n=number)
        def accept(self, n: int) -> None:
            deal_id, truck = self.trucks[n % len(self.trucks)]
            self.attempt(lambda: town.buyer.desk.post(f"/v1/deals/{deal_id}/deliveries/{truck}/accept"))

        @rule(minutes=st.sampled_from((1, 9, 45, 125)))
        def wait(self, minutes: int) -> None:
            town.world.advance(timedelta(minutes=minutes))

        @rule()
        def unhear(self) -> None:
            """Everything that is said now is heard a while later."""
            for topic in ("orders", "settlement", "logistics"):
                town.world.broker.hold_back(topic)

        @rule()
        def hear(self) -> None:
            release(town)
            town.settle()

        @rule()
        def die(self) -> None:
            """All processes are killed and started again."""
            town.world.start(town.world.broker)

        @invariant()
        def nothing_is_broken(self) -> None:
            assert town.world.broken() == {}

        def teardown(self) -> None:
            release(town)
            for _ in range(12):
                town.world.advance(timedelta(hours=6))
                states = {deal_id: town.deal(deal_id)["state"] for deal_id in self.deals}
                if set(states.values()) <= set(FINAL):
                    break
            town.world.advance(timedelta(minutes=11))
            assert set(states.values()) <= set(FINAL), states
            assert_at_rest(town)

    return Walk


def hours_from_now(town: Town, hours: int) -> str:
    return (town.now() + timedelta(hours=hours)).isoformat()


def release(town: Town) -> None:
    for topic in ("orders", "settlement", "logistics"):
        town.world.broker.release(topic)


def assert_at_rest(town: Town) -> None:
    """No money is held, all of it adds up, and every coil of the mill can be offered again."""
    balances = town.balances_of_all()
    held = {name: amount for name, amount in balances.items() if name.split()[-1] in ("frozen", "escrow") and amount}
    assert held == {}
    assert sum(balances.values()) == 0
    assert town.world.broken() == {}
    for service in town.world.services:
        assert town.world.sql(service, "SELECT * FROM parked_key") == [], service


def test_people_walk_at_random(town: Town) -> None:
    run_state_machine_as_test(make_walk(town), settings=WALKS)
