"""Many at once, in real threads over the whole platform: the right number wins, the rest is told why, and nothing is done twice."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.journeys.town import Town, offer_pieces
from tests.world import Answer, Client

BUYERS = 200
COMPANIES = 20
LOTS = 30
PURSE = 10**9
BUSY = (503,)


@pytest.fixture(scope="module")
def buyers(town: Town) -> Iterator[list[Client]]:
    """200 purchasers of 20 companies; the ids that stand-still time counts are drawn one at a time."""
    party_ids = town.admit_many(COMPANIES, amount=PURSE)
    counter = itertools.count(town.world.clock.count + 1)
    before = town.world.clock.new_id

    def new_id(noun: str) -> str:
        return f"{noun}_{next(counter):026d}"

    town.world.clock.new_id = new_id
    tokens = [
        town.world.token("purchaser", "reader", party_id=party_ids[number % COMPANIES], user_id=f"user_crowd_{number}")
        for number in range(BUYERS)
    ]
    yield [town.world.client(token) for token in tokens]
    town.world.clock.new_id = before


def all_at_once(acts: list[Callable[[], Answer]]) -> list[Answer]:
    """Do everything at the same moment; whoever is told that the platform is busy asks again with the same key."""
    gate = threading.Barrier(len(acts))

    def act_when_open(act: Callable[[], Answer]) -> Answer:
        gate.wait()
        answers = (act() for _ in range(20))
        return next(answer for answer in answers if answer.status not in BUSY)

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(act_when_open, acts))


def take(buyer: Client, number: int, offer: dict[str, Any], **what: Any) -> Callable[[], Answer]:
    """A take that is sent under one key however often."""
    body = {"version": offer["version"], **what}
    return lambda: buyer.post(f"/v1/offers/{offer['id']}/takes", body, key=f"{offer['id']}-{number}")


def test_thirty_of_two_hundred_take_thirty_lots(town: Town, buyers: list[Client]) -> None:
    offer = town.list_weight("300", minimum="10", step="10")
    lot = {"value": "10", "unit": "TNE"}
    answers = all_at_once([take(buyer, n, offer, quantity=lot) for n, buyer in enumerate(buyers)])
    assert Counter(answer.status for answer in answers) == {201: LOTS, 409: BUYERS - LOTS}
    refused = [answer for answer in answers if answer.status == 409]
    assert {answer.problem() for answer in refused} == {"insufficient_quantity"}
    assert {answer.body["remaining"]["value"] for answer in refused} == {"0"}
    town.settle()
    deals = town.mill.desk.every("/v1/deals", offer_id=offer["id"])
    assert Counter(deal["state"] for deal in deals) == {"effective": LOTS}
    assert {deal["id"] for deal in deals} == {answer.body["id"] for answer in answers if answer.status == 201}
    assert town.mill.desk.get(f"/v1/offers/{offer['id']}")["state"] == "taken"
    assert town.world.broken() == {}


def test_lots_of_all_sizes_never_add_up_to_more(town: Town, buyers: list[Client]) -> None:
    offer = town.list_weight("300", minimum="10", step="5")
    draw = random.Random(3)
    wanted = [draw.choice(("10", "15", "20", "40", "95")) for _ in buyers]
    answers = all_at_once(
        [
            take(buyer, n, offer, quantity={"value": tonnes, "unit": "TNE"})
            for n, (buyer, tonnes) in enumerate(zip(buyers, wanted, strict=True))
        ]
    )
    taken = sum(int(tonnes) for tonnes, answer in zip(wanted, answers, strict=True) if answer.status == 201)
    problems = {answer.problem() for answer in answers if answer.status != 201}
    assert problems <= {"insufficient_quantity", "below_minimum"}
    left = int(town.mill.desk.get(f"/v1/offers/{offer['id']}")["remaining"]["value"])
    assert taken + left == 300 and (left == 0 or left >= 10)
    town.settle()
    assert town.world.broken() == {}


def test_no_coil_is_sold_twice(town: Town, buyers: list[Client]) -> None:
    offer = town.offer_coils(*[10_000 + n for n in range(LOTS)])
    numbers = {piece["piece_id"]: piece["number"] for piece in offer["pieces"]}
    draw = random.Random(1)
    choices = [draw.sample(offer_pieces(offer), draw.randint(1, 4)) for _ in buyers]
    answers = all_at_once(
        [take(buyer, n, offer, piece_ids=choice) for n, (buyer, choice) in enumerate(zip(buyers, choices, strict=True))]
    )
    assert {answer.status for answer in answers} == {201, 409}
    sold = [piece["piece_id"] for answer in answers if answer.status == 201 for piece in answer.body["pieces"]]
    assert len(sold) == len(set(sold))
    for answer, choice in zip(answers, choices, strict=True):
        if answer.status == 409:
            assert answer.problem() == "coil_gone"
            assert answer.body["coils"] and set(answer.body["coils"]) <= {numbers[id] for id in choice if id in sold}
    free = offer_pieces(town.mill.desk.get(f"/v1/offers/{offer['id']}"))
    assert sorted(free + sold) == sorted(numbers)
    town.settle()
    assert town.world.broken() == {}


def test_one_key_in_fifty_hands_takes_once(town: Town, buyers: list[Client]) -> None:
    offer = town.offer_coils(10_000, 10_000)
    one, two = offer_pieces(offer)
    answers = all_at_once([take(buyers[0], 0, offer, piece_ids=[one])] * 50)
    assert {answer.status for answer in answers} == {201}
    assert all(answer.body == answers[0].body for answer in answers)
    assert offer_pieces(town.mill.desk.get(f"/v1/offers/{offer['id']}")) == [two]
    town.settle()
    assert len(town.mill.desk.every("/v1/deals", offer_id=offer["id"])) == 1
    assert town.world.broken() == {}


def test_one_key_in_fifty_hands_withdraws_once(town: Town, buyers: list[Client]) -> None:
    amount = 1_000_000
    body = {"amount": {"amount": amount, "currency": "CNY"}, "bank_account_id": town.mill.account_id}
    desk = town.world.client(town.mill.desk.sign_in())
    with town.moves(mill_available=-amount, platform_payout_transit=amount):
        answers = all_at_once([lambda: desk.post("/v1/payouts", body, key="fifty-hands")] * 50)
        assert {answer.status for answer in answers} == {201}
        assert all(answer.body == answers[0].body for answer in answers)


def test_a_purse_is_spent_once(town: Town, buyers: list[Client]) -> None:
    """Forty payouts of a tenth of a balance at once, each under its own key: ten are made."""
    have = town.balance("buyer")
    body = {"amount": {"amount": have // 10, "currency": "CNY"}, "bank_account_id": town.buyer.account_id}
    desk = town.world.client(town.buyer.desk.sign_in())
    with town.moves(buyer_available=-(have // 10) * 10, platform_payout_transit=(have // 10) * 10):
        answers = all_at_once([lambda n=n: desk.post("/v1/payouts", body, key=f"spend-{n}") for n in range(40)])
        assert Counter(answer.status for answer in answers) == {201: 10, 409: 30}
        assert {answer.problem() for answer in answers if answer.status == 409} == {"insufficient_funds"}
