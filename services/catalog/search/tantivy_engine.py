"""The embedded engine: tantivy in a folder. One process writes, any number read.

``FOLDER/current`` names the generation that is read; a rebuild fills a new generation beside it and then replaces that
file, which readers notice at their next question. The writer holds ``FOLDER/lock`` for as long as it lives; the kernel
takes the lock from a process that was killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import tantivy
from tantivy import Index, IndexWriter, Query, Searcher

from services.catalog.search.access import PUBLIC
from services.catalog.search.engine import LAYOUT, Change, Document, Found, Key, Question, SearchUnavailable, newest
from services.catalog.search.tantivy_query import PRIVATE, Asked

WRITER_MEMORY_BYTES = 32_000_000
OPEN_ATTEMPTS = 3


def _make_schema() -> tantivy.Schema:
    fields = tantivy.SchemaBuilder()
    fields.add_text_field("thing_id", stored=True, tokenizer_name="raw", index_option="basic")
    fields.add_integer_field("version", fast=True)
    for name in ("words", "heading"):
        fields.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in ("labels", "access", "completions"):
        fields.add_text_field(name, tokenizer_name="raw", index_option="basic")
    # Markets have any number of attributes, which a schema cannot name: each is a column of its own below these.
    for name in ("facets", "numbers"):
        fields.add_json_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    fields.add_integer_field("pairs", indexed=True)
    for name in (*Key, "until"):
        fields.add_integer_field(name, indexed=True, fast=True)
    fields.add_bytes_field("body", stored=True)
    return fields.build()


class TantivyEngine:
    """The index in a folder. Made after fork; threads may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._schema = _make_schema()
        self._reading = threading.Lock()
        self._opened: tuple[str, Index, tuple[int, int]] | None = None
        self._writer: tuple[str, IndexWriter] | None = None
        self._lock: IO[bytes] | None = None

    def is_ready(self) -> bool:
        """Whether there is an index of the present layout."""
        generation = self._generation()
        return generation.startswith(f"{LAYOUT}-") and (self.folder / generation / "meta.json").exists()

    def _generation(self) -> str:
        try:
            return (self.folder / "current").read_text().strip()
        except FileNotFoundError:
            return ""

    def search(self, question: Question) -> Found:
        """A page of what is found. Raises SearchUnavailable while there is no index."""
        return self._ask(question).find()

    def complete(self, question: Question, beginning: str, limit: int) -> dict[str, int]:
        """Completions with this beginning among what a question finds, with how many things have each."""
        return self._ask(question).complete(beginning, limit)

    def _ask(self, question: Question) -> Asked:
        index, searcher = self._searcher()
        return Asked(index, searcher, self._schema, question)

    def _searcher(self) -> tuple[Index, Searcher]:
        with self._reading:
            for _ in range(OPEN_ATTEMPTS):
                try:
                    index = self._open(self._generation())
                    return index, index.searcher()
                except (OSError, ValueError):
                    self._opened = None  # the generation was replaced between reading its name and opening it
            raise SearchUnavailable("the search index is being made")

    def _open(self, generation: str) -> Index:
        """The index of a generation as it was last committed. Raises OSError or ValueError when it is not there."""
        if not generation:
            raise FileNotFoundError(self.folder / "current")
        about = os.stat(self.folder / generation / "meta.json")
        commit = (about.st_ino, about.st_mtime_ns)
        if self._opened is None or self._opened[0] != generation:
            index = Index.open(str(self.folder / generation))
            index.config_reader("manual")
            self._opened = (generation, index, (0, 0))
        _, index, seen = self._opened
        if seen != commit:
            index.reload()
            self._opened = (generation, index, commit)
        return index

    def refresh(self) -> None:
        """Readers see a commit at their next question: there is nothing to wait for."""

    def write(self, changes: Sequence[Change]) -> None:
        """Take changes in, durably.

        Raises SearchUnavailable when another process writes, or while there is no index.
        """
        writer, (_, searcher) = self._open_writer(), self._searcher()
        for change in newest(changes):
            if self._version(searcher, change.thing_id) <= change.version:
                self._put(writer, change)
        writer.commit()

    def _open_writer(self) -> IndexWriter:
        self._take_lock()
        generation = self._generation()
        if not generation:
            raise SearchUnavailable("the search index is being made")
        if self._writer is None or self._writer[0] != generation:
            self._close_writer()
            self._writer = (generation, self._make_writer(generation))
        return self._writer[1]

    def _make_writer(self, generation: str) -> IndexWriter:
        return Index(self._schema, str(self.folder / generation)).writer(WRITER_MEMORY_BYTES, 1)

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise SearchUnavailable(f"another process writes the search index in {self.folder}") from None
        self._lock = lock

    def _version(self, searcher: Searcher, thing_id: str) -> int:
        hits = searcher.search(Query.term_query(self._schema, "thing_id", thing_id, "basic"), 1, count=False).hits
        return searcher.fast_field_values("version", [hits[0][1]])[0] or 0 if hits else 0

    def _put(self, writer: IndexWriter, change: Change) -> None:
        writer.delete_documents_by_term("thing_id", change.thing_id)
        if isinstance(change, Document):
            writer.add_document(_row_of(change))

    @contextmanager
    def rebuilt(self) -> Iterator[Callable[[Sequence[Change]], None]]:
        """A new generation; readers turn to it when the block ends well, and it is thrown away when it does not."""
        self._take_lock()
        before = self._generation()
        number = max([0, *(int(name.partition("-")[2]) for name in self._generations())]) + 1
        generation = f"{LAYOUT}-{number}"
        (self.folder / generation).mkdir()
        writer = self._make_writer(generation)

        def fill(changes: Sequence[Change]) -> None:
            for change in newest(changes):
                self._put(writer, change)

        try:
            yield fill
            writer.commit()
        except BaseException:
            del writer
            shutil.rmtree(self.folder / generation)
            raise
        self._close_writer()
        self._writer = (generation, writer)
        self._point_to(generation)
        for name in self._generations():
            if name not in (before, generation):
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def _generations(self) -> list[str]:
        return [path.name for path in self.folder.glob("*-*") if path.name.replace("-", "").isdigit()]

    def _point_to(self, generation: str) -> None:
        pointer = self.folder / "current.new"
        with pointer.open("w") as file:
            file.write(generation)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self.folder / "current")
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _close_writer(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer[1], None
            writer.wait_merging_threads()

    def close(self) -> None:
        """Let another process write."""
        self._close_writer()
        self._opened = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _row_of(document: Document) -> tantivy.Document:
    row = tantivy.Document()
    row.add_text("thing_id", document.thing_id)
    row.add_integer("version", document.version)
    row.add_text("words", " ".join(document.words))
    row.add_text("heading", " ".join(document.heading))
    for field in ("labels", "access", "completions"):
        for text in getattr(document, field):
            row.add_text(field, text)
    if PUBLIC not in document.access:
        row.add_text("labels", PRIVATE)
    row.add_json("facets", {name: list(values) for name, values in document.facets.items()})
    row.add_json("numbers", {name: list(values) for name, values in document.numbers.items()})
    for pair in document.pairs:
        row.add_integer("pairs", pair)
    for key, value in document.keys.items():
        row.add_integer(key, value)
    row.add_integer("until", document.until)
    row.add_bytes("body", document.body)
    return row
