"""Deals that are paid, delivered and ended part by part; each part moves its own share of escrow and deposits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from chassis.states import IllegalMove
from events.settlement import DeliverySettled, EscrowFunded, EscrowOpened, PaymentMissed
from services.settlement.escrows import model
from tests.services.settlement.stand import Stand, cny, coils, tonnes

PIECES = {"a": 4_000, "b": 3_500, "c": 2_500}


def by_piece(stand: Stand, **said: Any) -> None:
    """A deal of three coils that waits for its payment."""
    stand.await_payment(pieces=coils(**PIECES), **said)


def by_weight(stand: Stand, **said: Any) -> None:
    """A deal of thirty tonnes that waits for its payment."""
    stand.await_payment(quantity=tonnes("30"), **said)


def frozen(stand: Stand) -> tuple[int, int]:
    """What is frozen of buyer and mill."""
    balances = stand.balances()
    return balances.get("buyer:frozen", 0), balances.get("mill:frozen", 0)


def test_a_buyer_pays_for_some_pieces_and_those_go_on(stand: Stand) -> None:
    by_piece(stand)
    view = stand.pay(body={"piece_ids": ["a", "b"]}).ok()
    assert (view["state"], view["funded"]["amount"], view["payable"]["amount"]) == ("partly_funded", 7_500, 2_500)
    assert [piece["piece_id"] for piece in view["unpaid_pieces"]] == ["c"]
    (payment,) = view["payments"]
    assert (payment["piece_ids"], payment["amount"]["amount"], payment["converted"]["amount"]) == (["a", "b"], 7_500, 0)
    (funded,) = stand.told()
    assert funded == EscrowFunded(deal_id="deal_1", amount=cny(7_500), piece_ids=["a", "b"], is_whole=False)
    stand.accept(4_000, value=4_000, is_last=False)
    assert stand.balances()["buyer:escrow"] == 3_500 and stand.broken() == {}
    view = stand.pay(body={"piece_ids": ["c"]}).ok()
    assert (view["state"], view["payable"]["amount"]) == ("funded", 0)
    assert stand.pay(body={"piece_ids": ["c"]}).problem() == "not_to_be_paid"
    assert stand.pay().problem() == "illegal_move"
    assert stand.broken() == {}


def test_all_that_is_left_can_be_paid_at_once(stand: Stand) -> None:
    by_piece(stand)
    stand.pay(body={"piece_ids": ["b"]}).ok()
    assert stand.pay().ok()["state"] == "funded"
    _, rest = stand.told()
    assert (rest.amount, rest.piece_ids, rest.is_whole) == (cny(6_500), None, True)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"piece_ids": ["a", "x"]}, "not_to_be_paid"),
        ({"quantity": {"value": "1", "unit": "TNE"}}, "not_divisible"),
        ({"piece_ids": []}, "invalid_field"),
    ],
)
def test_what_is_not_a_piece_of_the_deal_is_not_paid(stand: Stand, body: Any, problem: str) -> None:
    by_piece(stand)
    assert stand.pay(body=body).problem() == problem
    assert stand.told() == [] and stand.get("/v1/escrows/deal_1").ok()["funded"]["amount"] == 0


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"quantity": {"value": "0", "unit": "TNE"}}, "not_to_be_paid"),
        ({"quantity": {"value": "30.000001", "unit": "TNE"}}, "not_to_be_paid"),
        ({"quantity": {"value": "3", "unit": "MTR"}}, "unit_mismatch"),
        ({"quantity": {"value": "0.5", "unit": "GRM"}}, "not_divisible"),
        ({"piece_ids": ["a"]}, "not_divisible"),
    ],
)
def test_more_than_the_quantity_of_the_deal_is_not_paid(stand: Stand, body: Any, problem: str) -> None:
    by_weight(stand)
    assert stand.pay(body=body).problem() == problem


def test_a_deal_of_before_is_paid_as_a_whole(stand: Stand) -> None:
    stand.await_payment()
    assert stand.pay(body={"piece_ids": ["a"]}).problem() == "not_to_be_paid"
    assert stand.pay(body={"quantity": {"value": "1", "unit": "TNE"}}).problem() == "not_divisible"
    assert stand.pay().ok()["state"] == "funded"


def test_payments_by_quantity_come_to_the_gross(stand: Stand) -> None:
    """Thirds of 100.00 are 33.33, 33.34 and 33.33: each is rounded with what was paid before."""
    by_weight(stand)
    for _ in range(3):
        stand.pay(body={"quantity": {"value": "10000", "unit": "KGM"}}).ok()
    assert [event.amount.amount for event in stand.told()] == [3_333, 3_334, 3_333]
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "funded" and stand.broken() == {}


def test_of_many_payments_the_last_is_of_all_that_is_left(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_PAYMENTS", 3)
    by_weight(stand)
    a_tonne = {"quantity": {"value": "1", "unit": "TNE"}}
    for _ in range(2):
        stand.pay(body=a_tonne).ok()
    assert stand.pay(body=a_tonne).problem() == "not_to_be_paid"
    assert stand.pay().ok()["state"] == "funded" and stand.broken() == {}


def test_a_deposit_that_counts_pays_its_share_of_the_price(stand: Stand) -> None:
    by_piece(stand, deposit_use="counts")
    view = stand.pay(body={"piece_ids": ["a"]}).ok()
    assert view["payments"][0]["converted"]["amount"] == 400
    balances = stand.balances()
    assert (balances["buyer:available"], balances["buyer:frozen"], balances["buyer:escrow"]) == (95_400, 600, 4_000)
    stand.pay().ok()
    balances = stand.balances()
    assert (balances["buyer:available"], frozen(stand), balances["buyer:escrow"]) == (90_000, (0, 500), 10_000)
    assert stand.broken() == {}
    stand.accept(10_000, value=10_000)
    assert stand.balances()["buyer:available"] == 90_000 and frozen(stand) == (0, 0)
    states = stand.rows("SELECT state, amount, converted, released FROM hold WHERE side = 'buyer' ORDER BY amount")
    assert states == [("resolved", 400, 400, 0), ("resolved", 600, 600, 0), ("divided", 1000, 0, 0)]
    assert stand.broken() == {}


def test_a_counting_deposit_lets_a_buyer_pay_that_has_only_the_difference(stand: Stand) -> None:
    stand.top_up(buyer=10_000, mill=500)
    stand.describe_market()
    stand.strike()
    stand.sign(deposit_use="counts")
    assert stand.pay().ok()["state"] == "funded"
    assert stand.balances()["buyer:escrow"] == 10_000 and stand.broken() == {}


def test_each_delivery_returns_its_own_escrow_and_releases_its_share_of_the_deposits(stand: Stand) -> None:
    by_piece(stand)
    stand.pay().ok()
    stand.told()
    stand.accept(3_900, value=4_000, is_last=False)
    (event,) = stand.told()
    assert isinstance(event, DeliverySettled) and event.paid == cny(3_900)
    assert frozen(stand) == (600, 300)
    balances = stand.balances()
    assert (balances["buyer:escrow"], balances["buyer:available"]) == (6_000, 90_000 - 1_000 + 100 + 400)
    assert stand.broken() == {}
    stand.accept(3_550, value=3_500, delivery="delivery_2", is_last=False)
    assert frozen(stand) == (250, 125)
    stand.accept(2_500, value=2_500, delivery="delivery_3")
    assert frozen(stand) == (0, 0) and stand.get("/v1/escrows/deal_1").ok()["state"] == "closed"
    lines = stand.statement()["lines"]
    assert [line["value"]["amount"] for line in lines] == [4_000, 3_500, 2_500]
    assert [line["shares"]["from_deposit"]["amount"] for line in lines] == [0, 50, 0]
    assert [line["shares"]["buyer_released"]["amount"] for line in lines] == [400, 300, 250]
    assert stand.broken() == {}


def test_a_seller_who_does_not_deliver_a_part_forfeits_its_share_alone(stand: Stand) -> None:
    by_piece(stand, rates={"forfeit_fee_rate": "0.1"})
    stand.pay().ok()
    stand.accept(4_000, value=4_000, is_last=False)
    stand.end("part_1", 6_000, by="seller", forfeit=300, piece_ids=["b", "c"])
    assert stand.balances() == {
        "buyer:available": 100_000 - 4_000 + 270, "mill:available": 100_000 + 4_000 - 4 - 300, "platform:fee": 34,
        "platform:clearing_bank": -200_000,
    }  # fmt: skip
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "closed"
    line = stand.statement()["lines"][1]
    assert (line["kind"], line["reason"], line["part"]["piece_ids"]) == ("default", "seller: not_delivered", ["b", "c"])
    before = stand.balances()
    stand.end("part_1", 6_000, by="seller", forfeit=300, piece_ids=["b", "c"])
    stand.default("seller", 300)
    stand.complete()
    assert stand.balances() == before and stand.broken() == {}


def test_a_part_in_the_middle_that_both_cancel_gives_back_and_the_rest_stays_backed(stand: Stand) -> None:
    by_piece(stand)
    stand.pay().ok()
    stand.end("part_1", 3_500, piece_ids=["b"])
    assert frozen(stand) == (650, 325) and stand.balances()["buyer:escrow"] == 6_500
    assert stand.statement()["lines"][0]["kind"] == "cancellation" and stand.broken() == {}
    stand.accept(6_500, value=6_500)
    assert frozen(stand) == (0, 0) and stand.balances()["mill:available"] == 100_000 + 6_500 - 7
    assert stand.broken() == {}


def test_what_is_unpaid_at_the_deadline_is_named_and_forfeits_its_part(stand: Stand) -> None:
    by_piece(stand)
    stand.pay(body={"piece_ids": ["a"]}).ok()
    stand.told()
    assert stand.advance(timedelta(days=1)) == 1
    assert stand.told() == [PaymentMissed(deal_id="deal_1", piece_ids=["b", "c"])]
    assert stand.pay().problem() == "payment_overdue"
    stand.call()
    assert stand.told() == [PaymentMissed(deal_id="deal_1", piece_ids=["b", "c"])]
    stand.end("part_1", 6_000, by="buyer", forfeit=600, is_paid=False, piece_ids=["b", "c"])
    view = stand.get("/v1/escrows/deal_1").ok()
    assert (view["state"], view["missed"]["amount"], view["rest"]["amount"]) == ("funded", 6_000, 4_000)
    assert frozen(stand) == (400, 200) and stand.broken() == {}
    stand.call()
    assert [type(event) for event in stand.told()] == [EscrowFunded]
    stand.accept(4_000, value=4_000)
    assert stand.balances() == {
        "buyer:available": 100_000 - 600 - 4_000, "mill:available": 100_000 + 600 + 4_000 - 4, "platform:fee": 4,
        "platform:clearing_bank": -200_000,
    }  # fmt: skip
    assert stand.broken() == {}


def test_what_is_unpaid_by_weight_is_named_by_quantity(stand: Stand) -> None:
    by_weight(stand, deposit_use="counts")
    stand.pay(body={"quantity": {"value": "12", "unit": "TNE"}}).ok()
    told = stand.told()
    (funded,) = told
    stand.frozen.advance(timedelta(days=1))
    stand.call()
    (missed,) = stand.told()
    assert (funded.amount, funded.quantity, funded.is_whole) == (cny(4_000), tonnes("12"), False)
    assert missed == PaymentMissed(deal_id="deal_1", quantity=tonnes("18"))
    stand.end("part_1", 6_000, by="buyer", forfeit=600, is_paid=False, quantity="18")
    assert frozen(stand) == (0, 200) and stand.broken() == {}
    stand.accept(4_000, value=4_000)
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "closed" and stand.broken() == {}


def test_a_call_before_all_is_paid_is_answered_with_the_deadline(stand: Stand) -> None:
    by_piece(stand)
    stand.pay(body={"piece_ids": ["a"]}).ok()
    stand.told()
    stand.call()
    (opened,) = stand.told()
    assert opened == EscrowOpened(deal_id="deal_1", due_at=stand.frozen.at + timedelta(days=1))
    stand.pay().ok()
    first = stand.told()
    stand.call()
    assert stand.told() == first


def test_a_deal_of_which_nothing_was_paid_ends_by_its_part(stand: Stand) -> None:
    by_piece(stand)
    assert stand.advance(timedelta(days=1)) == 1
    assert stand.told() == [PaymentMissed(deal_id="deal_1")]
    stand.end("part_1", 10_000, by="buyer", forfeit=1_000, is_paid=False, piece_ids=["a", "b", "c"])
    assert stand.balances()["mill:available"] == 101_000 and frozen(stand) == (0, 0)
    view = stand.get("/v1/escrows/deal_1").ok()
    assert (view["state"], view["missed"]["amount"], view["resolved"]["amount"]) == ("lapsed", 10_000, 10_000)
    assert stand.broken() == {}


def test_a_side_that_did_not_sign_forfeits_all_without_a_fee(stand: Stand) -> None:
    stand.top_up(buyer=1000, mill=500)
    stand.describe_market(forfeit_fee_rate="0.1")
    stand.strike()
    stand.end("part_1", 10_000, by="seller", forfeit=500, is_paid=False, piece_ids=["a", "b", "c"])
    stand.default("seller", 500)
    assert stand.balances() == {"buyer:available": 1500, "platform:clearing_bank": -1500}
    assert stand.rows("SELECT state FROM deposits") == [("resolved",)] and stand.broken() == {}


def test_an_unpaid_part_that_is_cancelled_is_no_longer_to_be_paid(stand: Stand) -> None:
    by_piece(stand, deposit_use="counts")
    stand.end("part_1", 2_500, is_paid=False, piece_ids=["c"])
    assert frozen(stand) == (750, 375)
    assert stand.pay(body={"piece_ids": ["c"]}).problem() == "not_to_be_paid"
    view = stand.pay().ok()
    assert (view["state"], view["funded"]["amount"]) == ("funded", 7_500)
    assert frozen(stand) == (0, 375) and stand.broken() == {}
    stand.accept(7_500, value=7_500)
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "closed" and stand.broken() == {}


def test_the_last_unpaid_part_that_is_cancelled_ends_the_time_to_pay(stand: Stand) -> None:
    by_piece(stand)
    stand.pay(body={"piece_ids": ["a", "b"]}).ok()
    stand.end("part_1", 2_500, is_paid=False, piece_ids=["c"])
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "funded"
    assert stand.advance(timedelta(days=2)) == 0 and stand.broken() == {}


def test_all_of_a_deal_that_is_cancelled_unpaid_closes_it(stand: Stand) -> None:
    by_piece(stand)
    for part, value in PIECES.items():
        stand.end(f"part_{part}", value, is_paid=False, piece_ids=[part])
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "closed"
    assert stand.balances()["buyer:available"] == 100_000 and stand.broken() == {}


def test_a_payment_that_crosses_the_end_of_its_part_is_given_back(stand: Stand) -> None:
    """Orders has not heard of the payment of b yet when it says that b and c end unpaid."""
    by_piece(stand, deposit_use="counts")
    stand.pay(body={"piece_ids": ["a"]}).ok()
    stand.pay(body={"piece_ids": ["b"]}).ok()
    stand.end("part_1", 6_000, is_paid=False, piece_ids=["b", "c"])
    view = stand.get("/v1/escrows/deal_1").ok()
    assert (view["rest"]["amount"], view["returned"]["amount"], view["missed"]["amount"]) == (4_000, 3_500, 2_500)
    assert stand.broken() == {}
    stand.accept(4_000, value=4_000)
    assert stand.balances()["buyer:available"] == 96_000 and stand.broken() == {}


def test_a_disputed_delivery_is_paid_in_two_stages(stand: Stand) -> None:
    by_piece(stand)
    stand.pay().ok()
    stand.accept(3_000, value=3_400, stage="undisputed", is_last=False)
    assert stand.balances()["buyer:escrow"] == 6_600
    stand.accept(450, value=600, stage="decided", is_last=False, reason="the third party's ticket")
    stand.accept(450, value=600, stage="decided", is_last=False)
    assert stand.balances()["buyer:escrow"] == 6_000 and frozen(stand) == (600, 300)
    *_, first, again = stand.told()
    assert first == again and first.stage == "decided"
    lines = stand.statement()["lines"]
    assert [(line["delivery"]["stage"], line["paid"]["amount"], line["reason"]) for line in lines] == [
        ("undisputed", 3_000, None), ("decided", 450, "the third party's ticket"),
    ]  # fmt: skip
    assert stand.broken() == {}


def test_the_order_of_the_parts_changes_nothing_in_the_end(stand: Stand) -> None:
    """But for roundings of fees, which are each line's own."""
    found = set()
    steps = [
        lambda deal: stand.accept(3_999, value=4_000, delivery=f"{deal}_1", is_last=False, deal=deal),
        lambda deal: stand.end(f"{deal}_2", 3_500, piece_ids=["b"], deal=deal),
        lambda deal: stand.end(f"{deal}_3", 2_500, by="seller", forfeit=125, piece_ids=["c"], deal=deal),
    ]
    stand.top_up(buyer=10**6, mill=10**6)
    stand.describe_market()
    for number, order in enumerate(permutations(steps)):
        deal = f"deal_{number}"
        before = stand.balances()
        stand.strike(deal)
        stand.sign(deal, pieces=coils(**PIECES))
        stand.pay(deal).ok()
        for step in order:
            step(deal)
        after = stand.balances()
        found.add(tuple(after[each] - before.get(each, 0) for each in ("buyer:available", "mill:available")))
    assert found == {(-3_999 + 125, 3_999 - 4 - 125)} and stand.broken() == {}


def test_a_part_that_is_worth_nothing_changes_nothing(stand: Stand) -> None:
    by_piece(stand)
    stand.pay().ok()
    stand.accept(10_000, value=10_000)
    stand.accept(0, value=0, delivery="delivery_2")
    stand.end("part_9", 0, by="buyer", is_paid=False)
    with pytest.raises(IllegalMove):
        stand.accept(1, value=1, delivery="delivery_3")
    assert stand.broken() == {}


def test_a_deal_that_began_before_its_parts_had_values_is_over_when_orders_says_so(stand: Stand) -> None:
    stand.fund()
    stand.accept(4_000, is_last=False)
    stand.accept(5_000, value=6_000, delivery="delivery_2")
    assert stand.rows("SELECT state FROM deposits") == [("held",)] and stand.broken() == {}
    stand.complete()
    stand.complete()
    assert stand.balances()["buyer:available"] == 91_000 and frozen(stand) == (0, 0)
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "closed" and stand.broken() == {}


def test_payments_of_pieces_at_once_take_each_once(stand: Stand) -> None:
    by_piece(stand, deposit_use="counts")
    with ThreadPoolExecutor(8) as pool:
        bodies = [{"piece_ids": [each]} for each in "abcabc"] + [{}, {}]
        answers = [pool.submit(stand.pay, body=body) for body in bodies]
        statuses = [answer.result().status for answer in answers]
    assert set(statuses) <= {200, 409} and statuses.count(200) in (1, 2, 3, 4)
    view = stand.get("/v1/escrows/deal_1").ok()
    assert (view["state"], view["funded"]["amount"]) == ("funded", 10_000) and stand.broken() == {}
