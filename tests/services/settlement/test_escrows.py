"""The payment of a deal: in time, once, by the buyer; and how it is shared out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.problems import NotYetKnown
from chassis.states import IllegalMove
from events.settlement import DeliverySettled, EscrowFunded, EscrowOpened, PaymentMissed
from tests.services.settlement.stand import Stand, cny

FUNDED = EscrowFunded(deal_id="deal_1", amount=cny(10_000))
HELD = {"buyer:frozen": 1000, "mill:frozen": 500}


def ready(stand: Stand, gross: int = 10_000, **rates: str) -> None:
    """A deal that waits for its payment."""
    stand.top_up(buyer=20_000, mill=1000)
    stand.describe_market(**rates)
    stand.strike()
    stand.sign(gross=gross)
    stand.told()


def test_the_buyer_pays_from_its_balance(stand: Stand) -> None:
    ready(stand)
    view = stand.pay().ok()
    assert (view["state"], view["funded"], view["rest"]) == ("funded", cny_view(10_000), cny_view(10_000))
    assert stand.told() == [FUNDED]
    assert stand.balances() == HELD | {
        "buyer:available": 9000, "buyer:escrow": 10_000, "mill:available": 500, "platform:clearing_bank": -21_000,
    }  # fmt: skip
    assert stand.pay().problem() == "illegal_move"
    assert stand.told() == [] and stand.broken() == {}


def cny_view(amount: int) -> dict[str, object]:
    """Fen as views say them."""
    return {"amount": amount, "currency": "CNY"}


def test_a_payment_that_is_not_covered_says_how_much_is_missing(stand: Stand) -> None:
    ready(stand, gross=19_001)
    answer = stand.pay()
    assert (answer.status, answer.problem(), answer.body["missing"]) == (409, "insufficient_funds", cny_view(1))
    assert stand.told() == [] and stand.get("/v1/escrows/deal_1").ok()["state"] == "awaiting"
    stand.top_up(buyer=1)
    assert stand.pay().ok()["state"] == "funded"
    assert stand.broken() == {}


def test_nobody_pays_but_the_buyers_finance(stand: Stand) -> None:
    ready(stand)
    assert stand.pay(party="mill").problem() == "not_the_payer"
    assert stand.pay(party="stranger").problem() == "not_found"
    assert stand.pay(role="purchaser").problem() == "missing_role"
    assert stand.pay(role="operator").problem() == "missing_role"
    assert stand.get("/v1/escrows/deal_1", party="stranger").problem() == "not_found"
    assert stand.get("/v1/escrows", party="stranger").ok()["items"] == []
    assert len(stand.get("/v1/escrows?state=awaiting", party="mill").ok()["items"]) == 1


def test_a_payment_at_the_deadline_is_too_late_timer_or_not(stand: Stand) -> None:
    ready(stand)
    stand.frozen.advance(timedelta(days=1))
    answer = stand.pay()
    assert answer.problem() == "payment_overdue" and answer.body["pay_by"] == "2026-03-03T08:00:00Z"
    assert stand.advance(timedelta()) == 1
    assert stand.told() == [PaymentMissed(deal_id="deal_1")]
    assert stand.pay().problem() == "payment_overdue"
    assert stand.advance(timedelta(days=9)) == 0


def test_the_call_is_answered_once_and_for_all(stand: Stand) -> None:
    ready(stand)
    stand.frozen.advance(timedelta(days=1))
    stand.call()
    stand.call()
    assert stand.told() == [PaymentMissed(deal_id="deal_1")] * 2
    assert stand.pay().problem() == "payment_overdue"
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "lapsed"


def test_a_call_before_the_deadline_is_answered_with_the_deadline(stand: Stand) -> None:
    ready(stand)
    due_at = stand.frozen.at + timedelta(days=1)
    stand.call()
    stand.frozen.advance(timedelta(hours=23))
    stand.call()
    assert stand.told() == [EscrowOpened(deal_id="deal_1", due_at=due_at)] * 2
    assert stand.pay().ok()["state"] == "funded" and stand.broken() == {}


@pytest.mark.parametrize("hours", [0, 1, 24, 96])
def test_however_late_the_signatures_are_heard_of_there_is_all_the_time_to_pay(stand: Stand, hours: int) -> None:
    stand.top_up(buyer=20_000, mill=1000)
    stand.describe_market()
    stand.strike()
    stand.told()
    stand.sign(ago=timedelta(hours=hours))
    due_at = stand.frozen.at + timedelta(days=1)
    assert stand.told() == [EscrowOpened(deal_id="deal_1", due_at=due_at)]
    assert stand.get("/v1/escrows/deal_1").ok()["pay_by"] == "2026-03-03T08:00:00Z"
    assert stand.advance(timedelta(days=1, seconds=-1)) == 0
    assert stand.pay().ok()["state"] == "funded" and stand.broken() == {}


def test_the_call_of_a_paid_deal_says_paid_again(stand: Stand) -> None:
    ready(stand)
    stand.pay().ok()
    stand.call()
    stand.call()
    first, *again = stand.told()
    assert again == [first] * 2 and first.amount == cny(10_000)
    stand.accept(10_000)
    stand.told()
    stand.call()
    assert stand.told() == [first]


def test_a_payment_and_a_call_at_once_agree(stand: Stand) -> None:
    ready(stand)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(stand.call) for _ in range(3)]
        pays = [pool.submit(stand.pay) for _ in range(5)]
        answers = [pay.result().status for pay in pays]
        [call.result() for call in calls]
    said = [type(event) for event in stand.told()]
    assert set(said) - {EscrowOpened} == {EscrowFunded} and EscrowOpened not in said[said.index(EscrowFunded) :]
    assert answers.count(200) == 1 and stand.broken() == {}


def test_a_payment_a_call_and_the_timer_at_the_deadline_agree(stand: Stand) -> None:
    ready(stand)
    stand.frozen.advance(timedelta(days=1))
    with ThreadPoolExecutor(8) as pool:
        pays = [pool.submit(stand.pay) for _ in range(3)]
        others = [pool.submit(stand.call), pool.submit(stand.call), pool.submit(stand.advance, timedelta())]
        assert {pay.result().problem() for pay in pays} == {"payment_overdue"}
        [other.result() for other in others]
    assert {type(event) for event in stand.told()} == {PaymentMissed} and stand.broken() == {}


def test_fifty_payments_at_once_never_overdraw_the_buyer(stand: Stand) -> None:
    """Two hundred is enough for twenty of fifty."""
    stand.top_up(buyer=200)
    stand.describe_market()
    deals = [f"deal_{number}" for number in range(50)]
    for deal in deals:
        stand.strike(deal, buyer_deposit=0, seller_deposit=0)
        stand.sign(deal, gross=10)
    stand.told()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(stand.pay, deals))
    assert sorted(answer.status for answer in answers) == [200] * 20 + [409] * 30
    assert {answer.problem() for answer in answers if answer.status == 409} == {"insufficient_funds"}
    assert stand.balances() == {"buyer:escrow": 200, "platform:clearing_bank": -200}
    assert len(stand.told()) == 20 and stand.broken() == {}


def test_a_deal_that_is_signed_twice_is_awaited_once(stand: Stand) -> None:
    ready(stand)
    stand.pay().ok()
    stand.sign()
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "funded"


def test_signing_waits_for_the_market(stand: Stand) -> None:
    stand.top_up(buyer=20_000, mill=1000)
    stand.strike()
    with pytest.raises(NotYetKnown):
        stand.sign()
    stand.describe_market()
    stand.sign()
    assert stand.pay().ok()["state"] == "funded"


def test_a_deal_of_nothing_can_be_paid(stand: Stand) -> None:
    ready(stand, gross=0)
    assert stand.pay().ok()["state"] == "funded"
    assert stand.told() == [EscrowFunded(deal_id="deal_1", amount=cny(0))]
    stand.accept(0)
    assert stand.balances()["mill:available"] == 1000 and stand.broken() == {}


def test_the_last_delivery_pays_the_seller_less_the_fee_and_gives_the_rest_back(stand: Stand) -> None:
    stand.fund()
    stand.accept(9_500)
    (event,) = stand.told()
    assert event == DeliverySettled(
        deal_id="deal_1", delivery_id="delivery_1", statement_id=event.statement_id, paid=cny(9_500), fee=cny(10),
        shortfall=cny(0),
    )  # fmt: skip
    assert stand.balances() == {
        "buyer:available": 90_500, "mill:available": 109_490, "platform:fee": 10, "platform:clearing_bank": -200_000,
    }  # fmt: skip
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "closed"
    assert stand.broken() == {}


def test_the_fee_is_rounded_half_up(stand: Stand) -> None:
    stand.fund()
    stand.accept(9_499)
    (event,) = stand.told()
    assert event.fee == cny(9)


def test_each_delivery_settles_by_itself(stand: Stand) -> None:
    stand.fund()
    stand.accept(4_000, delivery="delivery_1", is_last=False)
    assert stand.balances()["buyer:escrow"] == 6_000 and stand.balances()["buyer:frozen"] == 1000
    assert stand.broken() == {}
    stand.accept(5_000, delivery="delivery_2")
    assert "buyer:escrow" not in stand.balances() and "buyer:frozen" not in stand.balances()
    lines = stand.statement()["lines"]
    assert [(line["number"], line["delivery"]["delivery_id"], line["paid"]["amount"]) for line in lines] == [
        (1, "delivery_1", 4000), (2, "delivery_2", 5000),
    ]  # fmt: skip
    assert lines[1]["shares"]["returned"] == cny_view(1000)
    assert stand.broken() == {}


def test_what_escrow_lacks_comes_from_the_buyers_deposit(stand: Stand) -> None:
    stand.fund()
    stand.accept(10_400)
    (event,) = stand.told()
    assert (event.paid, event.shortfall) == (cny(10_400), cny(0))
    assert stand.balances()["buyer:available"] == 100_000 - 10_400
    holds = stand.rows("SELECT side, released, converted FROM hold ORDER BY side")
    assert holds == [("buyer", 600, 400), ("seller", 500, 0)]
    assert stand.broken() == {}


def test_a_deposit_that_pays_before_the_last_delivery_is_divided(stand: Stand) -> None:
    stand.fund()
    stand.accept(10_300, delivery="delivery_1", is_last=False)
    states = "SELECT state, amount, open, converted, divided FROM hold WHERE side = 'buyer' ORDER BY amount DESC"
    assert stand.rows(states) == [
        ("divided", 1000, 0, 0, 1000), ("active", 700, 700, 0, 0), ("resolved", 300, 0, 300, 0),
    ]  # fmt: skip
    assert stand.broken() == {}
    stand.accept(900, delivery="delivery_2")
    _, second = stand.told()
    assert (second.paid, second.shortfall) == (cny(700), cny(200))
    assert stand.broken() == {}


def test_what_is_still_missing_is_recorded(stand: Stand) -> None:
    stand.fund()
    stand.accept(11_500)
    (event,) = stand.told()
    assert (event.paid, event.fee, event.shortfall) == (cny(11_000), cny(11), cny(500))
    escrow = stand.get("/v1/escrows/deal_1", party="mill").ok()
    assert (escrow["state"], escrow["shortfall"]) == ("closed", cny_view(500))
    assert stand.balances()["buyer:available"] == 89_000 and stand.broken() == {}


def test_a_delivery_that_is_accepted_twice_is_paid_once_and_told_twice(stand: Stand) -> None:
    stand.fund()
    stand.accept(9_000)
    stand.accept(9_000)
    first, second = stand.told()
    assert first == second
    assert stand.balances()["mill:available"] == 100_000 + 9_000 - 9
    with pytest.raises(IllegalMove):
        stand.accept(9_000, delivery="delivery_2")
    assert stand.broken() == {}


def test_an_unpaid_deal_cannot_be_settled(stand: Stand) -> None:
    ready(stand)
    with pytest.raises(IllegalMove):
        stand.accept(9_000)
    assert stand.told() == [] and stand.broken() == {}


def test_a_buyer_who_did_not_pay_forfeits_and_the_rest_is_released(stand: Stand) -> None:
    ready(stand, forfeit_fee_rate="0.1")
    stand.frozen.advance(timedelta(days=1))
    stand.call()
    stand.default("buyer", 605)
    assert stand.balances() == {
        "buyer:available": 20_000 - 605, "mill:available": 1000 + 605 - 61, "platform:fee": 61,
        "platform:clearing_bank": -21_000,
    }  # fmt: skip
    stand.default("buyer", 605)
    assert stand.balances()["platform:fee"] == 61
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "lapsed"
    assert stand.broken() == {}


def test_a_forfeit_is_never_more_than_what_is_held(stand: Stand) -> None:
    ready(stand)
    stand.default("buyer", 99_999)
    assert stand.balances()["mill:available"] == 1000 + 1000 and stand.broken() == {}


def test_a_seller_who_did_not_deliver_forfeits_and_the_buyer_has_its_payment_back(stand: Stand) -> None:
    stand.fund()
    stand.accept(4_000, is_last=False)
    stand.default("seller", 300)
    assert stand.balances() == {
        "buyer:available": 100_000 - 4_000 + 300, "mill:available": 100_000 + 4_000 - 4 - 300, "platform:fee": 4,
        "platform:clearing_bank": -200_000,
    }  # fmt: skip
    assert [line["kind"] for line in stand.statement()["lines"]] == ["delivery", "default"]
    assert stand.get("/v1/escrows/deal_1").ok()["state"] == "closed"
    assert stand.broken() == {}


def test_a_cancellation_that_crosses_the_payment_gives_it_back(stand: Stand) -> None:
    stand.fund()
    stand.cancel()
    assert stand.balances() == {
        "buyer:available": 100_000, "mill:available": 100_000, "platform:clearing_bank": -200_000,
    }  # fmt: skip
    assert stand.pay().problem() == "illegal_move"
    assert stand.broken() == {}


def test_a_cancelled_deal_can_no_longer_be_paid(stand: Stand) -> None:
    ready(stand)
    stand.cancel()
    assert stand.pay().problem() == "illegal_move"
    assert stand.advance(timedelta(days=2)) == 0
    stand.call()
    assert stand.told() == [] and stand.broken() == {}


def test_a_statement_is_seen_by_both_sides_and_nobody_else(stand: Stand) -> None:
    stand.fund()
    stand.accept(9_500)
    mine, theirs = stand.statement(), stand.statement(party="mill")
    assert mine == theirs
    assert stand.get(f"/v1/statements/{mine['id']}").ok() == mine
    assert stand.get(f"/v1/statements/{mine['id']}", party="stranger").problem() == "not_found"
    assert stand.get("/v1/statements", party="stranger").ok()["items"] == []
    (line,) = mine["lines"]
    assert line["delivery"]["settled"] == {"value": "8.25", "unit": "TNE"}
    assert line["delivery"]["tax_rate"] == "0.13"
    assert line["delivery"]["gross"] == cny_view(9_500)
    assert mine["totals"]["buyer_released"] == cny_view(1000)
