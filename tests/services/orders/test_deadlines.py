"""What happens when a deadline passes, and when news and deadlines cross."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.values import Exact, Money, Quantity
from events.logistics import DeliveriesClosed, DeliveryCancelled, DeliveryStarted
from events.orders import (
    DealCancelled,
    DealCompleted,
    DealDefaulted,
    DealDescribed,
    DeliveriesCalled,
    OfferDescribed,
    PaymentCalled,
)
from events.settlement import DepositRefused, DepositsHeld, EscrowFunded, EscrowOpened, PaymentMissed
from services.orders.deals.model import EscrowMismatch
from tests.services.orders.conftest import BEGINNING, Stand

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def cancelled(stand: Stand, deal_id: str, reason: str) -> None:
    """The deal came to nothing, said so once, and its pieces are free."""
    deal = stand.deal(deal_id)
    assert (deal["state"], deal["reason"], deal["due_at"]) == ("cancelled", reason, None)
    told = stand.told()
    assert [type(event) for event in told] == [DealCancelled, OfferDescribed]
    assert told[0].reason == reason
    assert stand.rows("SELECT deal_id FROM allotment WHERE deal_id IS NOT NULL") == []
    assert stand.broken() == {}


def test_deposits_that_are_late_cancel_the_deal(stand: Stand) -> None:
    deal = stand.strike()
    stand.told()
    assert stand.advance(30 * MINUTE - timedelta(seconds=1)) == 0
    assert stand.advance(timedelta(seconds=1)) == 1
    cancelled(stand, deal["id"], "deposits_late")
    stand.hear(
        DepositsHeld(deal_id=deal["id"]), DepositRefused(deal_id=deal["id"], by="buyer", required=Money(1, "CNY"))
    )
    assert stand.told() == []


def test_deposits_held_after_the_deadline_cancel_the_deal_although_the_timer_is_late(stand: Stand) -> None:
    deal = stand.strike()
    stand.told()
    stand.frozen.advance(30 * MINUTE)
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    cancelled(stand, deal["id"], "deposits_late")
    assert stand.advance(DAY) == 0


@pytest.mark.parametrize("by", ["buyer", "seller"])
def test_a_refused_deposit_says_whose_it_was(stand: Stand, by: str) -> None:
    deal = stand.strike()
    stand.told()
    stand.hear(DepositRefused(deal_id=deal["id"], by=by, required=Money(635250, "CNY")))
    cancelled(stand, deal["id"], f"{by}_deposit_refused")


def test_nobody_is_at_fault_when_neither_side_signs_in_time(stand: Stand) -> None:
    deal = stand.make_effective()
    stand.told()
    stand.frozen.advance(DAY)
    assert stand.sign(deal["id"], "buyer").problem() == "too_late"
    assert stand.advance(timedelta(0)) == 1
    cancelled(stand, deal["id"], "not_signed")
    assert stand.get(f"/v1/agreements/{deal['id']}").ok()["state"] == "void"
    assert stand.sign(deal["id"], "buyer").problem() == "illegal_move"


@pytest.mark.parametrize(
    ("signed", "by", "forfeit"), [("mill", "buyer", Money(635250, "CNY")), ("buyer", "seller", Money(317625, "CNY"))]
)
def test_the_side_that_does_not_sign_when_the_other_has_is_in_default(
    stand: Stand, signed: str, by: str, forfeit: Money
) -> None:
    deal = stand.make_effective()
    stand.sign(deal["id"], signed).ok()
    stand.told()
    assert stand.advance(DAY) == 1
    part, offer, defaulted = stand.told()
    assert (part.by, part.value, part.is_paid, part.forfeit) == (by, Money(6352500, "CNY"), False, forfeit)
    assert (part.piece_ids, part.reason, offer.state) == (["piece_A1", "piece_A2"], "not_signed", "listed")
    assert (defaulted.by, defaulted.forfeit, defaulted.reason) == (by, forfeit, "not_signed")
    ended = stand.deal(deal["id"])
    assert (ended["state"], ended["defaulted_by"]) == ("defaulted", by)
    assert [(each["kind"], each["by"]) for each in ended["ended_parts"]] == [("defaulted", by)]
    assert stand.get(f"/v1/agreements/{deal['id']}").ok()["state"] == "void"
    assert stand.sign(deal["id"], "buyer").status == 409
    assert stand.broken() == {}


def test_a_payment_that_is_late_is_asked_for_until_settlement_answers(stand: Stand) -> None:
    deal = stand.make_signed()
    stand.told()
    assert stand.advance(2 * DAY) == 1
    assert stand.told() == [PaymentCalled(deal_id=deal["id"])]
    assert stand.deal(deal["id"])["state"] == "signed"
    assert stand.advance(MINUTE) == 1
    assert stand.told() == [PaymentCalled(deal_id=deal["id"])]
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
    assert stand.deal(deal["id"])["state"] == "delivering"
    stand.hear(PaymentMissed(deal_id=deal["id"]))
    assert stand.deal(deal["id"])["state"] == "delivering"
    assert stand.broken() == {}


def test_the_deadline_of_a_payment_is_the_one_that_settlement_says(stand: Stand) -> None:
    deal = stand.make_signed()
    stand.told()
    later = BEGINNING + 3 * DAY
    stand.hear(EscrowOpened(deal_id=deal["id"], due_at=later))
    assert stand.deal(deal["id"])["due_at"] == "2026-03-05T08:00:00Z"
    assert stand.advance(2 * DAY) == 0 and stand.told() == []
    assert stand.advance(DAY) == 1
    assert stand.told() == [PaymentCalled(deal_id=deal["id"])]
    asked = stand.deal(deal["id"])["due_at"]
    stand.hear(EscrowOpened(deal_id=deal["id"], due_at=later))
    assert stand.deal(deal["id"])["due_at"] == asked
    stand.hear(EscrowOpened(deal_id=deal["id"], due_at=later + DAY))
    assert stand.advance(DAY - timedelta(seconds=1)) == 0
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
    before = stand.snapshot()
    stand.hear(EscrowOpened(deal_id=deal["id"], due_at=later + 9 * DAY))
    assert stand.snapshot() == before and stand.broken() == {}


def test_who_is_paid_later_than_was_signed_has_as_much_longer_to_deliver(stand: Stand) -> None:
    deal = stand.make_signed()
    stand.hear(EscrowOpened(deal_id=deal["id"], due_at=BEGINNING + 5 * DAY))
    stand.frozen.advance(3 * DAY)
    stand.told()
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
    [described] = stand.told()
    assert described.deliver_by == BEGINNING + 21 * DAY
    assert stand.deal(deal["id"])["due_at"] == "2026-03-23T08:00:00Z"
    assert stand.advance(18 * DAY - MINUTE) == 0
    assert stand.advance(MINUTE) == 1
    assert stand.told() == [DeliveriesCalled(deal_id=deal["id"])]


def test_a_buyer_who_does_not_pay_forfeits_its_deposit_and_the_pieces_are_free(stand: Stand) -> None:
    deal = stand.make_signed()
    stand.told()
    stand.hear(PaymentMissed(deal_id=deal["id"]))
    ended = stand.deal(deal["id"])
    assert (ended["state"], ended["defaulted_by"], ended["reason"]) == ("defaulted", "buyer", "not_paid")
    part, described, defaulted = stand.told()
    forfeit = Money(635250, "CNY")
    assert (part.by, part.value, part.forfeit, part.is_paid) == ("buyer", Money(6352500, "CNY"), forfeit, False)
    said = {"deal_id": deal["id"], "by": "buyer", "reason": "not_paid", "buyer_id": "buyer"}
    assert defaulted == DealDefaulted(**said, forfeit=forfeit, passed_piece_ids=[])
    assert (described.state, len(described.piece_ids)) == ("listed", 2)
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])), PaymentMissed(deal_id=deal["id"]))
    assert stand.told() == []
    assert stand.broken() == {}


def test_an_escrow_of_another_amount_is_a_bug_that_is_not_passed_over(stand: Stand) -> None:
    deal = stand.make_signed()
    with pytest.raises(EscrowMismatch):
        stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(1, "CNY")))
    assert stand.deal(deal["id"])["state"] == "signed"


def test_a_seller_who_delivers_nothing_forfeits_its_deposit(stand: Stand) -> None:
    deal = stand.make_paid()
    stand.told()
    assert stand.advance(20 * DAY) == 1
    assert stand.told() == [DeliveriesCalled(deal_id=deal["id"])]
    assert stand.advance(MINUTE) == 1
    assert stand.told() == [DeliveriesCalled(deal_id=deal["id"])]
    assert stand.deal(deal["id"])["state"] == "delivering"
    stand.close(deal)
    part, expired, defaulted, described = stand.told()
    assert (part.by, part.value, part.is_paid) == ("seller", Money(6352500, "CNY"), True)
    assert part.reason == "not_delivered" and part.forfeit == Money(317625, "CNY")
    assert (defaulted.by, defaulted.forfeit, defaulted.passed_piece_ids) == ("seller", Money(317625, "CNY"), [])
    assert isinstance(described, DealDescribed) and described.state == "defaulted"
    assert expired.state == "expired"
    assert stand.rows("SELECT * FROM allotment") == []
    assert stand.broken() == {}


def test_a_seller_who_delivers_half_forfeits_on_the_other_half(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2", "A3")
    stand.start(deal, "delivery_1", "piece_A1", "piece_A2")
    stand.weigh(deal, "delivery_1", "16500", "16500")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    stand.advance(20 * DAY)
    stand.told()
    stand.close(deal)
    part, expired, described = stand.told()
    assert (part.by, part.piece_ids, part.value) == ("seller", ["piece_A3"], Money(3176250, "CNY"))
    assert (part.forfeit, part.is_paid) == (Money(158813, "CNY"), True)  # 5 % of 31,762.50
    assert (expired.state, described.state) == ("expired", "settling")
    assert [piece.piece_id for piece in described.pieces] == ["piece_A1", "piece_A2"]
    stand.pay_out(deal["id"], accepted)
    assert stand.rows("SELECT piece_id, passes_to FROM allotment ORDER BY 1") == [
        ("piece_A1", "buyer"),
        ("piece_A2", "buyer"),
    ]
    ended = stand.deal(deal["id"])
    assert (ended["state"], ended["deliveries"][0]["state"]) == ("completed", "settled")
    assert [(each["by"], each["reason"]) for each in ended["ended_parts"]] == [("seller", "not_delivered")]
    assert stand.broken() == {}


def test_what_no_truck_carries_ends_at_once_and_the_trucks_there_are_are_waited_for(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.advance(19 * DAY)
    stand.start(deal, "delivery_1", "piece_A1")
    assert stand.advance(DAY) == 1
    stand.told()
    stand.close(deal)
    stand.close(deal)
    part, _, described = stand.told()
    assert (part.piece_ids, described.state) == (["piece_A2"], "delivering")
    assert stand.advance(MINUTE) == 1
    assert stand.told() == []
    assert stand.deal(deal["id"])["state"] == "delivering"
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.hear(DeliveryCancelled(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"]))
    assert stand.told() == []
    stand.accept(deal["id"], "delivery_1").ok()
    assert stand.deal(deal["id"])["state"] == "settling"
    assert stand.broken() == {}


def test_a_truck_that_is_called_off_after_the_closing_is_a_default_too(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    nothing = Quantity(Exact("0"), "KGM")
    stand.hear(DeliveryStarted(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"], quantity=nothing))
    stand.advance(20 * DAY)
    stand.close(deal)
    stand.told()
    stand.hear(DeliveryCancelled(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"]))
    part, _, defaulted, _ = stand.told()
    assert (part.piece_ids, part.forfeit) == (["piece_A1"], Money(158812, "CNY"))
    assert (defaulted.by, defaulted.forfeit) == ("seller", Money(317625, "CNY"))
    assert stand.broken() == {}


def test_what_the_buyer_could_have_fetched_is_nobodys_default(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.advance(20 * DAY)
    stand.told()
    stand.hear(DeliveriesClosed(deal_id=deal["id"], unfetched_piece_ids=["piece_A2"]))
    unfetched, _, undelivered, _, defaulted, _ = stand.told()
    assert (unfetched.by, unfetched.reason, unfetched.piece_ids) == (None, "not_fetched", ["piece_A2"])
    assert (unfetched.value, unfetched.forfeit) == (Money(3176250, "CNY"), Money(0, "CNY"))
    assert (undelivered.by, undelivered.piece_ids) == ("seller", ["piece_A1"])
    assert defaulted.forfeit == Money(158813, "CNY")
    assert [each["kind"] for each in stand.deal(deal["id"])["ended_parts"]] == ["cancelled", "defaulted"]
    assert stand.broken() == {}


def test_a_truck_that_left_in_time_is_delivered_however_late_its_news(stand: Stand) -> None:
    """Logistics tells of its trucks before it tells that there are no more: the time to deliver ended between them."""
    deal = stand.make_paid("A1", "A2")
    stand.advance(20 * DAY)
    stand.start(deal, "delivery_1", "piece_A1")
    stand.told()
    stand.close(deal)
    assert stand.deal(deal["id"])["state"] == "delivering"
    assert stand.told()[0].piece_ids == ["piece_A2"]
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.pay_out(deal["id"], stand.accept(deal["id"], "delivery_1").ok())
    [completed] = [event for event in stand.told() if isinstance(event, DealCompleted)]
    assert completed.piece_ids == ["piece_A1"]
    assert stand.broken() == {}


def test_news_of_trucks_of_a_dead_deal_changes_nothing(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    stand.advance(20 * DAY)
    stand.close(deal)
    stand.told()
    before = stand.snapshot()
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    assert stand.snapshot() == before


@pytest.mark.parametrize("first", ["deadline", "news"])
def test_the_deadline_and_the_refusal_cross_both_ways_round(stand: Stand, first: str) -> None:
    deal = stand.strike()
    stand.told()
    refusal = DepositRefused(deal_id=deal["id"], by="buyer", required=Money(1, "CNY"))
    if first == "news":
        stand.hear(refusal)
        stand.advance(DAY)
        assert stand.deal(deal["id"])["reason"] == "buyer_deposit_refused"
    else:
        stand.advance(DAY)
        stand.hear(refusal)
        assert stand.deal(deal["id"])["reason"] == "deposits_late"
    assert [type(event) for event in stand.told()] == [DealCancelled, OfferDescribed]
    assert stand.broken() == {}


def test_every_message_twice_ends_the_same(stand: Stand) -> None:
    deal = stand.strike("A1")
    held = DepositsHeld(deal_id=deal["id"])
    stand.hear(held, held)
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
        assert stand.sign(deal["id"], party).problem() == "already_signed"
    funded = EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"]))
    stand.hear(funded, funded)
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.weigh(deal, "delivery_1", "8250", "1")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    assert accepted["settled"]["value"] == "8250"
    assert stand.accept(deal["id"], "delivery_1").problem() == "illegal_move"
    stand.pay_out(deal["id"], accepted)
    stand.told()
    stand.pay_out(deal["id"], accepted)
    assert stand.told() == []
    assert stand.broken() == {}
