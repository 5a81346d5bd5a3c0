"""Reads JSON Lines: an object a line. The names of its members are the headings, in the order in which they first stand."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from chassis.uploads.cells import MAX_COLUMNS, Cell, Content, NotReadable, Records

MAX_LINE_BYTES = 1 << 20
HEADING_LINES = 1_000
"""As many lines are looked at for the names of members; a line below them that has others is a bad row."""
_MARK = b"\xef\xbb\xbf"
_DIGITS = 15


class _Number(str):
    """A number as the file writes it."""


def read_json_lines(file: BinaryIO) -> Records:
    """The names of the members as row 0, then each line under its number. Raises NotReadable.

    Numbers keep their digits, a list is its values with semicolons between them. A line that is no object is a broken row.
    """
    names = _find_names(file)
    places = {name: place for place, name in enumerate(names)}
    yield 0, list(names)
    file.seek(0)
    row = 0
    while line := _read_line(file, row):
        row += 1
        if not line.strip():
            yield row, []
            continue
        found = _decode(line)
        yield row, [Cell(found, "broken")] if isinstance(found, str) else _lay_out(found, places)


def _find_names(file: BinaryIO) -> list[str]:
    """The names of members; no more are looked for once there are more than a heading may have."""
    file.seek(0)
    names: dict[str, None] = {}
    for row in range(HEADING_LINES):
        if not (line := _read_line(file, row)):
            break
        found = _decode(line) if line.strip() else {}
        if isinstance(found, dict):
            names |= dict.fromkeys(found)
        if len(names) > MAX_COLUMNS:
            break
    return [name.strip() for name in names]


def _read_line(file: BinaryIO, row: int) -> bytes:
    line = file.readline(MAX_LINE_BYTES)
    if len(line) == MAX_LINE_BYTES:
        raise NotReadable(f"line {row + 1} is longer than {MAX_LINE_BYTES} bytes", field="$")
    return line.removeprefix(_MARK) if row == 0 else line


def _decode(line: bytes) -> dict[str, Any] | str:
    """The object of a line, or why there is none."""
    try:
        found = json.loads(line, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        return "is not JSON"
    return found if isinstance(found, dict) else "is not a JSON object"


def _lay_out(found: dict[str, Any], places: dict[str, int]) -> list[Content]:
    cells: list[Content] = [""] * len(places)
    for name, value in found.items():
        if (place := places.get(name.strip())) is not None:
            cells[place] = _read_value(value)
        else:
            return [Cell(f"has a member {name[:64]!r} that none of the first {HEADING_LINES} lines has", "broken")]
    return cells


def _read_value(value: Any) -> Content:
    if isinstance(value, _Number):
        is_digits = value.isdecimal() and len(value) <= _DIGITS
        return Cell(str(value), "digits" if is_digits else "number")
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return Cell(str(value).lower(), "boolean")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ";".join(value)
    return Cell(json.dumps(value, ensure_ascii=False)[:200], "nested")
