"""Random walks over offers, deals, agreements and deliveries: whatever happens, every invariant holds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chassis.values import Exact, Money, Quantity
from events.logistics import DeliveryCancelled, DeliveryDeparted, DeliveryStarted
from events.orders import DealCancelled, DealCompleted, DealDefaulted, DealStruck, DeliveriesCalled, DeliveryAccepted
from events.settlement import DepositRefused, DepositsHeld, EscrowFunded, EscrowOpened, PaymentMissed
from tests.services.orders.conftest import BEGINNING, Stand, make_terms

ENDS = (DealCancelled, DealCompleted, DealDefaulted)
PICK = st.integers(0, 10**6)
SIDES = {"buyer": "buyer", "seller": "mill"}


class Walk(RuleBasedStateMachine):
    """Sellers, buyers, trucks, money and time, each doing whatever it likes; logistics alone keeps to its own rules."""

    stand: Stand

    @initialize(depths=st.lists(st.integers(0, 7), min_size=6, max_size=6), kg=st.integers(0, 30_000))
    def begin(self, depths: list[int], kg: int) -> None:
        """Some offers, and deals that have come some steps far."""
        self.offers: list[dict[str, Any]] = []
        self.deals: list[dict[str, Any]] = []
        self.trucks: list[tuple[dict[str, Any], str, list[str]]] = []
        self.called: set[str] = set()
        self.closed: set[str] = set()
        self.ended: Counter[str] = Counter()
        self.last: Counter[str] = Counter()
        self.count = 0
        for coils in (3, 2):
            self.list_pieces(coils)
        self.list_quantity(60, 5, "2.5")
        for party in ("buyer", "trader"):
            self.take(0, party, 10, 3)
        for place, steps in enumerate(depths):
            self.go_on(place, steps, kg)

    def _name(self) -> str:
        self.count += 1
        return f"W{id(self):x}{self.count:04d}"

    def _terms(self) -> dict[str, Any]:
        at = self.stand.frozen.at
        return {
            "valid_until": (at + timedelta(hours=4)).isoformat(),
            "deliver_by": (at + timedelta(hours=9)).isoformat(),
            "periods": {"deposit": "PT1H", "sign": "PT1H", "pay": "PT1H", "inspect": "PT1H"},
        }

    @rule(coils=st.integers(1, 4))
    def list_pieces(self, coils: int) -> None:
        ids = self.stand.make_coils(*(self._name() for _ in range(coils)))
        self.offers.append(self.stand.list_offer(*ids, terms=self._terms()).ok())

    @rule(quantity=st.integers(1, 60), minimum=st.integers(1, 20), step=st.sampled_from(["1", "2.5"]))
    def list_quantity(self, quantity: int, minimum: int, step: str) -> None:
        answer = self.stand.list_weight(str(quantity), str(min(minimum, quantity)), step, terms=self._terms())
        if answer.status == 201:
            self.offers.append(answer.body)

    @rule(
        pick=PICK, party=st.sampled_from(["buyer", "trader", "mill"]), some=st.integers(1, 30), times=st.integers(1, 3)
    )
    def take(self, pick: int, party: str, some: int, times: int) -> None:
        for each in range(times if self.offers else 0):
            self._take(self.offers[(pick + each) % len(self.offers)], pick, party, some)

    def _take(self, offer: dict[str, Any], pick: int, party: str, some: int) -> None:
        ids = [piece["piece_id"] for piece in offer["pieces"]]
        if ids:
            answer = self.stand.take(offer, *ids[pick % len(ids) :][: 1 + some % 3], party=party)
        else:
            answer = self.stand.take(offer, quantity={"value": str(some), "unit": "TNE"}, party=party)
        if answer.status == 201:
            self.deals.append(answer.body)
        else:
            assert answer.status == 409, answer

    @rule(pick=PICK, move=st.sampled_from(["withdraw", "revise"]))
    def change_offer(self, pick: int, move: str) -> None:
        if self.offers:
            place = pick % len(self.offers)
            body = {"terms": make_terms(**self._terms())} if move == "revise" else None
            path = f"/v1/offers/{self.offers[place]['id']}/{move}"
            answer = self.stand.send("POST", path, body, party="mill", role="seller")
            if answer.status == 200 and move == "revise":
                self.offers[place]["version"] = answer.body["version"]

    @rule(
        pick=PICK,
        news=st.sampled_from(
            [DepositsHeld, DepositsHeld, DepositRefused, EscrowOpened, EscrowFunded, EscrowFunded, PaymentMissed]
        ),
    )
    def hear_of_money(self, pick: int, news: Any) -> None:
        if self.deals:
            deal = self.deals[pick % len(self.deals)]
            more = {
                DepositRefused: {"by": "buyer", "required": Money(1, "CNY")},
                EscrowOpened: {"due_at": self.stand.frozen.at + timedelta(hours=2)},
                EscrowFunded: {"amount": Money(**deal["gross"])},
            }
            self.stand.hear(news(deal_id=deal["id"], **more.get(news, {})))

    @rule(pick=PICK, steps=st.integers(1, 6), kg=st.integers(0, 30_000))
    def go_on(self, pick: int, steps: int, kg: int) -> None:
        """What should happen next with a deal, some steps of it."""
        for _ in range(steps if self.deals else 0):
            deal = self.deals[pick % len(self.deals)]
            state = self._state(deal)
            if state == "deposits_pending":
                self.stand.hear(DepositsHeld(deal_id=deal["id"]))
            elif state == "effective":
                self._sign(deal)
            elif state == "signed":
                self.stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
            elif state == "delivering":
                self._carry(deal, pick, kg)
            elif state == "settling":
                self.settle(pick)

    def _sign(self, deal: dict[str, Any]) -> None:
        for party in (deal["buyer_id"], "mill"):
            read = self.stand.get(f"/v1/agreements/{deal['id']}", party=party)
            if read.status == 200:
                answer = self.stand.sign(deal["id"], party)
                assert answer.status in (200, 409), answer

    def _carry(self, deal: dict[str, Any], pick: int, kg: int) -> None:
        mine = self.stand.rows(
            "SELECT id, state FROM delivery WHERE deal_id = :id AND state IN ('started', 'weighed') ORDER BY id",
            id=deal["id"],
        )
        if not mine:
            self._start_truck(deal, 1 + pick % 3)
        elif mine[0][1] == "started":
            self.stand.weigh(deal, mine[0][0], str(kg), str(kg + 25))
        else:
            self.stand.accept(deal["id"], mine[0][0], party=deal["buyer_id"]).ok()

    @rule(pick=PICK, some=st.integers(1, 3))
    def start_truck(self, pick: int, some: int) -> None:
        known = [deal for deal in self.deals if self._state(deal) == "delivering"]
        if known:
            self._start_truck(known[pick % len(known)], some)

    def _start_truck(self, deal: dict[str, Any], some: int) -> None:
        if deal["id"] in self.closed:
            return
        carried = {id for other, _, ids in self.trucks if other is deal for id in ids}
        free = [piece["piece_id"] for piece in deal["pieces"] if piece["piece_id"] not in carried]
        if deal["pieces"] and not free:
            return
        delivery_id, ids = self._name(), free[:some] if deal["pieces"] else []
        quantity = Quantity(Exact(deal["quantity"]["value"]), "TNE")
        self.stand.hear(DeliveryStarted(deal_id=deal["id"], delivery_id=delivery_id, piece_ids=ids, quantity=quantity))
        self.trucks.append((deal, delivery_id, ids))

    @rule(
        pick=PICK,
        move=st.sampled_from(["depart", "weigh", "weigh", "cancel", "accept", "accept"]),
        kg=st.integers(0, 30_000),
    )
    def move_truck(self, pick: int, move: str, kg: int) -> None:
        if not self.trucks:
            return
        place = pick % len(self.trucks)
        deal, delivery_id, ids = self.trucks[place]
        if move == "depart":
            self.stand.hear(DeliveryDeparted(deal_id=deal["id"], delivery_id=delivery_id, at=self.stand.frozen.at))
        elif move == "weigh":
            self.stand.weigh(deal, delivery_id, str(kg), str(kg + 25))
        elif move == "accept":
            answer = self.stand.accept(deal["id"], delivery_id, party=deal["buyer_id"])
            assert answer.status in (200, 409, 503), answer
        elif self.stand.rows("SELECT state FROM delivery WHERE id = :id", id=delivery_id) == [("started",)]:
            self.stand.hear(DeliveryCancelled(deal_id=deal["id"], delivery_id=delivery_id, piece_ids=ids))
            del self.trucks[place]

    @rule(pick=PICK)
    def settle(self, pick: int) -> None:
        accepted = self.stand.rows(
            "SELECT deal_id, id, gross_amount FROM delivery WHERE state = 'accepted' ORDER BY id"
        )
        if accepted:
            deal_id, id, amount = accepted[pick % len(accepted)]
            self.stand.pay_out(deal_id, {"id": id, "gross": {"amount": amount, "currency": "CNY"}})

    @rule(pick=PICK)
    def close(self, pick: int) -> None:
        """Logistics answers a call, perhaps again."""
        called = [deal for deal in self.deals if deal["id"] in self.called]
        if called:
            deal = called[pick % len(called)]
            self.closed.add(deal["id"])
            self.stand.close(deal)

    @rule(minutes=st.sampled_from([1, 20, 60, 240]))
    def pass_time(self, minutes: int) -> None:
        self.stand.advance(timedelta(minutes=minutes))

    def _state(self, deal: dict[str, Any]) -> str:
        return self.stand.rows("SELECT state FROM deal WHERE id = :id", id=deal["id"])[0][0]

    @invariant()
    def nothing_is_broken(self) -> None:
        assert self.stand.broken() == {}

    @invariant()
    def what_is_said_adds_up(self) -> None:
        for event in self.stand.told():
            self.ended[event.subject] += isinstance(event, ENDS)
            if isinstance(event, DeliveriesCalled):
                self.called.add(event.deal_id)
            if isinstance(event, DealDefaulted) and event.reason == "not_delivered":
                assert event.deal_id in self.closed
            if isinstance(event, DealStruck):
                assert self.ended[event.deal_id] == 0
            if isinstance(event, DeliveryAccepted):
                assert event.net + event.tax == event.gross
                if event.is_last:
                    self.last[event.deal_id, event.delivery_id] = 1
        assert all(count <= 1 for count in self.ended.values())
        deals = Counter(deal_id for deal_id, _ in self.last)
        assert all(count == 1 for count in deals.values())


def test_no_walk_breaks_an_invariant(stand: Stand) -> None:
    def begin() -> Walk:
        stand.clear()
        stand.frozen.at = BEGINNING
        walk = Walk()
        walk.stand = stand
        return walk

    run_state_machine_as_test(begin, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))
