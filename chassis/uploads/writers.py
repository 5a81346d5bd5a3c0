"""Writes tables a piece at a time: CSV for spreadsheets (UTF-8 with a mark, or GB18030), XLSX, JSON Lines.

A text that a spreadsheet would run as a formula is kept from it by an apostrophe in CSV, which the reader takes off again; in XLSX
and JSON a text is never anything else.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal
from xml.sax.saxutils import escape

from chassis.uploads.csv_file import is_formula
from chassis.uploads.sheet_parts import KEPT_DIGITS

Format = Literal["csv", "xlsx", "jsonl"]
Encoding = Literal["utf-8", "gb18030"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}
_PIECE = 1 << 16
_number = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_unwritable = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
Rows = Iterable[Sequence[str]]


def write_table(
    format: Format, headings: Sequence[str], rows: Rows, *, encoding: Encoding = "utf-8", numbers: Sequence[bool] = ()
) -> Iterator[bytes]:
    """The pieces of a file with these headings and rows. ``numbers`` says which columns are numbers to a spreadsheet."""
    if format == "jsonl":
        return _gather(_write_lines(headings, rows))
    if format == "csv":
        return _gather(_write_csv(headings, rows, encoding))
    return _write_workbook(headings, rows, numbers or [False] * len(headings))


def _gather(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _write_lines(headings: Sequence[str], rows: Rows) -> Iterator[bytes]:
    for row in rows:
        said = {heading: cell for heading, cell in zip(headings, row, strict=True) if cell}
        yield json.dumps(said, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _write_csv(headings: Sequence[str], rows: Rows, encoding: Encoding) -> Iterator[bytes]:
    line = io.StringIO()
    write = csv.writer(line, lineterminator="\r\n").writerow
    # A mark tells spreadsheets that this is UTF-8; in GB18030 they expect none.
    yield b"\xef\xbb\xbf" if encoding == "utf-8" else b""
    write([shield(heading) for heading in headings])
    for row in rows:
        write([shield(cell) for cell in row])
        if line.tell() >= _PIECE:
            yield _take(line).encode(encoding, "replace")
    yield _take(line).encode(encoding, "replace")


def _take(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def shield(cell: str) -> str:
    """A text as a cell of CSV that no spreadsheet runs: a number stays one."""
    return f"'{cell}" if is_formula(cell) and not _number.fullmatch(cell) else cell


class _Sink(io.RawIOBase):
    """What a zip archive is written to, a piece at a time."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def take(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # Style 1 is text: what a seller writes into such a cell stays as it was typed.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf xfId="0"/>'
    '<xf xfId="0" numFmtId="49" applyNumberFormat="1"/></cellXfs></styleSheet>',
}  # fmt: skip


def _write_workbook(headings: Sequence[str], rows: Rows, numbers: Sequence[bool]) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, _XML + content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for piece in _gather(_write_rows(headings, rows, numbers)):
                part.write(piece)
                yield sink.take()
            part.write(b"</sheetData></worksheet>")
    yield sink.take()


def _write_rows(headings: Sequence[str], rows: Rows, numbers: Sequence[bool]) -> Iterator[bytes]:
    writers: list[Callable[[str], str]] = [_write_number if is_number else _write_text for is_number in numbers]
    yield f"<row>{''.join(map(_write_text, headings))}</row>".encode()
    for row in rows:
        cells = (write(cell) for write, cell in zip(writers, row, strict=True))
        yield f"<row>{''.join(cells)}</row>".encode()


def _write_text(cell: str) -> str:
    if not cell:
        return "<c/>"
    text = escape(_unwritable.sub("\ufffd", cell))
    return f'<c s="1" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _write_number(cell: str) -> str:
    """A number as one, unless the spreadsheet would lose digits of it."""
    is_safe = len(cell) <= KEPT_DIGITS and _number.fullmatch(cell)
    return f"<c><v>{cell}</v></c>" if is_safe else _write_text(cell)
