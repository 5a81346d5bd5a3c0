"""Pick-up notes: who issues them over what, what a code is worth, and how they come to their end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.values import Exact, Quantity
from events.logistics import DeliveryStarted
from tests.services.logistics.conftest import BEGINNING, Stand, describe_deal, kg

LAST_DAY = BEGINNING + timedelta(days=20)


def tonnes(value: str) -> dict[str, str]:
    return {"value": value, "unit": "TNE"}


def part(*piece_ids: str, **changed: object) -> dict:
    return {"piece_ids": list(piece_ids), "plate": "鲁B·54321", "driver": "Wang Fang"} | changed


def states(stand: Stand) -> list[str]:
    return [one["state"] for one in stand.get("/v1/pickup-notes", party="mill").ok()["items"]]


def wrong(note: dict) -> str:
    return f"{(int(note['code']) + 1) % 10**8:08d}"


def test_a_note_says_what_a_truck_may_take_and_who_sees_what_of_it(stand: Stand) -> None:
    pieces = stand.hear_deal(2)
    note = stand.issue(*pieces).ok()
    assert (note["state"], note["plate"], note["valid_until"]) == ("issued", "津A·12345", "2026-03-22T08:00:00Z")
    assert [(one["piece_id"], one["number"]) for one in note["pieces"]] == [("piece_1", "C0001"), ("piece_2", "C0002")]
    assert (len(note["code"]), note["quantity"], note["tries_left"]) == (8, tonnes("16"), 5)
    assert stand.note(note, party="buyer") == stand.note(note) == note
    assert stand.note(note, party="warehouse") == note | {"code": None}
    assert stand.get(f"/v1/pickup-notes/{note['id']}", party="stranger").status == 404
    assert stand.get(f"/v1/pickup-notes/{note['id']}", party="platform", role="operator").ok()["code"] is None
    assert note["code"] not in str(stand.get("/v1/pickup-notes", party="warehouse").ok())
    assert stand.get("/v1/pickup-notes", party="stranger").ok()["items"] == []
    assert stand.get("/v1/pickup-notes?state=void", party="mill").ok()["items"] == []
    assert stand.get("/v1/pickup-notes?deal_id=deal_1", party="mill").ok()["items"] == [note]
    assert stand.told() == []


@pytest.mark.parametrize(
    ("changed", "status", "problem"),
    [
        ({"party": "buyer"}, 403, "not_the_seller"),
        ({"party": "warehouse"}, 403, "not_the_seller"),
        ({"party": "stranger"}, 404, "not_found"),
        ({"deal_id": "deal_9"}, 503, "not_yet_known"),
        ({"piece_ids": []}, 422, "nothing_to_carry"),
        ({"piece_ids": ["piece_1"], "quantity": tonnes("8")}, 422, "nothing_to_carry"),
        ({"piece_ids": ["piece_1", "piece_9"]}, 422, "piece_not_of_deal"),
        ({"valid_until": BEGINNING.isoformat()}, 422, "not_valid_long"),
        ({"valid_until": (LAST_DAY + timedelta(seconds=1)).isoformat()}, 422, "not_valid_long"),
        ({"plate": "x\u0000"}, 422, "invalid_field"),
    ],
)
def test_a_refused_note_changes_nothing(stand: Stand, changed: dict, status: int, problem: str) -> None:
    pieces = stand.hear_deal(2)
    before = stand.snapshot()
    answer = stand.issue(*pieces, **changed)
    assert (answer.status, answer.problem()) == (status, problem)
    assert stand.snapshot() == before


def test_only_the_role_of_a_seller_issues_notes(stand: Stand) -> None:
    pieces = stand.hear_deal(1)
    body = {"deal_id": "deal_1", "piece_ids": pieces, "plate": "x", "driver": "y"}
    assert stand.send("POST", "/v1/pickup-notes", body, party="mill", role="warehouse").problem() == "missing_role"


def test_a_piece_is_in_one_open_note_and_not_on_a_truck(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(3), stand.make_gate()
    stand.issue(*pieces[:2]).ok()
    refused = stand.issue(*pieces[1:])
    assert (refused.status, refused.problem(), refused.body["pieces"]) == (409, "piece_noted", ["piece_2"])
    stand.start(gate, pieces[2]).ok()
    refused = stand.issue(pieces[2])
    assert (refused.status, refused.problem(), refused.body["pieces"]) == (409, "piece_under_way", ["piece_3"])
    assert stand.broken() == {}


def test_the_same_piece_for_sixteen_notes_at_once_is_in_one(stand: Stand) -> None:
    stand.hear_deal(1)
    stand.hear(describe_deal(1, deal_id="deal_2"))
    with ThreadPoolExecutor(16) as threads:
        deals = [threads.submit(stand.issue, "piece_1", deal_id=f"deal_{1 + n % 2}") for n in range(16)]
    answers = [one.result() for one in deals]
    assert sorted(answer.status for answer in answers) == [201] + [409] * 15
    assert {answer.problem() for answer in answers if answer.status == 409} == {"piece_noted"}
    assert stand.broken() == {}


def test_a_note_is_used_once_and_what_was_not_loaded_is_free(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(3), stand.make_gate()
    note = stand.issue(*pieces).ok()
    delivery = stand.load(gate, note, piece_ids=pieces[:2]).ok()
    assert (delivery["plate"], delivery["driver"], delivery["note_id"]) == ("津A·12345", "Li Wei", note["id"])
    assert (delivery["piece_ids"], delivery["quantity"], delivery["state"]) == (pieces[:2], tonnes("16"), "loading")
    assert [type(one) for one in stand.told()] == [DeliveryStarted]
    used = stand.note(note)
    assert (used["state"], used["code"], used["delivery_id"]) == ("used", None, delivery["id"])
    again = stand.load(gate, note)
    assert (again.status, again.problem(), again.body["state"]) == (409, "note_not_open", "used")
    stand.issue(pieces[2]).ok()
    assert stand.broken() == {}


def test_one_note_at_two_gates_at_once_is_one_truck(stand: Stand) -> None:
    pieces, gates = stand.hear_deal(2), [stand.make_gate(), stand.make_gate()]
    note = stand.issue(*pieces).ok()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: stand.load(gates[n % 2], note), range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert {answer.problem() for answer in answers if answer.status == 409} == {"note_not_open"}
    assert stand.broken() == {}


def test_a_repeated_confirmation_is_not_a_second_one(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    note = stand.issue(*pieces, key="note-key-0001").ok()
    assert stand.issue(*pieces, key="note-key-0001").ok() == note
    first = stand.load(gate, note, key="load-key-0001").ok()
    assert stand.load(gate, note, key="load-key-0001").ok() == first


def test_wrong_codes_are_counted_and_in_the_end_the_seller_renews_the_code(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    note = stand.issue(*pieces).ok()
    for left in (4, 3, 2, 1, 0):
        answer = stand.load(gate, note, code=wrong(note))
        assert (answer.status, answer.problem(), answer.body["tries_left"]) == (422, "wrong_code", left)
    answer = stand.load(gate, note)
    assert (answer.status, answer.problem()) == (409, "code_locked")
    assert stand.note(note, party="warehouse")["tries_left"] == 0
    assert stand.change(note, "renew", party="buyer").problem() == "not_the_seller"
    renewed = stand.change(note, "renew").ok()
    assert (renewed["tries_left"], renewed["code"] == note["code"]) == (5, False)
    assert stand.load(gate, note).problem() == "wrong_code"
    stand.load(gate, renewed).ok()
    assert stand.change(note, "renew").problem() == "note_not_open"
    assert stand.broken() == {}


def test_guesses_at_once_are_all_counted_and_the_same_request_once(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    note = stand.issue(*pieces).ok()
    for _ in range(9):
        stand.load(gate, note, code=wrong(note), key="wrong-0001")
    assert stand.note(note)["tries_left"] == 4
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: stand.load(gate, note, code=wrong(note)).problem(), range(8)))
    assert sorted(answers) == ["code_locked"] * 4 + ["wrong_code"] * 4


def test_a_split_note_dies_as_its_children_are_born(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(3), stand.make_gate()
    note = stand.issue(*pieces).ok()
    split = stand.change(note, "split", {"parts": [part(pieces[0]), part(*pieces[1:])]}).ok()
    assert (split["note"]["state"], split["note"]["code"]) == ("split", None)
    first, second = split["children"]
    assert [one["piece_id"] for one in second["pieces"]] == pieces[1:]
    assert (first["parent_id"], first["plate"], first["valid_until"]) == (note["id"], "鲁B·54321", note["valid_until"])
    assert len({first["code"], second["code"], note["code"]}) == 3
    assert stand.load(gate, note).problem() == "note_not_open"
    stand.load(gate, second).ok()
    assert states(stand) == ["used", "issued", "split"]
    assert stand.broken() == {}


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([part("piece_1"), part("piece_2")], "parts_differ"),
        ([part("piece_1", "piece_2"), part("piece_2", "piece_3")], "parts_differ"),
        ([part("piece_1", "piece_2"), part("piece_3", "piece_4")], "parts_differ"),
        ([part("piece_1", "piece_2", "piece_3"), part()], "nothing_to_carry"),
        ([part("piece_1", "piece_2"), part(quantity=tonnes("8"))], "nothing_to_carry"),
        ([part("piece_1", "piece_2", "piece_3")], "invalid_field"),
    ],
)
def test_a_refused_split_changes_nothing(stand: Stand, parts: list, problem: str) -> None:
    note = stand.issue(*stand.hear_deal(3)).ok()
    before = stand.snapshot()
    answer = stand.change(note, "split", {"parts": parts})
    assert (answer.status, answer.problem()) == (422, problem)
    assert stand.change(note, "split", {"parts": [part("piece_1")] * 2}, party="buyer").problem() == "not_the_seller"
    assert stand.snapshot() == before


def test_a_weight_is_noted_split_and_loaded_in_part(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=Quantity(Exact("60"), "TNE")))
    gate = stand.make_gate()
    note = stand.issue(quantity=kg("50000")).ok()
    assert (note["quantity"], note["pieces"]) == (tonnes("50"), [])
    refused = stand.issue(quantity=tonnes("10.000001"))
    assert (refused.problem(), refused.body["remaining"]) == ("quantity_exceeded", tonnes("10"))
    wrong_sum = [part(quantity=tonnes("25")), part(quantity=tonnes("24"))]
    assert stand.change(note, "split", {"parts": wrong_sum}).problem() == "parts_differ"
    halves = [part(quantity=tonnes("20")), part(quantity=kg("30000"))]
    first, second = stand.change(note, "split", {"parts": halves}).ok()["children"]
    assert stand.load(gate, first, quantity=tonnes("20.1")).problem() == "quantity_exceeded"
    assert stand.load(gate, first, piece_ids=["piece_1"]).problem() == "nothing_to_carry"
    assert stand.load(gate, first, quantity=kg("18000.0001")).problem() == "nothing_to_carry"
    assert stand.issue(quantity={"value": "0.5", "unit": "GRM"}).problem() == "nothing_to_carry"
    assert stand.load(gate, first, quantity=kg("18000")).ok()["quantity"] == tonnes("18")
    assert stand.load(gate, second).ok()["quantity"] == tonnes("30")
    stand.issue(quantity=tonnes("12")).ok()
    assert stand.issue(quantity=tonnes("0.000001")).problem() == "quantity_exceeded"
    assert stand.broken() == {}


def test_notes_at_once_are_over_no_more_than_the_deal(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=Quantity(Exact("60"), "TNE")))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: stand.issue(quantity=tonnes("25")), range(8)))
    assert sorted(answer.status for answer in answers) == [201, 201] + [409] * 6
    assert stand.broken() == {}


def test_what_is_void_or_expired_is_free_again(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    first = stand.issue(*pieces).ok()
    assert stand.change(first, "void", {"reason": "x"}, party="buyer").problem() == "not_the_seller"
    assert stand.change(first, "void", {"reason": "x"}, party="stranger").status == 404
    gone = stand.change(first, "void", {"reason": "the truck broke down"}).ok()
    assert (gone["state"], gone["reason"], gone["code"]) == ("void", "the truck broke down", None)
    assert stand.change(first, "void", {"reason": "x"}).problem() == "illegal_move"
    second = stand.issue(*pieces, valid_until=(BEGINNING + timedelta(hours=2)).isoformat()).ok()
    stand.frozen.advance(timedelta(hours=2))
    late = stand.load(gate, second)
    assert (late.problem(), late.body["state"]) == ("note_not_open", "expired")
    assert stand.advance(timedelta()) == 1
    assert states(stand) == ["expired", "void"]
    stand.start(gate, *pieces).ok()
    assert stand.broken() == {}


def test_a_truck_that_was_called_off_needs_another_note(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    note = stand.issue(*pieces).ok()
    delivery = stand.load(gate, note).ok()
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/cancel", {"reason": "overloaded"}).ok()
    assert stand.load(gate, note).problem() == "note_not_open"
    stand.start(gate, *pieces).ok()
    assert stand.broken() == {}


def test_delivered_goods_leave_by_a_note_too(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1, delivery_mode="delivered"), stand.make_gate()
    stand.start(gate, *pieces).ok()


def test_the_yard_of_the_seller_itself_sees_the_code_as_the_seller(stand: Stand) -> None:
    pieces = stand.hear_deal(1, warehouse_id="mill")
    note = stand.issue(*pieces).ok()
    gate = stand.make_gate(party="mill")
    stand.load(gate, note, party="mill").ok()


def test_notes_and_trucks_over_what_a_deal_no_longer_has_are_called_off(stand: Stand) -> None:
    stand.hear_deal(5)
    gate = stand.make_gate()
    kept, loading, gone = (stand.start(gate, f"piece_{n}").ok() for n in (1, 2, 3))
    stand.pass_gate(gate, 3)
    note = stand.issue("piece_4", "piece_5").ok()
    stand.hear(describe_deal(1, 3, 5, version=2))
    assert [stand.show(one)["state"] for one in (kept, loading, gone)] == ["loading", "cancelled", "departed"]
    assert (stand.note(note)["state"], stand.note(note)["reason"]) == ("void", "its goods are no longer of the deal")
    stand.issue("piece_5").ok()
    assert stand.broken() == {}


def test_of_a_weight_that_shrinks_the_newest_goes_first(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=Quantity(Exact("60"), "TNE")))
    gate = stand.make_gate()
    older, newer = (stand.start(gate, quantity=tonnes("20")).ok() for _ in range(2))
    notes = [stand.issue(quantity=tonnes("10")).ok() for _ in range(2)]
    stand.hear(describe_deal(quantity=Quantity(Exact("50"), "TNE"), version=2))
    assert [stand.note(one)["state"] for one in notes] == ["issued", "void"]
    stand.hear(describe_deal(quantity=Quantity(Exact("30"), "TNE"), version=3))
    assert [stand.show(one)["state"] for one in (older, newer)] == ["loading", "cancelled"]
    assert [stand.note(one)["state"] for one in notes] == ["issued", "void"]
    stand.hear(describe_deal(quantity=Quantity(Exact("30"), "TNE"), version=4, state="settling"))
    assert states(stand)[:2] == ["void", "void"]
    assert stand.broken() == {}


def test_what_may_be_paid_any_time_is_waited_for_and_what_is_strange_is_not(stand: Stand) -> None:
    stand.hear_deal(1, unpaid_piece_ids=["piece_2"], unpaid=Quantity(Exact("8"), "TNE"))
    for pieces, status, problem in (
        (["piece_1", "piece_2"], 503, "not_yet_known"),
        (["piece_3"], 422, "piece_not_of_deal"),
    ):
        answer = stand.issue(*pieces)
        assert (answer.status, answer.problem(), answer.body["pieces"]) == (status, problem, pieces[-1:])
    stand.hear(describe_deal(1, 2, version=2))
    stand.issue("piece_1", "piece_2").ok()


def test_a_weight_that_may_be_paid_any_time_is_waited_for(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=Quantity(Exact("40"), "TNE"), unpaid=Quantity(Exact("20"), "TNE")))
    assert stand.issue(quantity=tonnes("60")).problem() == "not_yet_known"
    assert stand.issue(quantity=tonnes("60.000001")).problem() == "quantity_exceeded"
    stand.hear(describe_deal(quantity=Quantity(Exact("60"), "TNE"), version=2))
    stand.issue(quantity=tonnes("60")).ok()
    assert stand.broken() == {}
