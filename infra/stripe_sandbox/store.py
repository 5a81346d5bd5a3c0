"""What the sandbox remembers: tables of objects by id, in memory and in a file with one JSON line a transaction.

A transaction is all or nothing, over ``kill -9`` too: a torn last line is cut off at the next start. One process only.
"""

import copy
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Object = dict[str, Any]
COMPACT_ABOVE_LINES = 5_000


class StoreBusy(RuntimeError):
    """Another process has this file open."""


class StoreDamaged(RuntimeError):
    """A line before the last cannot be read: nothing was changed."""


class Store:
    """Tables of objects. Reads and writes happen in ``transaction()``; objects are copies until they are ``put``."""

    def __init__(self, path: Path) -> None:
        self.request: Object = {"id": None, "idempotency_key": None}
        self._tables: dict[str, dict[str, Object]] = {}
        self._changes: list[tuple[str, str, Object | None]] = []
        self._undo: list[tuple[str, str, Object | None]] = []
        self._lock = threading.RLock()
        self.changed = threading.Event()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._guard = _claim(path.with_suffix(".lock"))
        if self._replay(path) > COMPACT_ABOVE_LINES:
            self._compact(path)
        self._log = path.open("ab")

    def get(self, table: str, key: str) -> Object | None:
        return copy.deepcopy(self._tables.get(table, {}).get(key))

    def newest_first(self, table: str) -> list[Object]:
        """The rows themselves, to look at: never to be changed."""
        return list(reversed(self._tables.get(table, {}).values()))

    def oldest_first(self, table: str) -> list[Object]:
        """The rows themselves, to look at: never to be changed."""
        return list(self._tables.get(table, {}).values())

    def put(self, table: str, row: Object) -> Object:
        self._change(table, row["id"], copy.deepcopy(row))
        return row

    def drop(self, table: str, key: str) -> None:
        self._change(table, key, None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything that is put or dropped in it is kept, on disk, or nothing is. Not to be nested."""
        with self._lock:
            try:
                yield
                self._commit()
            except BaseException:
                self.discard()
                raise

    def discard(self) -> None:
        """Take back what the open transaction has changed so far."""
        for table, key, before in reversed(self._undo):
            _assign(self._tables, table, key, before)
        self._changes, self._undo = [], []

    def close(self) -> None:
        self._log.close()
        self._guard.close()

    def _change(self, table: str, key: str, row: Object | None) -> None:
        self._undo.append((table, key, self._tables.get(table, {}).get(key)))
        self._changes.append((table, key, row))
        _assign(self._tables, table, key, row)

    def _commit(self) -> None:
        if self._changes:
            self._log.write(json.dumps(self._changes, separators=(",", ":")).encode() + b"\n")
            self._log.flush()
            os.fsync(self._log.fileno())
            self.changed.set()
        self._changes, self._undo = [], []

    def _replay(self, path: Path) -> int:
        if not path.exists():
            return 0
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1]):
            try:
                changes = json.loads(line)
            except ValueError as error:
                raise StoreDamaged(
                    f"{path}: line {number + 1} cannot be read; restore the file or start with a new one"
                ) from error
            for table, key, row in changes:
                _assign(self._tables, table, key, row)
        if lines[-1]:
            os.truncate(path, path.stat().st_size - len(lines[-1]))
        return len(lines)

    def _compact(self, path: Path) -> None:
        whole = [(table, key, row) for table, rows in self._tables.items() for key, row in rows.items()]
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as out:
            out.write(json.dumps(whole, separators=(",", ":")).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.rename(path)


def _assign(tables: dict[str, dict[str, Object]], table: str, key: str, row: Object | None) -> None:
    if row is None:
        tables.get(table, {}).pop(key, None)
    else:
        tables.setdefault(table, {})[key] = row


def _claim(path: Path) -> Any:
    guard = path.open("w")
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        guard.close()
        raise StoreBusy(f"{path} is held by another process") from error
    return guard
