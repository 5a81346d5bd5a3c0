"""Uploads over HTTP: what a seller sends, is told and gets, and what comes of strange requests."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from chassis.access import learn_denial
from chassis.uploads import commands, job, model
from chassis.uploads.writers import write_table
from tests.chassis.uploads.conftest import HEADING, MILL, OTHER, Library, counts, sheet

GOOD = ("A-1,红楼梦,800,一层", "A-2,西游记,700,", "A-3,三国,600.5,二层", "A-4,水浒,500,")


def test_a_file_is_sent_opened_checked_and_applied(books: Library) -> None:
    id = books.upload(
        sheet("A-1,红楼梦,800,一层", "A-2,西游记,x,", "A-3,forbidden,700,", "A-4,三国,1,", "A-5,水浒,2,水浒")
    )
    opened = books.see(id)
    assert opened["state"] == "opened" and opened["format"] == "csv" and opened["missing"] == []
    assert [(each["field"], each["unit"], each["source"]) for each in opened["columns"]] == [
        ("number", None, "guessed"), ("title", None, "guessed"), ("grams", "g", "guessed"), ("shelf", None, "guessed"),
    ]  # fmt: skip
    assert opened["columns"][1]["samples"] == ["红楼梦", "西游记", "forbidden"]

    checked = books.run(id, "check")
    assert checked["state"] == "checked" and counts(checked) == (5, 2, 0, 0, 3)
    wrong = [
        (3, "重量(g)", "x", "is not a number"),
        (4, "书名", "forbidden", "is on the index"),
        (6, "书架", "水浒", "is the title"),
    ]
    assert books.errors(id) == wrong and books.books() == {} and books.told() == []

    applied = books.run(id)
    assert applied["state"] == "applied" and counts(applied) == (5, 2, 0, 0, 3) and applied["rows_expected"] == 5
    assert books.errors(id) == wrong
    assert books.books() == {"A-1": (1, "红楼梦", "800", "一层"), "A-4": (1, "三国", "1", None)}
    assert len(books.told()) == 2

    again = books.run(books.upload(sheet("A-1,红楼梦,800,一层", "A-4,三国志,1,", "A-6,聊斋,3,")))
    assert counts(again) == (3, 1, 1, 1, 0)
    assert books.books()["A-4"] == (2, "三国志", "1", None) and len(books.told()) == 4


def test_errors_are_told_in_the_language_of_the_sender_or_of_the_reader(books: Library) -> None:
    id = books.upload(sheet("A 1,红楼梦,800,", "A-2,,x", "A-3,三国,x,", "A-3,forbidden,1,"), language="zh")
    books.run(id)
    assert [reason for _, _, _, reason in books.errors(id)] == [
        "不是书号",
        "有 3 个单元格，而表头有 4 个",
        "不是数字",
        "已被列为禁书",
    ]
    assert [reason for _, _, _, reason in books.errors(id, language="en")] == [
        "is no number of a book", "has 3 cells where the heading has 4", "is not a number", "is on the index",
    ]  # fmt: skip
    file = books.mill.get(f"/v1/uploads/{id}/errors/file").ok().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(file)))[:3] == [
        ["行", "列", "内容", "原因"], ["2", "编号", "A 1", "不是书号"], ["3", "", "", "有 3 个单元格，而表头有 4 个"],
    ]  # fmt: skip
    lines = books.mill.get(f"/v1/uploads/{id}/errors/file", format="jsonl", language="en").ok().decode().splitlines()
    assert json.loads(lines[0]) == {"row": "2", "column": "编号", "value": "A 1", "reason": "is no number of a book"}


def test_an_error_file_runs_nothing(books: Library) -> None:
    id = books.upload(sheet("=1+1 x,@x,+1,-", '"=HYPERLINK(""http://x"")",a,-5,'))
    books.run(id, "check")
    answer = books.mill.get(f"/v1/uploads/{id}/errors/file")
    values = [row[2] for row in csv.reader(io.StringIO(answer.ok().decode("utf-8-sig")))]
    assert values == ["value", "'=1+1 x", "'+1", "-5"]
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert b"<f>" not in books.mill.get(f"/v1/uploads/{id}/errors/file", format="xlsx").ok()


def test_errors_come_in_pages(books: Library) -> None:
    id = books.upload(sheet(*(f"A-{n},t,x," for n in range(10))))
    books.run(id, "check")
    first = books.mill.get(f"/v1/uploads/{id}/errors", limit=4).ok()
    rest = books.mill.get(f"/v1/uploads/{id}/errors", limit=10, cursor=first["next"]).ok()
    assert [each["row"] for each in first["items"] + rest["items"]] == list(range(2, 12)) and rest["next"] is None
    assert books.mill.get(f"/v1/uploads/{id}/errors", cursor="bm9uZQ").problem() == "invalid"


def test_headings_that_are_not_known_are_mapped_once_and_kept(books: Library) -> None:
    body = sheet("A-1,红楼梦,0.8,x", heading="书籍编码,书名,几公斤,备注")
    id = books.upload(body)
    opened = books.see(id)
    assert [each["label"] if "label" in each else each["en"] for each in opened["missing"]] == ["Number", "Weight"]
    assert books.move(id, "apply").problem() == "columns_missing"
    wanted = [{"column": 1, "field": "number"}, {"column": 3, "field": "grams", "unit": "kg"}]
    mapped = books.mill.post(f"/v1/uploads/{id}/mapping", {"columns": wanted}).ok()
    assert mapped["missing"] == [] and [each["source"] for each in mapped["columns"]] == [
        "chosen", "guessed", "chosen", "unknown",
    ]  # fmt: skip
    assert counts(books.run(id)) == (1, 1, 0, 0, 0) and books.books() == {"A-1": (1, "红楼梦", "800", None)}

    later = books.see(books.upload(body))
    assert later["missing"] == [] and [each["source"] for each in later["columns"]] == [
        "kept",
        "guessed",
        "kept",
        "unknown",
    ]
    assert books.see(books.upload(body, by=books.other), books.other)["missing"] != []


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ([{"column": 5, "field": "title"}], "$.columns[0].column"),
        ([{"column": 1, "field": "colour"}], "$.columns[0].field"),
        ([{"column": 3, "field": "grams", "unit": "lb"}], "$.columns[0].unit"),
        ([{"column": 1, "field": "title", "unit": "g"}], "$.columns[0].unit"),
        ([{"column": 1, "field": "title"}], "$.columns"),
    ],
)
def test_a_mapping_that_does_not_stand_changes_nothing(books: Library, columns: list[Any], field: str) -> None:
    id = books.upload(sheet(*GOOD))
    before = books.see(id)
    answer = books.mill.post(f"/v1/uploads/{id}/mapping", {"columns": columns})
    assert (answer.problem(), answer.body["field"]) == ("unknown_column", field) and books.see(id) == before


def test_a_column_may_be_left_out(books: Library) -> None:
    id = books.upload(sheet(*GOOD))
    books.mill.post(f"/v1/uploads/{id}/mapping", {"columns": [{"column": 4}]}).ok()
    books.run(id)
    assert {shelf for _, _, _, shelf in books.books().values()} == {None}


def test_parts_come_in_any_order_and_more_than_once(books: Library) -> None:
    body = sheet(*GOOD)
    id = books.begin().ok()["id"]
    assert books.send(id, 2, body[40:]).ok() == {
        "part": 2, "size_bytes": len(body) - 40, "sha256": hashlib.sha256(body[40:]).hexdigest(),
    }  # fmt: skip
    assert books.mill.get(f"/v1/uploads/{id}/parts/1").status == 404
    assert books.move(id, "close", parts=2).body["parts"] == [1]
    books.send(id, 1, body[:40], sha256=hashlib.sha256(body[:40]).hexdigest()).ok()
    books.send(id, 2, body[40:]).ok()
    assert books.send(id, 2, b"other").problem() == "part_differs"
    assert books.send(id, 3, b"other", sha256="0" * 64).problem() == "part_damaged"
    assert books.send(id, 3, b"").problem() == "invalid"
    for bad in ("0", "-1", "1001", "x", "1.5", "٣"):
        assert books.send(id, bad, b"x").status == 404
    assert books.move(id, "close", parts=1).body["parts"] == [2]
    assert books.see(id)["size_bytes"] == len(body)
    books.move(id, "close", parts=2).ok()
    books.world.settle()
    assert books.send(id, 3, b"x").problem() == "illegal_move"
    assert counts(books.run(id)) == (4, 4, 0, 0, 0)


def test_a_small_file_is_sent_as_a_whole(books: Library) -> None:
    params = {"kind": "books", "market": "paper", "file_name": "書.csv"}
    made = books.mill.post("/v1/uploads/files", sheet(*GOOD), content_type="text/csv", params=params).ok()
    assert made["state"] == "opening"
    books.world.settle()
    assert counts(books.run(made["id"])) == (4, 4, 0, 0, 0)


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl"])
def test_every_kind_of_file_says_the_same(books: Library, format: Any) -> None:
    rows = [line.split(",") for line in GOOD] + [["A-5", "", "x", ""], ["A-1", "twice", "1", ""]]
    body = b"".join(write_table(format, HEADING.split(","), rows, numbers=(False, False, True, False)))
    id = books.upload(body, cuts=(7, 100, 101))
    done = books.run(id)
    assert done["format"] == format and counts(done) == (6, 4, 0, 0, 2) and len(books.books()) == 4
    first = 6 if format != "jsonl" else 5
    assert books.errors(id) == [
        (first, "书名", "", "is missing"),
        (first, "重量(g)", "x", "is not a number"),
        (first + 1, "编号", "A-1", f"stands in row {first - 4} already"),
    ]


def test_a_million_ways_to_be_no_table(books: Library) -> None:
    for body, reason in [
        (b"\r\n\r\n", "the file is empty"),
        (b"\xff\xfe\x00", "in line 1 there are bytes that are neither UTF-8 nor GB18030"),
        (b"\xd0\xcf\x11\xe0old", "this is a workbook of the old kind (XLS): save it as XLSX"),
        (b"PK\x03\x04broken", "the workbook's archive is broken: File is not a zip file"),
        (b'{"a": 1}\n', None),
        (b'a,"b', "after row 0: unexpected end of data"),
        (("x," * 300).encode(), "the heading has more than 200 columns"),
    ]:
        upload = books.see(books.upload(body))
        assert (upload["state"], upload["reason"]) == (("refused", reason) if reason else ("opened", None))
        if upload["state"] == "opened":
            books.move(upload["id"], "cancel").ok()
    zh = books.see(books.upload(b"\r\n", language="zh"))
    assert zh["reason"] == "文件为空"
    assert books.see(books.upload(sheet(*GOOD), sheet="二"))["reason"] == "only a workbook has sheets"


def test_a_file_that_breaks_half_way_keeps_what_came_before(books: Library) -> None:
    id = books.upload(sheet(*GOOD) + b'A-9,"open')
    done = books.run(id)
    assert (done["state"], done["reason"]) == ("refused", "after row 5: unexpected end of data")
    assert counts(done)[:2] == (3, 3) and sorted(books.books()) == ["A-1", "A-2", "A-3"]


def test_a_total_that_differs_is_told_and_keeps_a_checked_file_out(books: Library) -> None:
    id = books.upload(sheet(*GOOD, "合计,4本,2600,"))
    assert books.run(id, "check")["totals_differing"] == 1
    assert books.errors(id) == [(6, "重量(g)", "2600", "the total is 2600, the rows come to 2600.5")]
    answer = books.move(id, "apply")
    assert answer.problem() == "totals_differ" and books.books() == {}
    right = books.upload(sheet(*GOOD, "合计4本,,2600.5,"))
    assert books.run(right, "check")["errors"] == 0
    assert counts(books.run(right)) == (4, 4, 0, 0, 0)


def test_cancelling_half_way_keeps_what_is_in_and_running_again_is_a_no_op_for_it(books: Library) -> None:
    id = books.upload(sheet(*(f"A-{n},t{n},{n + 1}," for n in range(8))))
    books.move(id, "apply").ok()
    loop = books.world.loops["library", "uploads"]
    for _ in range(2):
        loop.step()
    seen = books.see(id)
    assert seen["state"] == "applying" and seen["rows"] == seen["created"] == len(books.books()) == 6
    books.move(id, "cancel").ok()
    books.world.settle()
    cancelled = books.see(id)
    assert cancelled["state"] == "cancelled" and cancelled["created"] == len(books.books()) == 6
    for move in ("check", "apply", "cancel"):
        assert books.move(id, move).problem() == "illegal_move"
    assert counts(books.run(books.upload(sheet(*(f"A-{n},t{n},{n + 1}," for n in range(8)))))) == (8, 2, 0, 6, 0)
    assert len(books.told()) == 8


def test_nobody_sees_or_moves_an_upload_of_others(books: Library) -> None:
    id = books.upload(sheet(*GOOD))
    before = books.world.count_rows()
    for path in ("", "/errors", "/errors/file", "/parts/1"):
        assert books.other.get(f"/v1/uploads/{id}{path}").status == 404
    assert books.other.get("/v1/uploads").ok()["items"] == []
    for move, body in (
        ("close", {"parts": 1}),
        ("mapping", {"columns": [{"column": 1}]}),
        ("check", {}),
        ("apply", {}),
        ("cancel", {}),
    ):
        assert books.move(id, move, books.other, **body).status == 404
    assert books.send(id, 2, b"x", books.other).status == 404
    assert books.world.count_rows() == before
    assert books.reader.get(f"/v1/uploads/{id}").ok()["id"] == id == books.operator.get(f"/v1/uploads/{id}").ok()["id"]
    for by in (books.reader, books.buyer, books.operator):
        assert books.move(id, "apply", by).problem() == "missing_role"
        assert books.begin(by).problem() == "missing_role"


def test_companies_have_numbers_of_their_own(books: Library) -> None:
    books.run(books.upload(sheet(*GOOD)))
    id = books.upload(sheet("A-1,other,1,"), by=books.other)
    books.move(id, "apply", books.other).ok()
    books.world.settle()
    assert books.books(OTHER) == {"A-1": (1, "other", "1", None)} and books.books()["A-1"][1] == "红楼梦"


def test_a_key_makes_one_upload_and_starts_one_run(books: Library) -> None:
    body = {"kind": "books", "market": "paper", "file_name": "x"}
    first, second = (books.mill.post("/v1/uploads", body, key="once-and-for-all").ok() for _ in range(2))
    assert first == second and len(books.mill.get("/v1/uploads").ok()["items"]) == 1
    assert books.mill.post("/v1/uploads", {**body, "file_name": "y"}, key="once-and-for-all").problem() == "key_reused"
    assert books.mill.post("/v1/uploads", body, key="").problem() == "key_missing"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"kind": "films"}, "unknown_kind"),
        ({"market": "vellum"}, "no_such_library"),
        ({"file_name": ""}, "invalid_field"),
    ],
)
def test_what_cannot_begin_leaves_nothing(books: Library, said: dict[str, str], problem: str) -> None:
    before = books.world.count_rows()
    assert books.begin(**said).problem() == problem and books.world.count_rows() == before


def test_limits(books: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(commands, "MAX_OPEN", 2)
    monkeypatch.setattr(job, "MAX_ROWS", 4)
    monkeypatch.setattr("chassis.uploads.mistakes.MAX_MISTAKES", 2)
    id = books.begin().ok()["id"]
    books.send(id, 1, b"x" * 90).ok()
    assert books.send(id, 2, b"x" * 20).problem() == "file_too_large"
    assert books.send(id, 2, b"x" * (model.MAX_PART_BYTES + 1)).status == 413
    second = books.begin().ok()["id"]
    assert books.begin().problem() == "too_many_uploads" and books.begin(books.other).status == 201
    books.move(second, "cancel").ok()
    monkeypatch.setattr(commands, "MAX_FILE_BYTES", 1000)
    wrong = books.upload(sheet("1,,1,", "2,,1,", "3,,1,"))
    done = books.run(wrong)
    assert (done["errors"], len(books.errors(wrong))) == (3, 2)
    long = books.run(books.upload(sheet(*(f"{n},t,1," for n in range(5)))))
    assert (long["state"], long["reason"]) == ("refused", "the file has more than 4 rows: send it in parts")


def test_an_upload_that_waits_for_its_sender_too_long_ends_and_its_file_is_thrown_away(books: Library) -> None:
    id, applied = books.upload(sheet(*GOOD)), books.upload(sheet(*GOOD))
    books.run(applied)
    books.world.advance(model.FILE_KEPT)
    books.world.settle()

    def ask(path: str) -> Any:
        return books.caller(MILL, "seller").get(path)

    assert ask(f"/v1/uploads/{applied}/parts/1").status == 404
    assert ask(f"/v1/uploads/{applied}").ok()["file_purged_at"]
    assert ask(f"/v1/uploads/{id}").ok()["file_purged_at"] is None
    books.world.advance(model.WAITS_FOR)
    assert ask(f"/v1/uploads/{id}").ok()["state"] == "expired"
    for _ in range(3):
        books.world.advance(model.KEPT + timedelta(minutes=2))
    left = books.world.count_rows()
    assert (left["upload"], left["upload_part"], left["upload_mistake"], left["book"]) == (0, 0, 0, 4)


def test_a_company_that_is_shut_out_gets_nothing_more_in(books: Library) -> None:
    id = books.upload(sheet(*GOOD))
    books.move(id, "apply").ok()
    loop = books.world.loops["library", "uploads"]
    loop.step()
    books.world.databases["library"].run(lambda session: learn_denial(session, MILL, 1, denied=True))
    books.world.settle()
    seen = books.operator.get(f"/v1/uploads/{id}").ok()
    assert (seen["state"], seen["reason"]) == ("refused", "the company or its user may no longer act")
    assert len(books.books()) == 3


def test_fields_for_who_writes_a_file(books: Library) -> None:
    fields = books.reader.get("/v1/uploads/fields", kind="books", market="paper").ok()["fields"]
    assert fields[2] == {
        "field": "grams", "label": {"zh": "重量", "en": "Weight"}, "headings": ["重量", "weight"], "required": True,
        "units": ["g", "kg", "千克"],
    }  # fmt: skip
    assert books.reader.get("/v1/uploads/fields", kind="books", market="vellum").problem() == "no_such_library"
