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


def test_a_tag_that_is_bound_to_two_pieces_at_once_is_on_one(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1"), row("C-2"))).ok()
    ids = [piece["id"] for piece in catalog.pieces().values()]
    calls = [lambda id=id: catalog.store.post(f"/v1/pieces/{id}/tag", {"epc": EPC}) for id in ids]
    answers = at_once(*calls, *calls)
    for answer in answers:
        assert answer.status == 200 or (answer.status, answer.problem()) == (409, "tag_taken")
    assert catalog.world.sql("catalog", "SELECT count(*) FROM tag WHERE epc = :epc", epc=EPC)[0][0] == 1
    assert catalog.world.broken() == {}


def test_one_certificate_six_times_at_once_is_kept_once_and_frees_its_pieces_once(catalog: Catalog) -> None:
    catalog.upload(sheet(*(row(f"C-{i}") for i in range(10)))).ok()
    answers = at_once(*[lambda: catalog.certify(("H26-118",))] * 6)
    assert {answer.ok()["id"] for answer in answers} == {answers[0].body["id"]}
    assert [event.version for event in catalog.told(PieceDescribed)].count(2) == 10
    assert {piece["blocked"] for piece in catalog.pieces().values()} == {None}


def test_pieces_and_their_certificate_that_come_at_once_agree(catalog: Catalog) -> None:
    at_once(lambda: catalog.upload(sheet(row("C-1"))).ok(), lambda: catalog.certify(("H26-118",)).ok())
    assert catalog.pieces()["C-1"]["blocked"] is None
