"""A pick-up note: its code, its parts, and what a truck loads of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.auth import Caller
from chassis.problems import Problem
from chassis.values import Exact, Quantity
from services.logistics.notes.model import (
    MOST_WRONG_CODES,
    CodeLocked,
    NoteNotOpen,
    NotValidLong,
    PartsDiffer,
    PickupNote,
    State,
    WrongCode,
    check_pieces_add_up,
    check_validity,
    check_weights_add_up,
    make_code,
)
from services.logistics.shipments.loads import choose_load

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def tonnes(value: str) -> Quantity:
    return Quantity(Exact(value), "TNE")


def make_note() -> PickupNote:
    return PickupNote(
        state=State.ISSUED,
        code="12345678",
        wrong_codes=0,
        seller_id="mill",
        buyer_id="buyer",
        warehouse_id="yard",
        valid_from=NOW,
        valid_until=NOW + DAY,
        due_at=NOW + DAY,
    )


def test_a_code_has_eight_digits_and_is_not_the_one_before() -> None:
    codes = {make_code() for _ in range(200)}
    assert len(codes) > 190
    assert all(len(code) == 8 and code.isdecimal() for code in codes)


@pytest.mark.parametrize("code", ["", "1234567", "123456789", "12345679", "１２３４５６７８", "x" * 64])
def test_a_wrong_code_is_counted_until_none_is_taken(code: str) -> None:
    note = make_note()
    for left in reversed(range(MOST_WRONG_CODES)):
        assert isinstance(note.try_code(code), WrongCode)
        assert note.tries_left == left
    assert isinstance(note.try_code("12345678"), CodeLocked)
    note.renew_code(NOW + timedelta(hours=1))
    assert (note.try_code(note.code), note.tries_left, note.valid_from) == (None, 5, NOW + timedelta(hours=1))


def test_the_code_is_for_seller_and_buyer_while_it_is_of_use() -> None:
    note = make_note()
    known = {party: note.code_for(Caller("u", party)) for party in ("mill", "buyer", "yard", "stranger")}
    assert known == {"mill": "12345678", "buyer": "12345678", "yard": None, "stranger": None}
    note.end("use", NOW)
    assert note.code_for(Caller("u", "mill")) is None


def test_a_note_ends_with_its_day_even_when_the_timer_is_late() -> None:
    note = make_note()
    note.check_is_open(NOW + DAY - timedelta(microseconds=1))
    with pytest.raises(NoteNotOpen):
        note.check_is_open(NOW + DAY)
    with pytest.raises(NoteNotOpen):
        note.renew_code(NOW + DAY)


@pytest.mark.parametrize(
    ("move", "period", "was_open"), [("expire", DAY, True), ("expire", DAY * 2, False), ("void", DAY, False)]
)
def test_goods_were_there_to_be_fetched_when_a_note_ran_out_its_time(
    move: str, period: timedelta, was_open: bool
) -> None:
    note = make_note()
    note.end(move, NOW + DAY * 3)
    assert note.was_open_for(period) == was_open


def test_a_note_that_was_cut_short_was_open_for_so_long() -> None:
    note = make_note()
    note.end("expire", NOW + timedelta(hours=5))
    assert note.was_open_for(timedelta(hours=5))
    assert not note.was_open_for(timedelta(hours=5, microseconds=1))


def test_validity_is_between_now_and_the_last_day() -> None:
    check_validity(NOW + DAY, now=NOW, deliver_by=NOW + DAY)
    for until in (NOW, NOW + DAY + timedelta(microseconds=1)):
        with pytest.raises(NotValidLong):
            check_validity(until, now=NOW, deliver_by=NOW + DAY)


names = st.sampled_from("abcdef")


@given(noted=st.sets(names, min_size=1), parts=st.lists(st.lists(names, max_size=4), min_size=2, max_size=4))
def test_parts_of_pieces_are_the_note_each_piece_once(noted: set[str], parts: list[list[str]]) -> None:
    is_split = all(parts) and sorted(piece for part in parts for piece in part) == sorted(noted)
    try:
        check_pieces_add_up(noted, parts)
    except PartsDiffer:
        assert not is_split
    else:
        assert is_split


@given(parts=st.lists(st.integers(0, 10**9), min_size=2, max_size=5), off=st.integers(0, 1))
def test_parts_of_a_weight_come_to_it_exactly(parts: list[int], off: int) -> None:
    kilos = [Quantity(Exact(value), "KGM") for value in parts]
    noted = Quantity(Exact(sum(parts) + off), "KGM").to("TNE")
    if off == 0 and all(parts):
        check_weights_add_up(noted, kilos)
    else:
        with pytest.raises(PartsDiffer):
            check_weights_add_up(noted, kilos)


@given(
    weights=st.dictionaries(names, st.integers(1, 30).map(lambda value: tonnes(str(value))), max_size=6),
    named=st.none() | st.lists(names, max_size=6),
    quantity=st.none() | st.integers(0, 70).map(lambda value: tonnes(str(value))),
)
def test_no_more_is_loaded_than_the_note_is_over(weights: dict, named: list | None, quantity: Quantity | None) -> None:
    noted = sum(weights.values(), tonnes("0")) if weights else tonnes("60")
    try:
        chosen, load = choose_load(noted, weights, piece_ids=named, quantity=quantity)
    except Problem as problem:
        assert problem.members["field"] in ("$.piece_ids", "$.quantity")
        return
    assert tonnes("0") < load <= noted
    assert set(chosen) <= weights.keys()
    if weights:
        assert load == sum((weights[id] for id in chosen), tonnes("0"))
        assert set(chosen) == (weights.keys() if named is None else set(named))
