"""Uploads that come at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from events.catalog import PieceDescribed
from tests.services.catalog.conftest import Catalog, row, sheet

EPC = "3034257BF400B7800004CB2F"


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_the_same_file_six_times_at_once_makes_its_pieces_once(catalog: Catalog) -> None:
    body = sheet(*(row(f"C-{i}") for i in range(40)))
    answers = [answer.ok() for answer in at_once(*[lambda: catalog.upload(body)] * 6)]
    assert sorted(answer["created"] for answer in answers) == [0] * 5 + [40]
    assert sum(answer["unchanged"] for answer in answers) == 200 and not any(answer["errors"] for answer in answers)
    assert len(catalog.told(PieceDescribed)) == 40


def test_one_key_six_times_at_once_has_one_effect_and_equal_answers(catalog: Catalog) -> None:
    body = sheet(row("C-1"))
    answers = at_once(*[lambda: catalog.upload(body, key="the-same-key")] * 6)
    assert {str(answer.body) for answer in answers} == {str(answers[0].body)} and answers[0].ok()["created"] == 1


def test_a_tag_that_two_companies_claim_at_once_is_on_one_piece(catalog: Catalog) -> None:
    calls = [lambda by=by: catalog.upload(sheet(row("C-1", epc=EPC)), by) for by in (catalog.mill, catalog.other)]
    answers = at_once(*calls, *calls)
    for answer in answers:
        if answer.status != 200:
            assert (answer.status, answer.problem()) == (409, "tag_taken")
    assert len(catalog.told(PieceDescribed)) == 1
    assert catalog.world.sql("catalog", "SELECT count(*) FROM piece WHERE epc = :epc", epc=EPC)[0][0] == 1


def test_changes_of_one_piece_at_once_are_each_in_its_history(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1"))).ok()
    grades = [f"Q{number}B" for number in (275, 345, 355, 390, 420)]
    answers = at_once(*[lambda grade=grade: catalog.upload(sheet(row("C-1", grade=grade))) for grade in grades])
    assert [answer.ok()["updated"] for answer in answers] == [1] * 5
    assert [event.version for event in catalog.told(PieceDescribed)] == [1, 2, 3, 4, 5, 6]
    (id,) = (piece["id"] for piece in catalog.pieces().values())
    changes = [change["changes"]["grade"] for change in catalog.mill.get(f"/v1/pieces/{id}/changes").ok()["items"]]
    assert {after for _, after in changes} == set(grades) and changes[-1][0] == "Q235B"
    assert [before for before, _ in changes[:-1]] == [after for _, after in changes[1:]]
