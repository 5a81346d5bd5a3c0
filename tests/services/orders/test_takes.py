"""Taking from offers: every guard by its own problem, and many takers at once."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.auth import Caller
from chassis.problems import Problem
from chassis.values import Exact, Money, Quantity
from events.identity import BankAccount, PartyIdentifier
from events.settlement import DepositRefused
from services.orders.deals import commands
from tests.services.orders.conftest import Stand, describe_party, tonnes

TAKERS = 200


def test_a_piece_that_is_gone_is_named(stand: Stand) -> None:
    ids = stand.make_coils("A1", "A2", "A3")
    offer = stand.list_offer(*ids).ok()
    stand.take(offer, "piece_A2", party="trader").ok()
    before = stand.snapshot()
    refused = stand.take(offer, *ids)
    assert refused.problem() == "coil_gone"
    assert (refused.body["coils"], refused.body["piece_ids"]) == (["A2"], ["piece_A2"])
    assert stand.snapshot() == before
    stand.take(offer, "piece_A1", "piece_A3").ok()
    assert stand.take(offer, "piece_A1").body["coils"] == ["A1"]
    assert stand.take(offer, "piece_of_nobody").body["coils"] == ["piece_of_nobody"]
    assert stand.broken() == {}


@pytest.mark.parametrize(
    ("quantity", "problem"),
    [
        (tonnes("104"), "insufficient_quantity"),
        (tonnes("5"), "below_minimum"),
        (tonnes("95"), "below_minimum"),
        (tonnes("12"), "not_a_step"),
        (tonnes("0"), "below_minimum"),
        ({"value": "10", "unit": "MTR"}, "unit_mismatch"),
        ({"value": "10000.0001", "unit": "KGM"}, "too_fine"),
    ],
)
def test_a_quantity_that_does_not_fit_is_refused_with_the_figures(stand: Stand, quantity: Any, problem: str) -> None:
    offer = stand.list_weight("103", minimum="10", step="5").ok()
    before = stand.snapshot()
    refused = stand.take(offer, quantity=quantity)
    assert refused.problem() == problem
    if problem == "insufficient_quantity":
        assert refused.body["remaining"] == {"value": "103", "unit": "TNE"}
    assert stand.snapshot() == before


def test_a_take_says_either_pieces_or_a_quantity(stand: Stand) -> None:
    pieces = stand.list_offer(*stand.make_coils("A1")).ok()
    weight = stand.list_weight("10").ok()
    assert stand.take(pieces, quantity=tonnes("8.25")).problem() == "wrong_take"
    assert stand.take(weight, "piece_A1").problem() == "wrong_take"
    assert stand.take(weight).problem() == "wrong_take"
    assert stand.take(weight, "piece_A1", quantity=tonnes("1")).problem() == "wrong_take"
    assert stand.take(pieces, "piece_A1", "piece_A1").problem() == "piece_twice"
    assert stand.take({"id": "offer_of_nobody", "version": 1}, "piece_A1").problem() == "not_found"


SAME_NUMBER = [PartyIdentifier(scheme="uscc", value="91120000MA05X1234X")]
SAME_ACCOUNT = [BankAccount(id="x", holder="x", number="DE89 3704", bank="B", currency="CNY")]


@pytest.mark.parametrize(
    ("common", "reason"),
    [
        ({"group": "HAI"}, "group"),
        ({"identifiers": SAME_NUMBER}, "identifier"),
        ({"bank_accounts": SAME_ACCOUNT}, "bank_account"),
    ],
)
def test_nobody_trades_with_its_own_hand(stand: Stand, common: dict[str, Any], reason: str) -> None:
    ids = stand.make_coils("A1")
    offer = stand.list_offer(*ids).ok()
    stand.hear(describe_party("mill", 2, **common), describe_party("trader", 2, **common))
    before = stand.snapshot()
    own = stand.take(offer, *ids, party="mill")
    assert (own.problem(), own.body["reason"]) == ("self_dealing", "company")
    refused = stand.take(offer, *ids, party="trader")
    assert (refused.problem(), refused.body["reason"]) == ("self_dealing", reason)
    assert stand.snapshot() == before
    stand.take(offer, *ids).ok()


def test_role_suspension_and_what_is_not_known_yet(stand: Stand) -> None:
    ids = stand.make_coils("A1")
    offer = stand.list_offer(*ids).ok()
    body = {"version": 1, "piece_ids": ids}
    assert (
        stand.send("POST", f"/v1/offers/{offer['id']}/takes", body, party="buyer", role="finance").problem()
        == "missing_role"
    )
    unknown = stand.take(offer, *ids, party="newcomer")
    assert (unknown.status, unknown.problem()) == (503, "not_yet_known")
    stand.hear(describe_party("mill", 2, state="suspended"))
    assert stand.take(offer, *ids).problem() == "party_suspended"
    stand.hear(describe_party("mill", 3), describe_party("buyer", 2, state="suspended"))
    assert stand.take(offer, *ids).problem() == "party_suspended"


def test_what_is_taken_comes_back_when_the_deal_comes_to_nothing(stand: Stand) -> None:
    ids = stand.make_coils("A1", "A2")
    offer = stand.list_offer(*ids).ok()
    deal = stand.take(offer, *ids).ok()
    stand.told()
    stand.hear(DepositRefused(deal_id=deal["id"], by="seller", required=Money(1, "CNY")))
    cancelled, described = stand.told()
    assert cancelled.reason == "seller_deposit_refused"
    assert (described.state, described.piece_ids, described.taken_piece_ids) == ("listed", ids, [])
    assert stand.take(offer, *ids, party="trader").ok()["state"] == "deposits_pending"
    assert stand.broken() == {}


def test_what_comes_back_to_a_closed_offer_is_free_of_any_promise(stand: Stand) -> None:
    ids = stand.make_coils("A1", "A2")
    offer = stand.list_offer(*ids).ok()
    stand.take(offer, ids[0]).ok()
    stand.send("POST", f"/v1/offers/{offer['id']}/withdraw", party="mill", role="seller").ok()
    assert stand.advance(timedelta(minutes=30)) == 1
    assert stand.rows("SELECT * FROM allotment") == []
    assert stand.list_offer(*ids).ok()["state"] == "listed"
    assert stand.broken() == {}


def _race(stand: Stand, offer_id: str, wishes: list[dict[str, Any]]) -> Counter[str]:
    """Many callers at once, each on a connection of its own: how many succeeded, and which problems the others met."""

    def take(wish: dict[str, Any]) -> str:
        caller = Caller("user", wish.pop("party"), frozenset({"purchaser"}))
        said = SimpleNamespace(version=1, **{"piece_ids": None, "quantity": None, **wish})
        try:
            return stand.database.run(lambda session: commands.take_offer(session, caller, offer_id, said)).state
        except Problem as problem:
            assert problem.status == 409, problem
            if type(problem).__name__ == "CoilGone":
                assert set(problem.members["piece_ids"]) <= set(wish["piece_ids"])
            return type(problem).__name__

    with ThreadPoolExecutor(20) as pool:
        return Counter(pool.map(take, wishes))


def test_two_hundred_takers_of_thirty_lots_make_thirty_deals(stand: Stand) -> None:
    offer = stand.list_weight("30").ok()
    one = Quantity(Exact(1), "TNE")
    wishes = [{"party": ("buyer", "trader")[i % 2], "quantity": one} for i in range(TAKERS)]
    assert _race(stand, offer["id"], wishes) == {"deposits_pending": 30, "InsufficientQuantity": 170}
    assert stand.rows("SELECT count(*), sum(quantity_value) FROM deal") == [(30, 30)]
    assert stand.broken() == {}


def test_two_hundred_takers_with_overlapping_choices_take_no_piece_twice(stand: Stand) -> None:
    ids = stand.make_coils(*(f"N{i:02d}" for i in range(30)))
    offer = stand.list_offer(*ids).ok()
    chance = random.Random(7)
    wishes = [{"party": "buyer", "piece_ids": chance.sample(ids, chance.randint(1, 4))} for _ in range(TAKERS)]
    outcome = _race(stand, offer["id"], wishes)
    assert set(outcome) == {"deposits_pending", "CoilGone"}
    assert sum(outcome.values()) == TAKERS
    taken = stand.rows("SELECT p.piece_id FROM deal, jsonb_to_recordset(pieces) AS p (piece_id text)")
    assert len(taken) == len(set(taken)) >= 26
    assert stand.broken() == {}


def test_two_sellers_lists_in_opposite_orders_do_not_wait_for_each_other(stand: Stand) -> None:
    ids = stand.make_coils(*(f"N{i:02d}" for i in range(10)))

    def list_them(order: list[str]) -> str:
        answer = stand.list_offer(*order)
        return "ok" if answer.status == 201 else answer.problem()

    with ThreadPoolExecutor(8) as pool:
        outcome = Counter(pool.map(list_them, [ids[:: (-1) ** i] for i in range(16)]))
    assert outcome == {"ok": 1, "piece_not_free": 15}
