"""Many texts by their places and many values by their rows, in little memory: what does not fit lies in a temporary file."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from array import array
from collections.abc import Iterable, Mapping

IN_MEMORY_BYTES = 8 << 20
REMEMBERED = 50_000


class TextSpool:
    """Texts that are put in once in a row and then asked for by their places."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        self._ends = array("Q", [0])
        self._remembered: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        """Put a text behind the others."""
        place = len(self)
        self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))
        if place < REMEMBERED:
            self._remembered[place] = text

    def __getitem__(self, place: int) -> str:
        if (text := self._remembered.get(place)) is None:
            start, end = self._ends[place], self._ends[place + 1]
            self._file.seek(start)
            text = self._file.read(end - start).decode("utf-8", "surrogatepass")
            if len(self._remembered) >= 2 * REMEMBERED:
                self._remembered.clear()
            self._remembered[place] = text
        return text

    def close(self) -> None:
        """Give the file up."""
        self._file.close()


class Seen:
    """In which row each value of some columns stood first."""

    def __init__(self) -> None:
        self._recent: dict[tuple[str, str], int] = {}
        self._old: sqlite3.Connection | None = None

    def find(self, column: str, values: Iterable[str]) -> dict[str, int]:
        """The rows of those of some values that were added before."""
        recent = self._recent
        found = {value: row for value in values if (row := recent.get((column, value))) is not None}
        if self._old is not None:
            asked = (column, json.dumps(list(values)))
            found |= dict(self._old.execute(_FIND, asked))
        return found

    def add(self, column: str, rows: Mapping[str, int]) -> None:
        """Remember the rows of values that were not there."""
        self._recent.update({(column, value): row for value, row in rows.items()})
        if len(self._recent) >= REMEMBERED:
            self._put_away()

    def _put_away(self) -> None:
        if self._old is None:
            # An empty name is a file that SQLite removes by itself; it lies in memory up to the size of the cache.
            self._old = sqlite3.connect("", check_same_thread=False, isolation_level=None)
            self._old.executescript(_MAKE)
        self._old.execute("BEGIN")
        made = ((column, value, row) for (column, value), row in sorted(self._recent.items()))
        self._old.executemany("INSERT INTO seen VALUES (?, ?, ?)", made)
        self._old.execute("COMMIT")
        self._recent.clear()

    def close(self) -> None:
        """Give the file up."""
        if self._old is not None:
            self._old.close()


_MAKE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16384;
CREATE TABLE seen (field TEXT, value TEXT, row INTEGER, PRIMARY KEY (field, value)) WITHOUT ROWID;
"""
# CROSS keeps the order: for each value that is asked for one look into the table.
_FIND = (
    "SELECT seen.value, seen.row FROM json_each(?2) AS asked "
    "CROSS JOIN seen ON seen.field = ?1 AND seen.value = asked.value"
)
