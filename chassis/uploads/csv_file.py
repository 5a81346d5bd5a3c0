"""Reads CSV as it comes: UTF-8 with or without a byte order mark, or GB18030 as Chinese spreadsheets write it."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from chassis.uploads.cells import NotReadable, Records

MAX_LINE = 1 << 20
"""Characters of a line; a cell has at most what the csv module takes, 131,072."""
MAX_ROW = 4 << 20
"""Characters of a row, whose cells may have lines of their own."""
_CHUNK = 1 << 20
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\x84\x31\x95\x33": "gb18030"}
is_formula = re.compile(r"'*[=+\-@\t\r]").match
"""Whether a spreadsheet would run a text as a formula, or shows it without the apostrophe that keeps it from that."""


def read_csv(file: BinaryIO) -> Records:
    """The rows of a CSV file, as a stream. Raises NotReadable.

    An apostrophe that keeps a spreadsheet from running a text as a formula is not part of the text.
    """
    mark, encoding = find_encoding(file)
    file.seek(mark)
    text = io.TextIOWrapper(file, encoding, newline="")
    left = [MAX_ROW]
    reader = csv.reader(_lines(text, left), strict=True)
    row = 0
    try:
        for row, cells in enumerate(reader, start=1):
            left[0] = MAX_ROW
            cells = list(map(str.strip, cells))
            yield row, list(map(_plain, cells)) if "'" in "".join(cells) else cells
    except csv.Error as error:
        raise NotReadable(f"after row {row}: {error}", field="$") from None
    finally:
        # A wrapper closes its file with itself, and this is another's; where that has closed it already there is nothing to save.
        if not file.closed:
            text.detach()


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and is_formula(cell) else cell


def _lines(text: io.TextIOWrapper, left: list[int]) -> Iterator[str]:
    """The lines of a file; ``left[0]`` is how many characters the row that they are of may still have."""
    while line := text.readline(MAX_LINE):
        left[0] -= len(line)
        if left[0] < 0:
            raise NotReadable(f"a row is longer than {MAX_ROW} characters", field="$")
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            raise NotReadable(f"a line is longer than {MAX_LINE} characters", field="$")
        yield line


def find_encoding(file: BinaryIO) -> tuple[int, str]:
    """How many bytes the mark at its beginning has, and the encoding of a file. Raises NotReadable.

    It is what the mark says, else UTF-8 if all of the file is that, else GB18030 if all of it is. GB18030 covers GBK and
    GB 2312. A file of another encoding may pass as it by accident; its headings are then not known.
    """
    file.seek(0)
    beginning = file.read(4)
    for mark, encoding in _MARKS.items():
        if beginning.startswith(mark):
            _refuse_other(file, len(mark), encoding)
            return len(mark), encoding
    if _find_fault(file, 0, "utf-8") is None:
        return 0, "utf-8"
    _refuse_other(file, 0, "gb18030")
    return 0, "gb18030"


def _refuse_other(file: BinaryIO, start: int, encoding: str) -> None:
    if (line := _find_fault(file, start, encoding)) is not None:
        raise NotReadable(f"in line {line} there are bytes that are neither UTF-8 nor GB18030", field="$")


def _find_fault(file: BinaryIO, start: int, encoding: str) -> int | None:
    """The line in which a file has bytes that are not of an encoding, or None."""
    file.seek(start)
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    while True:
        chunk = file.read(_CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return line + error.object.count(b"\n", 0, error.start)
        if not chunk:
            return None
        line += chunk.count(b"\n")
