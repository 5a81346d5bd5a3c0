"""The end of the time to deliver: no truck is set up after it, and every one from before it is told first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.problems import NotYetKnown
from events.logistics import DeliveriesClosed, DeliveryDeparted, DeliveryStarted
from tests.services.logistics.conftest import Stand, describe_deal

CLOSED = DeliveriesClosed(deal_id="deal_1")


def test_no_truck_is_set_up_after_the_call_whatever_this_clock_says(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    stand.call()
    assert stand.told() == [CLOSED]
    before = stand.snapshot()
    answer = stand.start(gate, *pieces)
    assert (answer.status, answer.problem()) == (409, "delivery_overdue")
    assert stand.snapshot() == before
    stand.call()
    assert stand.told() == [CLOSED]
    assert stand.broken() == {}


def test_no_truck_is_set_up_from_the_deadline_on_called_or_not(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    stand.frozen.advance(timedelta(days=20, seconds=-1))
    stand.start(gate, pieces[0]).ok()
    stand.frozen.advance(timedelta(seconds=1))
    answer = stand.start(gate, pieces[1])
    assert (answer.problem(), answer.body["due_at"]) == ("delivery_overdue", "2026-03-22T08:00:00Z")


def test_a_truck_that_stands_at_the_gate_may_leave_after_the_call(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    stand.call()
    stand.pass_gate(gate, 1, 2)
    assert [type(event) for event in stand.told()] == [DeliveryStarted, DeliveriesClosed, DeliveryDeparted]
    assert stand.show(delivery)["state"] == "departed"
    assert stand.broken() == {}


def test_trucks_and_a_call_at_once_agree(stand: Stand) -> None:
    """Whatever truck was set up was told before the end of them."""
    pieces, gate = stand.hear_deal(8), stand.make_gate()
    with ThreadPoolExecutor(9) as pool:
        trucks = [pool.submit(stand.start, gate, piece) for piece in pieces]
        pool.submit(stand.call).result()
        answers = [truck.result() for truck in trucks]
    told = stand.told()
    assert told.index(CLOSED) == len(told) - 1 == sum(answer.status == 201 for answer in answers)
    assert {answer.problem() for answer in answers if answer.status != 201} <= {"delivery_overdue"}


def test_a_call_waits_for_its_deal(stand: Stand) -> None:
    with pytest.raises(NotYetKnown):
        stand.call()
    assert stand.told() == []


def test_a_deal_that_is_described_again_stays_closed(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    stand.call()
    stand.drop_projections()
    stand.hear_deal(2)
    stand.hear(describe_deal(1, 2, version=2))
    assert stand.start(gate, *pieces).problem() == "delivery_overdue"
