"""Tables of any kind of file: read as they were written, the same however they are cut, in little memory."""

from __future__ import annotations

import gc
import io
import json
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.problems import Problem
from chassis.uploads import text_spool
from chassis.uploads.cells import Cell, NotReadable, text_of
from chassis.uploads.csv_file import MAX_LINE
from chassis.uploads.fields import Field, TotalWords
from chassis.uploads.headings import guess_columns
from chassis.uploads.tables import Checked, Table, open_records, read_heading
from chassis.uploads.text_spool import Seen, TextSpool
from chassis.uploads.writers import shield, write_table
from chassis.uploads.xml_parts import IN_A_REQUEST, IN_A_WORKER, Limits, open_archive
from chassis.values import Exact, read_exact

FORMATS = ["csv", "xlsx", "jsonl"]
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=12).map(str.strip)


def read(body: bytes) -> list[list[str]]:
    """The rows of a file that have anything, as texts."""
    records = open_records(io.BytesIO(body), None, IN_A_WORKER)
    return [[text_of(cell) for cell in cells] for _, cells in records if any(cells)]


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), max_size=6), st.sampled_from(FORMATS))
def test_what_is_written_is_read_again(rows: list[list[str]], format: Any) -> None:
    rows = [["first", *row] for row in rows]
    body = b"".join(write_table(format, ["a", "b", "c", "d"], rows))
    if not rows and format == "jsonl":
        return
    heading, *found = read(body)
    if format == "jsonl":
        # Members that no object has are no columns, and they stand in the order in which they come.
        said = [{name: cell for name, cell in zip(heading, row, strict=True) if cell} for row in found]
        assert said == [{name: cell for name, cell in zip("abcd", row, strict=True) if cell} for row in rows]
    else:
        assert [heading, *found] == [["a", "b", "c", "d"], *rows]


@given(st.text(max_size=8))
def test_no_cell_of_csv_begins_as_a_formula_and_all_come_back(text: str) -> None:
    shielded = shield(text)
    assert shielded[:1] not in ("=", "@", "\t", "\r", "+") or not text
    if shielded.startswith("-"):
        assert float(shielded) <= 0


@pytest.mark.parametrize("text", ["=1", "'=1", "''@x", "-x", "+1", "'a", "=", "'"])
def test_an_apostrophe_comes_off_again(text: str) -> None:
    body = b"".join(write_table("csv", ["a", "b"], [["x", text]]))
    assert read(body)[1] == ["x", text]


def test_gb18030_is_written_and_read() -> None:
    body = b"".join(write_table("csv", ["牌号"], [["Q235B ≤ 5㎜"]], encoding="gb18030"))
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert read(body) == [["牌号"], ["Q235B ≤ 5㎜"]]


def test_numbers_of_workbooks_keep_their_digits_or_are_texts() -> None:
    values = ["0.1", "123456789012345", "1234567890123456", "-5", "1e5", "007"]
    body = b"".join(write_table("xlsx", ["n"], [[value] for value in values], numbers=[True]))
    assert [row[0] for row in read(body)[1:]] == values


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (b'{"a": 5.50, "b": "x"}', [Cell("5.50", "number"), "x"]),
        (b'{"a": 12, "b": null}', [Cell("12", "digits"), ""]),
        (b'{"b": ["x", "y"], "a": true}', [Cell("true", "boolean"), "x;y"]),
        (b'{"a": {"x": 1}, "b": NaN}', [Cell('{"x": "1"}', "nested"), Cell("NaN", "number")]),
        (b"[1]", [Cell("is not a JSON object", "broken")]),
        (b'{"a": ', [Cell("is not JSON", "broken")]),
        (b"\xff", [Cell("is not JSON", "broken")]),
        (b"[" * 100_000, [Cell("is not JSON", "broken")]),
    ],
)
def test_values_of_json(line: bytes, cells: list[Any]) -> None:
    body = b'\xef\xbb\xbf{"a": "1", "b": "2"}\n' + line + b"\n\n"
    records = list(open_records(io.BytesIO(body), None, IN_A_WORKER))
    assert records[0] == (0, ["a", "b"]) and records[2:] == [(2, cells), (3, [])]


def test_a_member_that_came_late_is_a_bad_row() -> None:
    body = b'{"a": "1"}\n' * 1_000 + b'{"z": "1"}\n'
    *_, last = open_records(io.BytesIO(body), None, IN_A_WORKER)
    assert last == (1001, [Cell("has a member 'z' that none of the first 1000 lines has", "broken")])


def test_no_more_names_are_gathered_than_a_heading_may_have() -> None:
    body = b"".join(json.dumps({f"{line}_{n}": "1" for n in range(150)}).encode() + b"\n" for line in range(9))
    _, names = next(open_records(io.BytesIO(body), None, IN_A_WORKER))
    assert len(names) == 300
    with pytest.raises(NotReadable, match="more than 200 columns"):
        read_heading(open_records(io.BytesIO(body), None, IN_A_WORKER))


@pytest.mark.parametrize(
    "body",
    [
        b"a,b\n" + b"x" * (MAX_LINE + 10),
        b"a,b\n" + (b'"' + b"x" * 99_990 + b'\n",') * 43,
        b'{"a": "' + b"x" * (1 << 20) + b'"}',
    ],
    ids=["line", "row", "object"],
)
def test_a_line_without_end_is_refused_and_not_held(body: bytes) -> None:
    with pytest.raises(NotReadable, match="longer than"):
        read(body)


def test_a_bomb_is_refused_by_its_size_and_by_how_tightly_it_is_packed() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (2 << 20))
    for limits, reason in (
        (Limits(mib=1, times=9_999, sheet_elements=9, elements=9), "unpacks to more than 1 MiB"),
        (Limits(mib=9, times=200, sheet_elements=9, elements=9, free_mib=1), "unpacks to more than 200 times its size"),
    ):
        with pytest.raises(NotReadable, match=reason):
            open_archive(file, limits)
    assert open_archive(file, IN_A_WORKER).has_part("xl/workbook.xml")


@pytest.mark.parametrize(
    "inside", ["<c><v>{}</v></c>", '<c t="{}"><v>1</v></c>', "<!--{}-->"], ids=["text", "tag", "remark"]
)
def test_a_tag_or_a_text_without_end_is_refused_and_not_held(inside: str) -> None:
    body = b"".join(write_table("xlsx", ["a"], [["1"]]))
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as whole, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as longer:
        for name in whole.namelist():
            part = whole.read(name).decode()
            longer.writestr(
                name, part.replace("</sheetData>", f"<row>{inside.format('9' * (2 << 20))}</row></sheetData>")
            )
    with pytest.raises(NotReadable, match="longer than"):
        read(file.getvalue())


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"{", b"\xef\xbb\xbf"]))
def test_any_bytes_are_read_or_refused_by_name(body: bytes, beginning: bytes) -> None:
    for limits in (IN_A_REQUEST, IN_A_WORKER):
        try:
            list(open_records(io.BytesIO(beginning + body), None, limits))
        except Problem as problem:
            assert problem.status == 422


def read_grams(text: str) -> Exact:
    return read_exact(text)


FIELDS = [
    Field(name="number", label={}, headings=["no"], read=str.upper, kind="identifier", required=True, unique=True),
    Field(
        name="weight",
        label={},
        headings=["重量"],
        read=read_grams,
        kind="number",
        factors={"kg": Exact(1000)},
        summed=True,
    ),
    Field(name="code", label={}, headings=["code"], read=str, unique=True),
    Field(name="state", label={}, headings=["state"], read=str, default="new"),
]


def make_table() -> Table:
    columns = guess_columns(FIELDS, ["No.", "重量(kg)", "CODE"])
    return Table(FIELDS, columns, check=lambda values: (), totals=TotalWords(whole=["total"], part=["小计"]))


CELLS = st.lists(
    st.tuples(st.sampled_from(["a", "A", "b", "c", "total", "小计 2", ""]), st.sampled_from(["1", "2.5", "x", ""]),
              st.sampled_from(["k1", "k2", "", ""])).filter(any).map(list),
    max_size=20,
)  # fmt: skip


@given(CELLS, st.lists(st.integers(0, 20), max_size=5))
def test_what_is_wrong_does_not_depend_on_the_batches(rows: list[list[str]], cuts: list[int]) -> None:
    records = [(n + 2, row) for n, row in enumerate(rows)]

    def read_in(places: list[int]) -> tuple[Any, ...]:
        table, whole = make_table(), Checked()
        for start, end in zip([0, *places], [*places, len(records)], strict=True):
            part = table.read(records[start:end])
            whole.count += part.count
            whole.unsound += part.unsound
            whole.rows += part.rows
            whole.mistakes += part.mistakes
        return whole.count, whole.unsound, whole.rows, whole.mistakes

    assert read_in(sorted(min(cut, len(records)) for cut in cuts)) == read_in([])


def test_units_defaults_and_twins() -> None:
    found = make_table().read(
        [(2, ["a", "1.5", "k"]), (3, ["A", "2", ""]), (4, ["b", "2", "k"]), (5, ["c", "", "", "x"])]
    )
    assert found.rows == [(2, {"number": "A", "weight": Exact("1500"), "code": "k", "state": "new"})]
    assert [(each.row, each.column, each.reason) for each in found.mistakes] == [
        (3, "No.", "stands in row 2 already"),
        (4, "CODE", "stands in row 2 already"),
        (5, "", "has 4 cells where the heading has 3"),
    ]


def test_what_was_seen_is_known_when_it_lies_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_spool, "REMEMBERED", 10)
    seen, texts = Seen(), TextSpool()
    for n in range(100):
        assert seen.find("a", [f"值{n}"]) == {}
        seen.add("a", {f"值{n}": n})
        texts.append(f"值{n}" * (n % 3))
    assert seen.find("a", ["值3", "值98", "other"]) == {"值3": 3, "值98": 98} and seen.find("b", ["值3"]) == {}
    assert [texts[n] for n in (99, 0, 50)] == ["", "", "值50" * 2] and len(texts) == 100
    seen.close(), texts.close()


@pytest.mark.parametrize("format", FORMATS)
def test_many_rows_are_read_in_little_memory(format: Any, tmp_path: Any) -> None:
    def rows() -> Iterator[list[str]]:
        return ([f"N-{n}", str(n % 50), ""] for n in range(20_000))

    path = tmp_path / "file"
    with path.open("wb") as file:
        file.writelines(write_table(format, ["no", "重量(kg)", "code"], rows(), numbers=[False, True, False]))
    tracemalloc.start()
    with path.open("rb") as file:
        records = open_records(file, None, IN_A_WORKER)
        read_heading(records)
        count = sum(1 for _ in records)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000 and peak < 4 << 20, peak


@pytest.mark.parametrize("closed_first", [True, False])
@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_is_read_half_way_is_given_up_silently_and_left_to_its_owner(
    format: Any, closed_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", raised.append)
    file = io.BytesIO(b"".join(write_table(format, ["a", "b"], [["1", "2"], ["3", "4"]])))
    records = open_records(file, None, IN_A_WORKER)
    read_heading(records)
    if closed_first:
        file.close()
    del records
    gc.collect()
    assert raised == [] and file.closed == closed_first
