"""Reads CSV as it comes from mills: UTF-8 with or without a byte order mark, or GB18030 as Chinese spreadsheets write it."""

from __future__ import annotations

import csv
import io

from services.catalog.imports.cells import Cell, NotReadable, Records

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\x84\x31\x95\x33": "gb18030"}


def read_csv(body: bytes) -> Records:
    """The rows of a CSV file. Raises NotReadable."""
    reader = csv.reader(io.StringIO(decode(body), newline=""), strict=True)
    row = 0
    try:
        for row, cells in enumerate(reader, start=1):
            yield row, [Cell(cell.strip()) for cell in cells]
    except csv.Error as error:
        raise NotReadable(f"after row {row}: {error}", field="$") from None


def decode(body: bytes) -> str:
    """The text of a file: as its mark says, else UTF-8 if all of it is that, else GB18030 if all of it is. Raises NotReadable.

    GB18030 covers GBK and GB 2312. A file of another encoding may pass as it by accident; its headings are then not known.
    """
    for mark, encoding in _MARKS.items():
        if body.startswith(mark):
            return _decode(body[len(mark) :], encoding)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return _decode(body, "gb18030")


def _decode(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        row = body.count(b"\n", 0, error.start) + 1
        raise NotReadable(f"in line {row} there are bytes that are neither UTF-8 nor GB18030", field="$") from None
