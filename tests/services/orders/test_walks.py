"""Random walks over offers, deals, agreements and deliveries: whatever happens, every invariant holds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chassis.values import Exact, Money, Quantity
from events.logistics import DeliveriesClosed, DeliveryCancelled, DeliveryDeparted, DeliveryStarted, RecallAnswered
from events.orders import (
    DealCancelled,
    DealCompleted,
    DealDefaulted,
    DealStruck,
    DeliveriesCalled,
    DeliveryAccepted,
    PartEnded,
    PartRecalled,
)
from events.settlement import DepositRefused, DepositsHeld, EscrowOpened, PaymentMissed, SupplementEnded
from tests.services.orders.conftest import BEGINNING, Stand, make_terms, tonnes

ENDS = (DealCancelled, DealCompleted, DealDefaulted)
PICK = st.integers(0, 10**6)
SIDES = {"buyer": "buyer", "seller": "mill"}


class Walk(RuleBasedStateMachine):
    """Sellers, buyers, trucks, money and time, each doing whatever it likes; logistics and settlement keep to their rules."""

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
        self.recalls: list[PartRecalled] = []
        self.values: Counter[str] = Counter()
        self.lines: set[tuple[str, str]] = set()
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
            "dispute_limit": "0.01",
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
        pick=PICK, news=st.sampled_from([DepositsHeld, DepositsHeld, DepositRefused, EscrowOpened, PaymentMissed, None])
    )
    def hear_of_money(self, pick: int, news: Any) -> None:
        if self.deals:
            deal = self.deals[pick % len(self.deals)]
            more = {
                DepositRefused: {"by": "buyer", "required": Money(1, "CNY")},
                EscrowOpened: {"due_at": self.stand.frozen.at + timedelta(hours=2)},
            }
            if news is None:
                self._pay(deal, pick)
            else:
                self.stand.hear(news(deal_id=deal["id"], **more.get(news, {})))

    def _pay(self, deal: dict[str, Any], pick: int) -> None:
        """The buyer pays for some of what is unpaid, or for all of it."""
        seen = self.stand.get(f"/v1/deals/{deal['id']}", party=deal["buyer_id"]).ok()
        gross, missed = seen["gross"]["amount"], [each for each in seen["ended_parts"] if not each["is_paid"]]
        if seen["state"] not in ("signed", "delivering") or missed:
            return
        if seen["pieces"]:
            unpaid = [piece["piece_id"] for piece in seen["pieces"] if piece["piece_id"] not in seen["paid_piece_ids"]]
            if unpaid:
                self.stand.pay(seen, *unpaid[: 1 + pick % len(unpaid)])
            return
        whole, paid = Decimal(seen["quantity"]["value"]), Decimal(seen["paid_quantity"]["value"])
        more = min(whole - paid, whole if pick % 2 else whole / 4)
        upto = [int(gross * part / whole + Decimal("0.5")) for part in (paid, paid + more)]
        if more:
            self.stand.pay(seen, kg=format(more * 1000, "f"), amount=upto[1] - upto[0])

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
                self._pay(deal, pick)
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
        seen = self.stand.get(f"/v1/deals/{deal['id']}", party=deal["buyer_id"]).ok()
        gone = {id for other, _, ids in self.trucks if other is deal for id in ids}
        gone |= {id for each in seen["ended_parts"] for id in each["piece_ids"]}
        free = [id for id in seen["paid_piece_ids"] if id not in gone]
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
        waiting = self.stand.rows(
            "SELECT v.deal_id, v.id, l.stage, l.gross_amount FROM delivery_line l JOIN delivery v ON v.id = l.delivery_id "
            "WHERE l.state = 'accepted' ORDER BY l.id"
        )
        if waiting:
            deal_id, id, stage, amount = waiting[pick % len(waiting)]
            short = amount // 2 if pick % 3 == 0 else 0
            delivery = {"id": id, "gross": {"amount": amount, "currency": "CNY"}}
            self.stand.pay_out(deal_id, delivery, stage, shortfall=short)

    @rule(pick=PICK)
    def end_supplement(self, pick: int) -> None:
        owing = self.stand.rows(
            "SELECT v.deal_id, v.id, l.stage FROM delivery_line l JOIN delivery v ON v.id = l.delivery_id "
            "WHERE l.state = 'owing' ORDER BY l.id"
        )
        if owing:
            deal_id, delivery_id, stage = owing[pick % len(owing)]
            ids = {"deal_id": deal_id, "delivery_id": delivery_id, "stage": stage}
            self.stand.hear(SupplementEnded(**ids, paid=Money(1, "CNY"), missed=Money(pick % 2, "CNY")))

    @rule(pick=PICK, third=st.integers(0, 30_000))
    def decide(self, pick: int, third: int) -> None:
        """A third party weighs what is in dispute, or both sides name the lesser weight."""
        open_ones = self.stand.rows(
            "SELECT deal_id, id, least(loaded_value, received_value) FROM delivery WHERE state = 'disputed' ORDER BY id"
        )
        if not open_ones:
            return
        deal_id, id, least = open_ones[pick % len(open_ones)]
        if pick % 2:
            self.stand.weigh({"id": deal_id}, id, "1", "1", third=str(third), version=9)
            return
        deal = next(deal for deal in self.deals if deal["id"] == deal_id)
        body = {"weight": {"value": format(least, "f"), "unit": "KGM"}}
        for party in (deal["seller_id"], deal["buyer_id"]):
            path = f"/v1/deals/{deal_id}/deliveries/{id}/agreed-weight"
            self.stand.send("POST", path, body, party=party, role="signatory").ok()

    @rule(
        pick=PICK,
        some=st.integers(1, 2),
        move=st.sampled_from(["agree", "agree", "agree", "decline", "withdraw", None]),
    )
    def cancel(self, pick: int, some: int, move: str | None) -> None:
        """The seller proposes to cancel what is left of a deal, and somebody answers."""
        known = [deal for deal in self.deals if self._state(deal) in ("signed", "delivering")]
        if not known:
            return
        deal = known[pick % len(known)]
        ids = [piece["piece_id"] for piece in deal["pieces"]][pick % 2 :][:some]
        whole = self._state(deal) == "signed"
        ids = [piece["piece_id"] for piece in deal["pieces"]] if whole else ids
        part = {"piece_ids": ids} if deal["pieces"] else {"quantity": deal["quantity"] if whole else tonnes("1")}
        if deal["pieces"] and not ids:
            return
        path = f"/v1/deals/{deal['id']}/cancellations"
        proposed = self.stand.send("POST", path, {"reason": "agreed", **part}, party="mill", role="signatory")
        assert proposed.status in (201, 409, 503), proposed
        if proposed.status == 201 and move:
            party = "mill" if move == "withdraw" else deal["buyer_id"]
            answer = self.stand.send("POST", f"{path}/{proposed.body['id']}/{move}", party=party, role="signatory")
            assert answer.status in (200, 503), answer

    @rule(pick=PICK)
    def answer_recall(self, pick: int) -> None:
        """Logistics lets go of what is on no truck, and says so, perhaps again."""
        if not self.recalls:
            return
        recall = self.recalls[pick % len(self.recalls)]
        live = self.stand.rows(
            "SELECT piece_ids, quantity_value FROM delivery WHERE deal_id = :id AND state <> 'cancelled'",
            id=recall.deal_id,
        )
        carried = {id for ids, _ in live for id in ids}
        is_free = not carried & set(recall.piece_ids) and not (live and not recall.piece_ids)
        self.stand.hear(RecallAnswered(deal_id=recall.deal_id, recall_id=recall.recall_id, is_free=is_free))

    @rule(pick=PICK)
    def close(self, pick: int) -> None:
        """Logistics answers a call, perhaps again."""
        called = [deal for deal in self.deals if deal["id"] in self.called]
        if called:
            deal = called[pick % len(called)]
            self.closed.add(deal["id"])
            unfetched = [piece["piece_id"] for piece in deal["pieces"]][: pick % 2]
            self.stand.hear(DeliveriesClosed(deal_id=deal["id"], unfetched_piece_ids=unfetched))

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
            if isinstance(event, PartRecalled):
                self.recalls.append(event)
            if isinstance(event, PartEnded):
                assert event.reason != "not_delivered" or event.deal_id in self.closed
                self.values[event.deal_id] += event.value.amount
            if isinstance(event, DealStruck):
                assert self.ended[event.deal_id] == 0
            if isinstance(event, DeliveryAccepted):
                assert event.net + event.tax == event.gross
                self._add_line(event)
            if isinstance(event, DealCompleted | DealDefaulted) or (
                isinstance(event, DealCancelled) and self.values[event.deal_id]
            ):
                deal = next(each for each in self.deals if each["id"] == event.deal_id)
                assert self.values[event.deal_id] == deal["gross"]["amount"]
        assert all(count <= 1 for count in self.ended.values())
        deals = Counter(deal_id for deal_id, _ in self.last)
        assert all(count == 1 for count in deals.values())

    def _add_line(self, event: DeliveryAccepted) -> None:
        if event.is_last:
            self.last[event.deal_id, event.delivery_id] = 1
        if (event.delivery_id, event.stage) not in self.lines:
            self.lines.add((event.delivery_id, event.stage))
            self.values[event.deal_id] += event.value.amount


def test_no_walk_breaks_an_invariant(stand: Stand) -> None:
    def begin() -> Walk:
        stand.clear()
        stand.frozen.at = BEGINNING
        walk = Walk()
        walk.stand = stand
        return walk

    run_state_machine_as_test(begin, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))
