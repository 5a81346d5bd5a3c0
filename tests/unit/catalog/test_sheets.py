"""Uploaded files: whatever bytes come, an answer or a named refusal."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.problems import Problem
from chassis.uploads.model import TooManyRows
from services.catalog.imports.sheet import MAX_ROWS, read_sheet
from services.catalog.markets.loader import load_packs
from services.catalog.pieces.epc import read_epc

PACK = load_packs()["steel"]
HEADINGS = ["kind", "grade", "standard", "thickness", "width", "coil no", "heat", "net", "gross", "EN 10204"]
HEADINGS += ["certificate", "warehouse", "EPC"]
GOOD = ["HRC", "Q235B", "GB/T 3274", "5.5", "1250", "C1", "H1", "100", "101", "3.1", "Z1", "Yard", ""]
VECTORS = Path(__file__).resolve().parents[4] / "shared" / "data" / "vectors" / "epc.json"


def write(*rows: list[str]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([HEADINGS, *rows])
    return file.getvalue().encode()


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_by_name(body: bytes) -> None:
    try:
        sheet = read_sheet(body, PACK)
    except Problem as problem:
        assert problem.status == 422
    else:
        assert sheet.rows == [] and sheet.errors


@given(st.lists(st.lists(st.text(max_size=12), min_size=13, max_size=13), max_size=4))
def test_any_cells_are_right_or_named(rows: list[list[str]]) -> None:
    body = write(GOOD, *rows)
    try:
        sheet = read_sheet(body, PACK)
    except Problem as problem:
        assert problem.status == 422
        return
    assert sheet.rows[0][1]["number"] == "C1"
    wrong = {error.row for error in sheet.errors}
    assert len(sheet.rows) + len(wrong) == sheet.count and not wrong & {row for row, _ in sheet.rows}


@given(st.integers(0, 12), st.text(min_size=1, max_size=30))
def test_one_strange_cell_is_blamed_by_its_heading(place: int, text: str) -> None:
    cells = [*GOOD[:place], text, *GOOD[place + 1 :]]
    sheet = read_sheet(write(cells), PACK)
    blamed = {error.column for error in sheet.errors}
    assert blamed <= {HEADINGS[place], "gross"} and bool(blamed) != bool(sheet.rows)


def test_exactly_as_many_rows_as_are_allowed() -> None:
    rows = [[*GOOD[:5], f"C{i}", *GOOD[6:]] for i in range(MAX_ROWS)]
    assert len(read_sheet(write(*rows), PACK).rows) == MAX_ROWS
    with pytest.raises(TooManyRows):
        read_sheet(write(*rows, [*GOOD[:5], "C-last", *GOOD[6:]]), PACK)


@pytest.mark.parametrize(
    "code",
    ["3034257BF400B7800004CB2F", "3074257bf7194e4000001a85", "3174257BF4499602D2000000", "3474257BF40000000000162E"],
)
def test_a_tag_of_each_usual_kind(code: str) -> None:
    assert read_epc(code) == code.upper()


@pytest.mark.parametrize(
    "code", ["", "3034", "G" * 24, "0" * 24, "F" * 24, "E28011700000020A1B2C3D4E", "30FFFFFFFFFFFFFFFFFFFFFF",
             "3674257BF7194E4000001A85", "２" * 24, "3034257BF400B7800004CB2F00"],
)  # fmt: skip
def test_what_is_not_a_96_bit_epc(code: str) -> None:
    with pytest.raises(ValueError, match="^is "):
        read_epc(code)


def test_published_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip(f"{VECTORS.name} is not beside the project")
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        assert read_epc(vector["hex"]) == vector["hex"]
