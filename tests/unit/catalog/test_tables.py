"""Uploaded tables: encodings, units in headings and rows of totals."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.uploads.cells import NotReadable
from chassis.uploads.csv_file import find_encoding
from services.catalog.imports.sheet import Sheet, read_sheet
from services.catalog.markets.loader import load_packs

PACK = load_packs()["steel"]
HEADINGS = ["品名", "牌号", "执行标准", "厚度(mm)", "宽度(mm)", "卷号", "炉号", "净重(t)", "毛重(吨)", "质保书类型"]
HEADINGS += ["质保书号", "仓库"]


def coil(number: str = "C1", net: str = "23.45", gross: str = "23.48", **cells: str) -> list[str]:
    """A row in the order of HEADINGS."""
    line = {
        "kind": "热轧卷板", "grade": "Q235B", "standard": "GB/T 3274-2017", "thickness": "5.5", "width": "1250",
        "number": number, "heat": "H1", "net": net, "gross": gross, "type": "3.1", "certificate": "Z1", "warehouse": "库",
    }  # fmt: skip
    return list((line | cells).values())


def total(label: str = "合计", net: str = "", gross: str = "", number: str = "") -> list[str]:
    """A row of totals in the order of HEADINGS."""
    return [label, "", "", "", "", number, "", net, gross, "", "", ""]


def read(*rows: list[str], headings: list[str] = HEADINGS, encoding: str = "utf-8") -> Sheet:
    file = io.StringIO()
    csv.writer(file).writerows([headings, *rows])
    return read_sheet(file.getvalue().encode(encoding), PACK)


def errors(sheet: Sheet) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.reason) for error in sheet.errors]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_encodings_of_mills(encoding: str) -> None:
    sheet = read(coil(), encoding=encoding)
    assert errors(sheet) == []
    ((_, row),) = sheet.rows
    assert (row["warehouse"], str(row["net"]), str(row["gross"])) == ("库", "23450 KGM", "23480 KGM")


def decode(body: bytes) -> str:
    mark, encoding = find_encoding(io.BytesIO(body))
    return body[mark:].decode(encoding)


def test_a_mark_of_gb18030_is_not_part_of_the_first_heading() -> None:
    assert decode("\ufeff品名".encode("gb18030")) == "品名"


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_what_is_utf_8_is_read_as_utf_8(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")


@given(st.binary(max_size=40))
def test_other_bytes_are_gb18030_or_refused(body: bytes) -> None:
    try:
        text = decode(body)
    except NotReadable as problem:
        assert "neither UTF-8 nor GB18030" in problem.detail
        with pytest.raises(UnicodeDecodeError):
            body.removeprefix(b"\x84\x31\x95\x33").decode("gb18030")
    else:
        assert isinstance(text, str)


@pytest.mark.parametrize(
    ("heading", "net", "kept"),
    [
        ("净重(t)", "23.45", "23450"),
        ("净重（吨）", "23.4505", "23450.5"),
        ("净重/吨", "23.45", "23450"),
        ("净重 [T]", "23.45", "23450"),
        ("Net weight (tonne)", "0.001", "1"),
        ("净重\n(吨)", "100", "100000"),
        ("净重", "23450", "23450"),
        ("净重(kg)", "23450.125", "23450.125"),
        ("净重（公斤）", "23450", "23450"),
    ],
)
def test_units_in_headings(heading: str, net: str, kept: str) -> None:
    sheet = read(coil(net=net, gross="100"), headings=[heading if each == "净重(t)" else each for each in HEADINGS])
    assert errors(sheet) == [] and format(sheet.rows[0][1]["net"].value, "f") == kept


def test_lengths_in_metres() -> None:
    headings = [*HEADINGS, "长度(m)"]
    sheet = read([*coil(kind="中厚板"), "12.0005"], [*coil("C2", kind="中厚板"), "12.3"], headings=headings)
    assert errors(sheet) == [] and [row["length_mm"] for _, row in sheet.rows] == ["12000.5", "12300"]


def test_a_unit_that_is_not_known_or_measures_something_else() -> None:
    for heading, word in (("净重(lb)", "lb"), ("净重(mm)", "mm"), ("净重(ton)", "ton")):
        sheet = read(coil(), headings=[heading if each == "净重(t)" else each for each in HEADINGS])
        assert errors(sheet)[0] == (1, heading, f"no unit of this column is called {word!r}") and sheet.rows == []


@pytest.mark.parametrize(
    ("net", "detail"),
    [
        ("0.0004", "is not between 1 and 100000"),
        ("1000.1", "is not between 1 and 100000"),
        ("23.4500001", "is not a number in plain digits, such as 5.5"),
        ("2.345E+1", "is in exponent form: write plain digits"),
    ],
)
def test_limits_hold_in_the_unit_that_is_kept(net: str, detail: str) -> None:
    assert errors(read(coil(net=net)))[0] == (2, "净重(t)", detail)


@given(st.integers(1, 90_000_000))
def test_grams_survive_tonnes(grams: int) -> None:
    value = f"{grams // 10**6}.{grams % 10**6:06}"
    sheet = read(coil(net=value, gross="100"))
    if grams >= 1000:
        assert sheet.rows[0][1]["net"].value * 1000 == grams
    else:
        assert sheet.rows == []


def test_what_a_product_form_requires() -> None:
    sheet = read(coil(thickness="", width="x"), coil("C2", kind="螺纹钢"))
    assert errors(sheet) == [
        (2, "宽度(mm)", "is not a number in plain digits, such as 5.5"),
        (2, "厚度(mm)", "is missing"),
        (3, "length_mm", "is missing"),
        (3, "diameter_mm", "is missing"),
        (3, "count", "is missing"),
        (3, "厚度(mm)", "goods of the type Bar do not have this"),
        (3, "宽度(mm)", "goods of the type Bar do not have this"),
    ]


@pytest.mark.parametrize(
    "label", ["合计", "合 计", "总计：", "Total", "GRAND TOTAL", "合计2件", "合计(2 卷)", "共计", "总合计"]
)
def test_a_row_of_totals_that_is_the_sum(label: str) -> None:
    sheet = read(coil("C1"), coil("C2", "20.1", "20.2"), total(label, "43.55", "43.68"))
    assert errors(sheet) == [] and (sheet.count, len(sheet.rows)) == (2, 2)


@pytest.mark.parametrize(
    ("cells", "column", "detail"),
    [
        ({"net": "43.54"}, "净重(t)", "the total is 43.54, the rows come to 43.55"),
        ({"gross": "43.681"}, "毛重(吨)", "the total is 43.681, the rows come to 43.68"),
        ({"number": "3件"}, "卷号", "the total is 3 pieces, the rows are 2"),
        ({"label": "合计:3件"}, "卷号", "the total is 3 pieces, the rows are 2"),
        ({"net": "43,55"}, "净重(t)", "the total is not a number in plain digits"),
    ],
)
def test_nothing_is_taken_where_a_total_differs(cells: dict[str, str], column: str, detail: str) -> None:
    sheet = read(coil("C1"), coil("C2", "20.1", "20.2"), total(**cells))
    assert errors(sheet) == [(4, column, detail)] and (sheet.count, sheet.rows) == (2, [])


def test_subtotals_sum_their_own_rows_and_the_total_all() -> None:
    first = [coil("C1"), coil("C2"), total("小计", "46.9", "46.96", "2")]
    second = [coil("C3", "10", "11"), total("Subtotal:", "10", "11", "1")]
    assert errors(read(*first, *second, total("合计", "56.9", "57.96", "3件"))) == []
    wrong = read(*first, *second, total("小计", "56.9"))
    assert errors(wrong) == [(7, "净重(t)", "the total is 56.9, the rows come to 0")] and wrong.rows == []


def test_a_total_counts_rows_that_are_wrong_otherwise_and_says_what_it_cannot_check() -> None:
    assert errors(read(coil("C1"), coil("C1"), coil("C2", grade=""), total(net="70.35", number="3"))) == [
        (3, "卷号", "stands in row 2 already"),
        (4, "牌号", "is missing"),
    ]
    sheet = read(coil("C1"), coil("C2", "x"), total(net="46.9", gross="46.96"))
    cannot = "the total is 46.9 and cannot be checked: row 3 has no number to read"
    assert errors(sheet)[-1] == (4, "净重(t)", cannot) and sheet.rows == []


@given(st.lists(st.integers(1_000, 99_999_999), min_size=1, max_size=20), st.integers(-3, 3))
def test_a_total_is_exact_to_the_last_digit(grams: list[int], off: int) -> None:
    def tonnes(value: int) -> str:
        return f"{value // 10**6}.{value % 10**6:06}"

    rows = [coil(f"C{i}", tonnes(net), "100") for i, net in enumerate(grams)]
    sheet = read(*rows, total(net=tonnes(sum(grams) + off)))
    assert (len(sheet.rows) == len(grams)) == (off == 0) and bool(sheet.errors) == (off != 0)


def test_blank_rows_over_the_heading_are_passed_over() -> None:
    body = "\r\n,,\r\n" + ",".join(HEADINGS) + "\r\n" + ",".join(coil(net="x")) + "\r\n"
    assert errors(read_sheet(body.encode(), PACK)) == [(4, "净重(t)", "is not a number in plain digits, such as 5.5")]
