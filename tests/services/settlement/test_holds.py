"""Deposits: both or none, told apart, once; and what becomes of them."""

from __future__ import annotations

import pytest

from chassis.problems import NotYetKnown
from events.settlement import DepositRefused, DepositsHeld
from tests.services.settlement.stand import Stand, cny


def test_both_deposits_are_held(stand: Stand) -> None:
    stand.top_up(buyer=1000, mill=700)
    stand.strike(buyer_deposit=1000, seller_deposit=500)
    assert stand.told() == [DepositsHeld(deal_id="deal_1")]
    assert stand.balances() == {
        "buyer:frozen": 1000, "mill:available": 200, "mill:frozen": 500, "platform:clearing_bank": -1700,
    }  # fmt: skip
    assert stand.broken() == {}


@pytest.mark.parametrize(("buyer", "mill", "by", "required"), [(999, 500, "buyer", 1000), (1000, 499, "seller", 500)])
def test_who_lacks_is_told_apart_and_nothing_is_held(
    stand: Stand, buyer: int, mill: int, by: str, required: int
) -> None:
    stand.top_up(buyer=buyer, mill=mill)
    before = stand.balances()
    stand.strike(buyer_deposit=1000, seller_deposit=500)
    assert stand.told() == [DepositRefused(deal_id="deal_1", by=by, required=cny(required))]
    assert stand.balances() == before
    assert stand.rows("SELECT count(*) FROM hold") == [(0,)]
    assert stand.broken() == {}


def test_a_company_that_never_had_money_is_refused(stand: Stand) -> None:
    stand.strike()
    assert stand.told() == [DepositRefused(deal_id="deal_1", by="buyer", required=cny(1000))]


def test_deposits_of_nothing_are_held(stand: Stand) -> None:
    stand.strike(buyer_deposit=0, seller_deposit=0)
    assert stand.told() == [DepositsHeld(deal_id="deal_1")]
    stand.cancel()
    assert stand.rows("SELECT state FROM deposits") == [("resolved",)]
    assert stand.balances() == {} and stand.broken() == {}


def test_one_side_alone_may_have_a_deposit(stand: Stand) -> None:
    stand.top_up(mill=500)
    stand.strike(buyer_deposit=0, seller_deposit=500)
    assert stand.told() == [DepositsHeld(deal_id="deal_1")]
    assert stand.balances() == {"mill:frozen": 500, "platform:clearing_bank": -500}


def test_a_deal_that_is_struck_twice_is_answered_twice_and_held_once(stand: Stand) -> None:
    stand.top_up(buyer=3000, mill=3000)
    stand.strike()
    stand.strike()
    assert stand.told() == [DepositsHeld(deal_id="deal_1")] * 2
    assert stand.balances()["buyer:frozen"] == 1000
    stand.strike("deal_2", buyer_deposit=5000)
    stand.top_up(buyer=9000)
    stand.strike("deal_2", buyer_deposit=5000)
    refused = DepositRefused(deal_id="deal_2", by="buyer", required=cny(5000))
    assert stand.told() == [refused] * 2


def test_a_cancelled_deal_gives_both_deposits_back_once(stand: Stand) -> None:
    stand.top_up(buyer=1000, mill=500)
    stand.strike()
    stand.told()
    stand.cancel()
    stand.cancel()
    assert stand.told() == []
    assert stand.balances() == {"buyer:available": 1000, "mill:available": 500, "platform:clearing_bank": -1500}
    assert stand.rows("SELECT state, released, open FROM hold") == [("resolved", 1000, 0), ("resolved", 500, 0)]
    assert stand.broken() == {}


def test_a_refused_deal_that_is_cancelled_stays_refused(stand: Stand) -> None:
    stand.strike()
    stand.cancel()
    assert stand.rows("SELECT state FROM deposits") == [("refused",)]


def test_news_of_a_deal_that_was_never_struck_waits(stand: Stand) -> None:
    for hear in (stand.cancel, stand.call, lambda: stand.default("buyer", 1), lambda: stand.accept(1)):
        with pytest.raises(NotYetKnown):
            hear()
    assert stand.rows("SELECT count(*) FROM journal") == [(0,)]


def test_a_default_before_signing_forfeits_without_a_fee(stand: Stand) -> None:
    stand.top_up(buyer=1000, mill=500)
    stand.strike()
    stand.default("seller", 200)
    assert stand.balances() == {"buyer:available": 1200, "mill:available": 300, "platform:clearing_bank": -1500}
    (line,) = stand.statement()["lines"]
    assert (line["kind"], line["reason"], line["delivery"]) == ("default", "seller: not paid", None)
    assert stand.broken() == {}


def test_holds_are_seen_by_their_own_side_alone(stand: Stand) -> None:
    stand.top_up(buyer=5000, mill=500)
    stand.strike()
    stand.strike("deal_2", seller_deposit=0)
    mine = stand.get("/v1/accounts/buyer:frozen:CNY/holds").ok()["items"]
    assert [(hold["deal_id"], hold["open"]["amount"]) for hold in mine] == [("deal_2", 1000), ("deal_1", 1000)]
    assert stand.get("/v1/accounts/mill:frozen:CNY/holds").problem() == "not_found"
    theirs = stand.get("/v1/accounts/mill:frozen:CNY/holds", party="mill").ok()["items"]
    assert [(hold["deal_id"], hold["party_id"], hold["side"]) for hold in theirs] == [("deal_1", "mill", "seller")]
