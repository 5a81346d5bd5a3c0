"""The end of the time to deliver: no truck is set up after it, and every one from before it is told first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis import clock
from chassis.problems import NotYetKnown
from chassis.values import Exact, Quantity
from events.logistics import DeliveriesClosed, DeliveryDeparted, DeliveryStarted
from tests.services.logistics.conftest import BEGINNING, LOAD, Stand, describe_deal, describe_piece

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
    assert isinstance(told[-1], DeliveriesClosed)
    assert len(told) - 1 == sum(answer.status == 201 for answer in answers)
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


def closing(stand: Stand) -> DeliveriesClosed:
    """The answer to a call at the last day of delivery."""
    stand.advance(BEGINNING + timedelta(days=20) - clock.now())
    stand.call()
    (said,) = [one for one in stand.told() if isinstance(one, DeliveriesClosed)]
    return said


def test_what_the_buyer_could_have_fetched_and_did_not_is_said_and_nothing_else(stand: Stand) -> None:
    """Carried, never noted, noted for an hour only, taken back by the seller, given a new code late: not the buyer's fault."""
    pieces, gate = stand.hear_deal(8), stand.make_gate()
    stand.start(gate, pieces[0]).ok()
    short = (BEGINNING + timedelta(hours=1)).isoformat()
    stand.issue(pieces[2], valid_until=short).ok()
    stand.change(stand.issue(pieces[3]).ok(), "void", {"reason": "another truck"}).ok()
    renewed, enough = stand.issue(pieces[4]).ok(), (BEGINNING + LOAD).isoformat()
    stand.issue(pieces[5], valid_until=enough).ok()
    stand.issue(pieces[6], pieces[7]).ok()
    stand.advance(timedelta(days=19))
    stand.change(renewed, "renew").ok()
    said = closing(stand)
    assert said == DeliveriesClosed(deal_id="deal_1", unfetched_piece_ids=pieces[5:])
    stand.call()
    assert stand.told() == [said]
    assert {one["state"] for one in stand.get("/v1/pickup-notes", party="mill").ok()["items"]} == {
        "used",
        "expired",
        "void",
    }
    assert stand.broken() == {}


def test_where_the_seller_sends_the_trucks_there_is_nothing_to_fetch(stand: Stand) -> None:
    pieces = stand.hear_deal(2, delivery_mode="delivered")
    stand.issue(*pieces).ok()
    assert closing(stand) == CLOSED


def test_of_a_weight_no_more_is_unfetched_than_is_left(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=Quantity(Exact("60"), "TNE")))
    gate = stand.make_gate()
    tonnes = {"value": "40", "unit": "TNE"}
    stand.issue(quantity=tonnes, valid_until=(BEGINNING + timedelta(days=4)).isoformat()).ok()
    stand.advance(timedelta(days=5))
    stand.issue(quantity=tonnes).ok()
    left = stand.start(gate, quantity={"value": "15", "unit": "TNE"}).ok()
    stand.send("POST", f"/v1/deliveries/{left['id']}/depart", {"reason": "no tags"}).ok()
    assert closing(stand).unfetched == Quantity(Exact("45"), "TNE")
    assert stand.broken() == {}


def test_an_open_note_ends_with_the_call_whatever_this_clock_says(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    note = stand.issue(*pieces).ok()
    stand.call()
    assert stand.note(note)["state"] == "expired"
    assert stand.load(gate, note).problem() == "delivery_overdue"
    assert stand.issue(*pieces).problem() == "delivery_overdue"
    stand.hear(describe_piece(1, version=2))
    assert stand.broken() == {}
