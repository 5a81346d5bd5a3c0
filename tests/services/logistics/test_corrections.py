"""Corrections of weigh tickets that both sides sign, the third party's scale, and weights that were accepted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.values import Exact, Quantity
from events.logistics import DeliveryDeparted, DeliveryWeighed
from tests.services.logistics.conftest import RECEIVE, Stand


def kilos(value: int) -> Quantity:
    return Quantity(Exact(value), "KGM")


def weighed(stand: Stand) -> list[DeliveryWeighed]:
    return [one for one in stand.told() if isinstance(one, DeliveryWeighed)]


def depart(stand: Stand, delivery: dict) -> None:
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "no tags"}).ok()


def states(stand: Stand, delivery: dict) -> list[tuple[str, str]]:
    return [(one["end"], one["state"]) for one in stand.show(delivery)["tickets"]]


@pytest.fixture
def truck(stand: Stand) -> dict:
    """A delivery weighed at both ends: 16,000 kg and 15,900 kg."""
    pieces = stand.hear_deal(2, weigher_id="weigher")
    delivery = stand.start(stand.make_gate(), *pieces).ok()
    stand.weigh(delivery, "loading", 16_000).ok()
    stand.weigh(delivery, "receiving", 15_900).ok()
    return stand.show(delivery)


def ticket_of(truck: dict, end: str) -> dict:
    return next(one for one in truck["tickets"] if one["end"] == end)


def test_a_correction_is_in_force_when_both_sides_have_signed(stand: Stand, truck: dict) -> None:
    (first,) = weighed(stand)
    proposed = stand.correct(truck, ticket_of(truck, "receiving"), 15_950, party="buyer").ok()
    assert (proposed["state"], proposed["signed_by"], proposed["replaces"]) == (
        "proposed",
        ["buyer"],
        ticket_of(truck, "receiving")["id"],
    )
    assert stand.show(truck)["received"]["value"] == "15900"
    assert (weighed(stand), stand.broken()) == ([], {})
    signed = stand.answer(proposed, "sign", party="mill").ok()
    assert (signed["state"], signed["signed_by"]) == ("in_force", ["buyer", "seller"])
    assert states(stand, truck) == [("loading", "in_force"), ("receiving", "replaced"), ("receiving", "in_force")]
    (again,) = weighed(stand)
    assert (first.version, again.version) == (1, 2)
    assert (again.loaded, again.received, again.piece_ids) == (kilos(16_000), kilos(15_950), first.piece_ids)
    assert stand.broken() == {}


def test_a_correction_is_corrected_and_an_old_ticket_is_not(stand: Stand, truck: dict) -> None:
    loading = ticket_of(truck, "loading")
    second = stand.correct(truck, loading, 15_990, party="mill").ok()
    stand.answer(second, "sign", party="buyer").ok()
    assert stand.correct(truck, loading, 15_980, party="mill").problem() == "not_in_force"
    third = stand.correct(truck, second, 15_980, party="buyer").ok()
    stand.answer(third, "sign", party="mill").ok()
    assert [one.loaded for one in weighed(stand)] == [kilos(16_000), kilos(15_990), kilos(15_980)]
    assert stand.broken() == {}


def test_who_may_propose_sign_and_decline(stand: Stand, truck: dict) -> None:
    loading = ticket_of(truck, "loading")
    assert stand.correct(truck, loading, 15_990, party="weigher").problem() == "not_a_party"
    assert stand.correct(truck, loading, 15_990, party="stranger").status == 404
    proposed = stand.correct(truck, loading, 15_990, party="warehouse").ok()
    assert proposed["signed_by"] == []
    assert stand.correct(truck, loading, 15_980, party="mill").problem() == "correction_proposed"
    assert stand.show(truck)["tickets"][-1] == proposed
    for party, problem in (("warehouse", "not_a_party"), ("weigher", "not_a_party"), ("stranger", "not_found")):
        assert stand.answer(proposed, "sign", party=party).problem() == problem
        assert stand.answer(proposed, "decline", party=party).problem() == problem
    stand.answer(proposed, "sign", party="mill").ok()
    assert stand.answer(proposed, "sign", party="mill").problem() == "correction_signed"
    assert stand.answer(proposed, "decline", party="buyer").ok()["state"] == "declined"
    assert stand.answer(proposed, "sign", party="buyer").problem() == "illegal_move"
    stand.correct(truck, loading, 15_980, party="mill").ok()
    assert stand.show(truck)["loaded"]["value"] == "16000"
    assert stand.broken() == {}


@pytest.mark.parametrize("replaces", ["ticket_9", "receiving"])
def test_a_correction_names_a_ticket_of_its_end(stand: Stand, truck: dict, replaces: str) -> None:
    name = ticket_of(truck, replaces)["id"] if replaces == "receiving" else replaces
    before = stand.snapshot()
    assert stand.weigh(truck, "loading", 15_000, party="mill", replaces=name).problem() == "not_in_force"
    assert stand.snapshot() == before


def test_a_correction_before_the_other_end_is_weighed_is_told_with_it(stand: Stand) -> None:
    pieces = stand.hear_deal(2)
    delivery = stand.start(stand.make_gate(), *pieces).ok()
    loading = stand.weigh(delivery, "loading", 16_000).ok()
    proposed = stand.correct(delivery, loading, 15_990, party="buyer").ok()
    stand.answer(proposed, "sign", party="mill").ok()
    stand.weigh(delivery, "receiving", 15_980).ok()
    assert [(one.version, one.loaded) for one in weighed(stand)] == [(1, kilos(15_990))]
    assert stand.broken() == {}


def test_what_stands_for_a_missing_weight_follows_the_correction(stand: Stand) -> None:
    pieces = stand.hear_deal(2)
    delivery = stand.start(stand.make_gate(), *pieces).ok()
    loading = stand.weigh(delivery, "loading", 16_000).ok()
    depart(stand, delivery)
    stand.advance(RECEIVE)
    proposed = stand.correct(delivery, loading, 15_990, party="buyer").ok()
    stand.answer(proposed, "sign", party="mill").ok()
    assert [(one.loaded, one.received) for one in weighed(stand)] == [(kilos(16_000),) * 2, (kilos(15_990),) * 2]
    assert stand.broken() == {}


def test_once_accepted_nothing_is_corrected(stand: Stand, truck: dict) -> None:
    (first,) = weighed(stand)
    proposed = stand.correct(truck, ticket_of(truck, "loading"), 15_990, party="mill").ok()
    stand.accept(first)
    assert states(stand, truck) == [("loading", "in_force"), ("receiving", "in_force"), ("loading", "overtaken")]
    assert stand.answer(proposed, "sign", party="buyer").problem() == "already_accepted"
    assert stand.correct(truck, ticket_of(truck, "loading"), 15_990, party="mill").problem() == "already_accepted"
    assert stand.weigh(truck, "third_party").problem() == "already_accepted"
    assert stand.show(truck)["accepted_stage"] == "whole"
    assert (weighed(stand), stand.broken()) == ([], {})


def test_corrections_that_crossed_with_the_acceptance_are_too_late(stand: Stand, truck: dict) -> None:
    """Three in a row at one end and one at the other: what was accepted is back in force, what came later is history."""
    ticket, told = ticket_of(truck, "receiving"), weighed(stand)
    for net_kg in (15_910, 15_920, 15_930):
        ticket = stand.correct(truck, ticket, net_kg, party="buyer").ok()
        stand.answer(ticket, "sign", party="mill").ok()
        told += weighed(stand)
    other = stand.correct(truck, ticket_of(truck, "loading"), 15_999, party="buyer").ok()
    stand.answer(other, "sign", party="mill").ok()
    stand.accept(told[1])
    seen = stand.show(truck)
    assert (seen["loaded"]["value"], seen["received"]["value"]) == ("16000", "15910")
    assert [state for end, state in states(stand, truck) if end == "receiving"] == [
        "replaced",
        "in_force",
        "too_late",
        "too_late",
    ]
    assert [state for end, state in states(stand, truck) if end == "loading"] == ["in_force", "too_late"]
    assert stand.broken() == {}


def test_a_signature_and_the_acceptance_at_once_leave_one_history(stand: Stand, truck: dict) -> None:
    (first,) = weighed(stand)
    proposed = stand.correct(truck, ticket_of(truck, "loading"), 15_990, party="mill").ok()
    with ThreadPoolExecutor(3) as threads:
        signing = [threads.submit(stand.answer, proposed, "sign", party="buyer") for _ in range(2)]
        threads.submit(stand.accept, first).result()
    assert {one.result().status for one in signing} <= {200, 409}
    assert stand.show(truck)["loaded"]["value"] == "16000"
    assert states(stand, truck)[2][1] in ("overtaken", "too_late")
    assert stand.broken() == {}


def test_a_called_off_truck_has_nothing_to_correct(stand: Stand) -> None:
    pieces = stand.hear_deal(2)
    delivery = stand.start(stand.make_gate(), *pieces).ok()
    loading = stand.weigh(delivery, "loading", 16_000).ok()
    proposed = stand.correct(delivery, loading, 15_990, party="buyer").ok()
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/cancel", {"reason": "no truck"}).ok()
    assert states(stand, delivery) == [("loading", "in_force"), ("loading", "overtaken")]
    assert stand.answer(proposed, "sign", party="mill").problem() == "called_off"
    assert stand.correct(delivery, loading, 15_990, party="buyer").problem() == "called_off"
    assert stand.broken() == {}


@pytest.mark.parametrize(
    ("party", "role", "status"),
    [
        ("weigher", "warehouse", 201),
        ("platform", "operator", 201),
        ("warehouse", "warehouse", 403),
        ("buyer", "warehouse", 403),
        ("stranger", "warehouse", 404),
    ],
)
def test_a_third_party_weighs_what_is_weighed_and_it_is_told_again(
    stand: Stand, truck: dict, party: str, role: str, status: int
) -> None:
    stand.told()
    assert stand.weigh(truck, "third_party", 15_940, party=party, role=role).status == status
    told = [(one.version, one.third_party, one.received) for one in weighed(stand)]
    assert told == ([(2, kilos(15_940), kilos(15_900))] if status == 201 else [])
    assert stand.broken() == {}


def test_an_operator_weighs_at_no_other_end(stand: Stand) -> None:
    pieces = stand.hear_deal(2)
    delivery = stand.start(stand.make_gate(), *pieces).ok()
    for end, problem in (("loading", "not_the_warehouse"), ("receiving", "not_the_buyer")):
        assert stand.weigh(delivery, end, party="platform", role="operator").problem() == problem
    assert stand.weigh(delivery, "third_party", party="platform", role="operator").problem() == "not_departed"
    assert stand.weigh(delivery, "third_party", party="weigher").status == 404


def test_the_third_partys_scale_stands_for_the_receiving_one_where_it_decides(stand: Stand) -> None:
    pieces = stand.hear_deal(2, weighing_rule="THIRD_PARTY", weigher_id="weigher")
    delivery = stand.start(stand.make_gate(), *pieces).ok()
    stand.weigh(delivery, "loading", 16_000).ok()
    stand.weigh(delivery, "third_party", 15_940).ok()
    assert [type(one) for one in stand.told()][1:] == [DeliveryDeparted, DeliveryWeighed]
    seen = stand.show(delivery)
    assert (seen["state"], seen["third_party"]["value"], seen["received"]["value"]) == ("weighed", "15940", "16000")
    assert stand.weigh(delivery, "receiving").problem() == "already_weighed"
    assert stand.broken() == {}


def test_where_the_third_party_decides_the_buyers_scale_is_not_enough(stand: Stand) -> None:
    pieces = stand.hear_deal(2, weighing_rule="THIRD_PARTY", weigher_id="weigher")
    first, second = (stand.start(stand.make_gate(), piece).ok() for piece in pieces)
    for one in (first, second):
        stand.weigh(one, "loading", 8_000).ok()
        stand.weigh(one, "receiving", 7_950).ok()
    assert (weighed(stand), stand.show(first)["state"]) == ([], "received")
    stand.weigh(first, "third_party", 7_970).ok()
    (told,) = weighed(stand)
    assert (told.loaded, told.received, told.third_party) == (kilos(8_000), kilos(7_950), kilos(7_970))
    stand.advance(RECEIVE)
    (stood,) = weighed(stand)
    assert (stood.delivery_id, stood.third_party, stood.received) == (second["id"], None, kilos(7_950))
    stand.weigh(second, "third_party", 7_960).ok()
    assert [(one.version, one.third_party) for one in weighed(stand)] == [(2, kilos(7_960))]
    assert stand.broken() == {}


def test_a_dispute_is_open_to_the_third_partys_scale_until_it_is_decided(stand: Stand, truck: dict) -> None:
    (first,) = weighed(stand)
    stand.accept(first, stage="undisputed", is_last=False)
    assert stand.correct(truck, ticket_of(truck, "loading"), 15_990, party="mill").problem() == "already_accepted"
    third = stand.weigh(truck, "third_party", 15_940).ok()
    (again,) = weighed(stand)
    assert (again.version, again.third_party) == (2, kilos(15_940))
    assert stand.weigh(truck, "third_party", 15_940).problem() == "already_weighed"
    stand.accept(again, stage="decided")
    seen = stand.show(truck)
    assert (seen["accepted_stage"], seen["third_party"]["value"]) == ("decided", "15940")
    assert states(stand, truck)[-1] == ("third_party", "in_force")
    assert stand.correct(truck, third, 15_990, party="mill").problem() == "already_accepted"
    assert stand.broken() == {}


def test_a_third_partys_scale_that_crossed_with_the_decision_is_too_late(stand: Stand, truck: dict) -> None:
    (first,) = weighed(stand)
    stand.accept(first, stage="undisputed", is_last=False)
    stand.weigh(truck, "third_party", 15_940).ok()
    stand.accept(first, stage="decided")
    assert stand.show(truck)["third_party"] is None
    assert states(stand, truck)[-1] == ("third_party", "too_late")
    assert stand.broken() == {}


def test_a_third_partys_ticket_is_corrected_like_any(stand: Stand, truck: dict) -> None:
    third = stand.weigh(truck, "third_party", 15_940).ok()
    proposed = stand.weigh(truck, "third_party", 15_945, replaces=third["id"]).ok()
    assert proposed["signed_by"] == []
    for party in ("buyer", "mill"):
        stand.answer(proposed, "sign", party=party).ok()
    assert [one.third_party for one in weighed(stand)] == [None, kilos(15_940), kilos(15_945)]
    assert stand.broken() == {}


def test_the_third_party_sees_the_delivery_and_its_pieces_from_the_first(stand: Stand, truck: dict) -> None:
    assert stand.show(truck, party="weigher")["id"] == truck["id"]
    assert stand.get("/v1/trails/piece_1", party="weigher").status == 200
    assert stand.get("/v1/pickup-notes", party="weigher").ok()["items"] == []
    stand.advance(timedelta(days=1))
