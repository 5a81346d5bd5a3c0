"""Uploaded workbooks: what is shown is what is read, and what is no plain cell is refused by row and column."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from chassis.problems import Problem
from chassis.uploads.cells import NoSuchSheet, NotReadable
from chassis.uploads.workbook import read_workbook
from chassis.uploads.xml_parts import IN_A_REQUEST
from services.catalog.imports.sheet import Sheet, read_sheet
from services.catalog.markets.loader import load_packs
from tests.unit.catalog.test_tables import HEADINGS, coil, errors

PACK = load_packs()["steel"]
NUMBERS = {"thickness": 5.5, "width": 1250, "net": 23.45, "gross": 23.48}
NAMES = [
    "kind",
    "grade",
    "standard",
    "thickness",
    "width",
    "number",
    "heat",
    "net",
    "gross",
    "type",
    "certificate",
    "warehouse",
]


def line(number: Any = "C1", **cells: Any) -> list[Any]:
    """A row of a workbook, with numbers as numbers."""
    return list((dict(zip(NAMES, coil(), strict=True)) | NUMBERS | {"number": number} | cells).values())


def write(
    *rows: list[Any], formats: dict[str, str] | None = None, tabs: dict[str, list[list[Any]]] | None = None
) -> bytes:
    """A workbook as openpyxl writes it; ``formats`` are number formats by cell."""
    book = Workbook()
    book.remove(book.active)
    for name, content in (tabs or {"发货清单": [HEADINGS, *rows]}).items():
        tab = book.create_sheet(name)
        for row in content:
            tab.append(row)
        for cell, code in (formats or {}).items():
            tab[cell].number_format = code
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(*rows: list[Any], **options: Any) -> Sheet:
    return read_sheet(write(*rows, **options), PACK)


def rewrite(body: bytes, part: str, before: str, after: str, **more: str) -> bytes:
    """The workbook with something else in one of its parts, and more parts of ``xl/``."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name).decode()
            if name == part:
                assert before in content
                content = content.replace(before, after)
            new.writestr(name, content)
        for name, content in more.items():
            new.writestr(f"xl/{name}.xml", content)
    return file.getvalue()


def share(place: str = "0", texts: str = "<si><t>热轧卷板</t></si>", head: str = "") -> bytes:
    """A workbook as Excel writes it: the first cell of its row is a place among shared texts."""
    own = '<c r="A2" t="inlineStr"><is><t>热轧卷板</t></is></c>'
    shared = f'{head}<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{texts}</sst>'
    return rewrite(write(line()), SHEET, own, f'<c r="A2" t="s"><v>{place}</v></c>', sharedStrings=shared)


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_is_read_as_its_cells_are_shown() -> None:
    sheet = read(line(), line(230506118, type=3.1, net=20.1, gross=20.2, heat=7))
    assert errors(sheet) == []
    (row, first), (_, second) = sheet.rows
    assert (row, first["number"], str(first["net"]), first["thickness_mm"]) == (2, "C1", "23450 KGM", "5.5")
    assert (second["number"], second["heat_no"], second["certificate_type"]) == ("230506118", "7", "3.1")


def test_a_number_has_no_binary_tail() -> None:
    weight = 0.1 + 0.2
    assert repr(weight) == "0.30000000000000004"
    assert str(read(line(net=weight)).rows[0][1]["net"]) == "300 KGM"


@given(st.integers(1_000, 90_000_000))
def test_every_decimal_comes_back_exactly(grams: int) -> None:
    sheet = read(line(net=grams / 10**6, gross=100))
    assert sheet.rows[0][1]["net"].value * 1000 == grams


@pytest.mark.parametrize(
    ("cells", "column", "detail"),
    [
        ({"net": "=20+3"}, "净重(t)", "is a formula: paste its value"),
        ({"number": "=A1"}, "卷号", "is a formula: paste its value"),
        ({"heat": datetime.date(2026, 3, 2)}, "炉号", "is a date to the spreadsheet: format the column as text"),
        ({"thickness": datetime.datetime(2026, 5, 5)}, "厚度(mm)",
         "is a date to the spreadsheet: format the column as text"),
        ({"grade": True}, "牌号", "is a truth value to the spreadsheet: format the column as text"),
        ({"heat": "2.30506E+11"}, "炉号",
         "is in exponent form: the spreadsheet has lost its digits, format the column as text"),
        ({"heat": 1234567890123456}, "炉号",
         "is a number of which the spreadsheet may have lost digits or noughts: format the column as text"),
        ({"heat": 12.5}, "炉号",
         "is a number of which the spreadsheet may have lost digits or noughts: format the column as text"),
        ({"heat": 1e30}, "炉号",
         "is a number of which the spreadsheet may have lost digits or noughts: format the column as text"),
        ({"net": "#DIV/0!"}, "净重(t)", "is an error of the spreadsheet"),
    ],
)  # fmt: skip
def test_what_is_no_plain_cell_is_refused(cells: dict[str, Any], column: str, detail: str) -> None:
    sheet = read(line(**cells), line("C2"))
    assert errors(sheet) == [(2, column, detail)] and [row["number"] for _, row in sheet.rows] == ["C2"]


@pytest.mark.parametrize("code", ["000000000", "0.00E+00", "#,##0"])
def test_a_number_that_a_format_changes_names_nothing(code: str) -> None:
    (error,) = errors(read(line(118), formats={"F2": code}))
    assert error[:2] == (2, "卷号") and "lost digits or noughts" in error[2]


@pytest.mark.parametrize(
    ("code", "is_date"), [("yyyy-mm-dd", True), ("m/d/yy h:mm", True), ('0.000"dm"', False), ("0.00", False)]
)
def test_dates_are_told_by_their_format(code: str, is_date: bool) -> None:
    found = errors(read(line(), formats={"H2": code}))
    assert bool(found) == is_date and all("is a date" in detail for _, _, detail in found)


def test_a_total_may_be_a_formula_of_which_the_value_counts() -> None:
    body = write(line("C1"), line("C2"), ["合计", *[None] * 6, "=SUM(H2:H3)", "=SUM(I2:I3)"])
    shown = rewrite(body, SHEET, "<f>SUM(H2:H3)</f><v />", "<f>SUM(H2:H3)</f><v>46.899999999999999</v>")
    assert errors(read_sheet(shown, PACK)) == []
    wrong = rewrite(body, SHEET, "<f>SUM(H2:H3)</f><v />", "<f>SUM(H2:H3)</f><v>46.8</v>")
    sheet = read_sheet(wrong, PACK)
    assert errors(sheet) == [(4, "净重(t)", "the total is 46.8, the rows come to 46.90")] and sheet.rows == []


def test_the_first_sheet_that_is_not_empty_or_the_one_that_is_named() -> None:
    body = write(tabs={"封面": [], "二": [HEADINGS, line("A1")], "三": [HEADINGS, line("B1"), line("B2")]})
    assert [row["number"] for _, row in read_sheet(body, PACK).rows] == ["A1"]
    assert [row["number"] for _, row in read_sheet(body, PACK, "三").rows] == ["B1", "B2"]
    with pytest.raises(NoSuchSheet, match="no sheet '四': there are 封面, 二, 三"):
        read_sheet(body, PACK, "四")
    with pytest.raises(NotReadable, match="the file is empty"):
        read_sheet(body, PACK, "封面")
    with pytest.raises(NoSuchSheet):
        read_sheet(b"a,b", PACK, "二")


def test_rows_count_as_the_spreadsheet_counts_them() -> None:
    body = write(line("C1"), [], line("C2", net="x"))
    assert errors(read_sheet(body, PACK)) == [(4, "净重(t)", "is not a number in plain digits, such as 5.5")]
    far = rewrite(write(line(net="x")), SHEET, 'r="2"', 'r="1048576"')
    assert errors(read_sheet(far, PACK))[0][0] == 1_048_576


def test_shared_texts_with_runs_and_without_their_pronunciation() -> None:
    texts = "<si><t>x</t></si><si><r><rPr><b/></rPr><t>热轧</t></r><r><t>卷板</t></r><rPh sb='0' eb='1'><t>ねつえん</t></rPh></si>"
    sheet = read_sheet(share("1", texts), PACK)
    assert errors(sheet) == [] and sheet.rows[0][1]["kind"] == "hot_rolled_coil"


@pytest.mark.parametrize("body", [share("1"), share("-1"), share("x"), share("0", "<si>"), share(head="<!DOCTYPE x>")])
def test_broken_shared_texts_are_refused(body: bytes) -> None:
    with pytest.raises(NotReadable):
        read_sheet(body, PACK)


def test_entities_that_grow_are_refused() -> None:
    head = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with pytest.raises(NotReadable, match="declares a document type"):
        read_sheet(share(texts="<si><t>&b;</t></si>", head=head), PACK)


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        (SHEET, '<row r="2"', '<row r="1"'),
        (SHEET, '<row r="2"', '<row r="99999999999"'),
        (SHEET, 'r="B2"', 'r="ZZZ2"'),
        (SHEET, 'r="B2"', 'r="A2"'),
        (SHEET, 'r="B2"', 'r="2B"'),
        (SHEET, "</sheetData>", ""),
        ("xl/workbook.xml", "<sheets>", "<!-- "),
        ("xl/workbook.xml", "<sheet ", "<leaf "),
        ("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "worksheets/nowhere.xml"),
    ],
)
def test_a_broken_workbook_is_refused(part: str, before: str, after: str) -> None:
    with pytest.raises(NotReadable):
        read_sheet(rewrite(write(line()), part, before, after), PACK)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<x>" + b" " * (70 << 20))
    assert len(file.getvalue()) < 1 << 20
    with pytest.raises(NotReadable, match="unpacks to more than 64 MiB"):
        read_sheet(file.getvalue(), PACK)


def test_more_elements_than_a_sheet_can_need() -> None:
    many = rewrite(write(line()), SHEET, "</sheetData>", "<row/>" * 1_500_000 + "</sheetData>")
    with pytest.raises(NotReadable, match="more than 1500000 elements"):
        list(read_workbook(io.BytesIO(many), None, IN_A_REQUEST))


@given(st.binary(max_size=300), st.integers(0, 4_000))
def test_any_damage_is_read_or_refused_by_name(noise: bytes, at: int) -> None:
    body = write(line())
    damaged = body[:at] + noise + body[at + len(noise) :]
    try:
        read_sheet(damaged, PACK)
    except Problem as problem:
        assert problem.status == 422
