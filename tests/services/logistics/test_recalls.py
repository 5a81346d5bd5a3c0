"""Parts of a deal that orders asks back: free unless some of it is on a truck, and then carried no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.problems import NotYetKnown
from chassis.values import Exact, Money, Quantity
from events.logistics import RecallAnswered
from events.orders import PartEnded
from tests.services.logistics.conftest import Stand, describe_deal


def weight(value: str) -> Quantity:
    return Quantity(Exact(value), "TNE")


def tonnes(value: str) -> dict[str, str]:
    return {"value": value, "unit": "TNE"}


def end_part(*piece_ids: str, quantity: str = "8") -> PartEnded:
    return PartEnded(
        deal_id="deal_1",
        part_id="part_1",
        by=None,
        piece_ids=list(piece_ids),
        quantity=weight(quantity),
        value=Money.zero("CNY"),
        is_paid=True,
        forfeit=Money.zero("CNY"),
        reason="agreed",
    )


def test_a_part_that_no_truck_has_is_given_back_and_its_note_is_void(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(4), stand.make_gate()
    note = stand.issue(*pieces[:2]).ok()
    other = stand.issue(pieces[2]).ok()
    assert stand.recall(pieces[1], pieces[3])
    assert [stand.note(one)["state"] for one in (note, other)] == ["void", "issued"]
    assert stand.note(note)["reason"] == "both sides cancelled some of its goods"
    refused = stand.issue(*pieces[:2])
    assert (refused.status, refused.problem(), refused.body["pieces"]) == (409, "part_withdrawn", [pieces[1]])
    stand.start(gate, pieces[0]).ok()
    stand.hear(end_part(pieces[1], pieces[3]), describe_deal(1, 3, version=2))
    assert stand.issue(pieces[3]).problem() == "piece_not_of_deal"
    assert stand.broken() == {}


def test_a_part_of_which_some_is_on_a_truck_is_not_and_nothing_changes(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(3), stand.make_gate()
    truck = stand.start(gate, pieces[0]).ok()
    note = stand.issue(pieces[1]).ok()
    assert not stand.recall(pieces[0], pieces[1])
    assert (stand.show(truck)["state"], stand.note(note)["state"]) == ("loading", "issued")
    stand.load(gate, note).ok()
    assert not stand.recall(pieces[1], recall_id="recall_2")
    stand.pass_gate(gate, 1)
    stand.weigh(truck, "loading").ok()
    stand.weigh(truck, "receiving").ok()
    assert not stand.recall(pieces[0], recall_id="recall_3")
    stand.start(gate, pieces[2]).ok()
    assert stand.broken() == {}


def test_asked_again_the_answer_is_the_same(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    truck = stand.start(gate, pieces[0]).ok()
    assert not stand.recall(pieces[0])
    stand.send("POST", f"/v1/deliveries/{truck['id']}/cancel", {"reason": "no truck"}).ok()
    assert not stand.recall(pieces[0])
    assert stand.recall(pieces[0], recall_id="recall_2")
    before = stand.snapshot()
    assert stand.recall(pieces[0], recall_id="recall_2")
    assert stand.snapshot() == before
    assert stand.issue(pieces[0]).problem() == "part_withdrawn"


def test_of_a_weight_enough_must_not_be_under_way(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=weight("60")))
    gate = stand.make_gate()
    stand.start(gate, quantity=tonnes("20")).ok()
    notes = [stand.issue(quantity=tonnes("15")).ok() for _ in range(2)]
    assert not stand.recall(quantity="40.000001")
    assert stand.recall(quantity="20", recall_id="recall_2")
    assert [stand.note(one)["state"] for one in notes] == ["issued", "void"]
    assert stand.issue(quantity=tonnes("5.000001")).body["remaining"] == tonnes("5")
    assert not stand.recall(quantity="20.1", recall_id="recall_3")
    assert stand.broken() == {}


def test_a_weight_counts_as_given_back_until_the_deal_is_described_without_it(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=weight("60")))
    assert stand.recall(quantity="20")
    stand.hear(describe_deal(quantity=weight("65"), version=2))
    assert stand.issue(quantity=tonnes("46")).body["remaining"] == tonnes("45")
    stand.hear(end_part(quantity="20"))
    assert stand.issue(quantity=tonnes("46")).body["remaining"] == tonnes("45")
    stand.hear(describe_deal(quantity=weight("45"), version=3))
    assert stand.issue(quantity=tonnes("46")).body["remaining"] == tonnes("45")
    stand.issue(quantity=tonnes("45")).ok()
    assert stand.broken() == {}


def test_a_truck_and_a_recall_at_once_agree(stand: Stand) -> None:
    for n in range(1, 9):
        (piece,) = stand.hear_deal(1, deal_id="deal_1", first=n, version=n)
        gate = stand.make_gate()
        note = stand.issue(piece).ok()
        stand.told()
        with ThreadPoolExecutor(2) as threads:
            truck = threads.submit(stand.load, gate, note)
            threads.submit(lambda p=piece, n=n: stand.hear(_recall(p, n))).result()
        (answer,) = [one for one in stand.told() if isinstance(one, RecallAnswered)]
        assert answer.is_free == (truck.result().status == 409)
        assert stand.broken().keys() <= {"delivery_within_deal"}  # the deal is described anew with one coil each time


def _recall(piece: str, n: int):
    from events.orders import PartRecalled

    return PartRecalled(deal_id="deal_1", recall_id=f"recall_{n}", piece_ids=[piece], quantity=weight("8"))


def test_a_recall_waits_for_its_deal_and_an_end_of_what_never_was_carried_for_nothing(stand: Stand) -> None:
    with pytest.raises(NotYetKnown):
        stand.recall("piece_1")
    stand.hear(end_part(quantity="8"))
    assert stand.told() == []


def test_what_was_given_back_is_not_unfetched(stand: Stand) -> None:
    pieces = stand.hear_deal(2)
    stand.issue(*pieces, valid_until="2026-03-06T08:00:00Z").ok()
    stand.advance(_days(10))
    assert stand.recall(pieces[0])
    stand.advance(_days(10))
    stand.call()
    (closed,) = stand.told()
    assert closed.unfetched_piece_ids == [pieces[1]]


def _days(count: int):
    from datetime import timedelta

    return timedelta(days=count)
