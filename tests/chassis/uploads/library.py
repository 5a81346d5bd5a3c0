"""A small service that takes uploads: books, of which each company has its own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock, database
from chassis.auth import Caller
from chassis.envelope import Event
from chassis.messages import emit_many
from chassis.problems import Invalid
from chassis.service import Service
from chassis.uploads.api import make_routes
from chassis.uploads.commands import expire_upload
from chassis.uploads.fields import Field, Importer, Options, Outcome, TotalWords, Values
from chassis.uploads.loop import make_loop
from chassis.uploads.model import Upload
from chassis.uploads.reasons import Words
from chassis.values import Exact, read_exact

Base = database.base("library")


class BookDescribed(Event):
    """A book is as it stands after a change."""

    type: ClassVar[str] = "library.book_described.v1"
    book_id: str
    version: int
    number: str


class Book(Base):
    """A book of a company."""

    __tablename__ = "book"
    __table_args__ = (UniqueConstraint("owner_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    owner_id: Mapped[str]
    number: Mapped[str]
    title: Mapped[str]
    grams: Mapped[str]
    shelf: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Any) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.owner_id == caller.party_id


class NoSuchLibrary(Invalid):
    """There is no such library."""


def read_number(text: str) -> str:
    if " " in text or len(text) > 40:
        raise ValueError("is no number of a book")
    return text


def read_grams(text: str) -> str:
    try:
        value = read_exact(text)
    except ValueError:
        raise ValueError("is not a number") from None
    if not 0 < value < 100_000:
        raise ValueError("is not between 1 and 99999")
    return format(value.normalize(), "f")


def read_title(text: str) -> str:
    if len(text) > 60:
        raise ValueError("is longer than 60 characters")
    return text


FACTORS = {"g": Exact(1), "kg": Exact(1000), "千克": Exact(1000)}


def list_fields(session: Session, caller: Caller, options: Options) -> list[Field]:
    if options.market != "paper":
        raise NoSuchLibrary(f"no library {options.market!r}", field="$.market")
    label = {
        "number": ("编号", "Number"),
        "title": ("书名", "Title"),
        "grams": ("重量", "Weight"),
        "shelf": ("书架", "Shelf"),
    }
    headings = {"number": ["编号", "no"], "title": ["书名"], "grams": ["重量", "weight"], "shelf": ["书架"]}
    make = {
        "number": {"read": read_number, "kind": "identifier", "required": True, "unique": True},
        "title": {"read": read_title, "required": True},
        "grams": {"read": read_grams, "kind": "number", "required": True, "factors": FACTORS, "summed": True},
        "shelf": {"read": read_title},
    }
    return [
        Field(name=name, label=dict(zip(("zh", "en"), label[name], strict=True)), headings=headings[name], **said)
        for name, said in make.items()
    ]


class Books:
    """Takes books in."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def check(self, values: Values) -> Iterable[tuple[str, str]]:
        if values.get("title") == values.get("shelf") is not None:
            yield "shelf", "is the title"

    def store(self, session: Session, rows: Sequence[Values]) -> Outcome:
        owner = self.caller.party_id
        known = {
            book.number: book
            for book in session.query(Book).filter(Book.owner_id == owner, Book.number.in_([r["number"] for r in rows]))
        }
        outcome, events, made = Outcome(), [], []
        for place, row in enumerate(rows):
            said = (row["title"], row["grams"], row.get("shelf"))
            book = known.get(row["number"])
            if row["title"] == "forbidden":
                outcome.refused.append((place, "title", "is on the index"))
            elif book is None:
                id = clock.new_id("book")
                made.append(
                    dict(
                        id=id,
                        version=1,
                        owner_id=owner,
                        number=row["number"],
                        title=said[0],
                        grams=said[1],
                        shelf=said[2],
                    )
                )
                events.append(BookDescribed(book_id=id, version=1, number=row["number"]))
                outcome.created += 1
            elif (book.title, book.grams, book.shelf) == said:
                outcome.unchanged += 1
            else:
                book.title, book.grams, book.shelf = said
                book.version += 1
                events.append(BookDescribed(book_id=book.id, version=book.version, number=book.number))
                outcome.updated += 1
        if made:
            session.execute(insert(Book).values(made))
        session.flush()
        emit_many(session, events)
        return outcome


WORDS = Words(
    templates={"is no number of a book": "不是书号", "is on the index": "已被列为禁书", "is not a number": "不是数字"}
)
IMPORTER = Importer(
    kind="books",
    role="seller",
    fields=list_fields,
    open=lambda session, caller, options: Books(caller),
    totals=lambda session, options: TotalWords(whole=["合计", "total"], part=["小计"], counters=["本"]),
    words=lambda session, options: WORDS,
)
IMPORTERS = {"books": IMPORTER}
SERVICE = Service(
    name="library",
    base=Base,
    nouns=("uploads",),
    blueprints=(make_routes("uploads", IMPORTERS),),
    timers={Upload: expire_upload},
    loops={"uploads": make_loop(IMPORTERS)},
)
