"""A small service that the chassis's own tests run: notes that can be closed, and that follow other notes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Text, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock, database
from chassis.envelope import Event
from chassis.errands import owe
from chassis.messages import emit
from chassis.problems import Conflict, NotYetKnown
from chassis.service import Errand, Service
from chassis.states import Move, Stateful, state_column

Base = database.base("notes")


class NoteWritten(Event):
    """A note was written or written to."""

    type: ClassVar[str] = "notes.note_written.v1"
    note_id: str
    text: str


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Note(Stateful, Base):
    """A note."""

    __tablename__ = "note"
    moves: ClassVar[dict[str, Move]] = {"close": Move(State.OPEN, to=State.CLOSED)}
    initial: ClassVar[StrEnum] = State.OPEN
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.CLOSED})
    waits: ClassVar[frozenset[StrEnum]] = frozenset({State.OPEN})

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    owner_id: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Any) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.owner_id == caller.party_id


class Heard(Base):
    """What the service heard, in order."""

    __tablename__ = "heard"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    note_id: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)


class KnownParty(Base):
    """A projection of a party."""

    __tablename__ = "known_party"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column()
    name: Mapped[str] = mapped_column(Text)


class Disliked(Conflict):
    """The note says something that cannot be handled."""


def write_note(
    session: Session, owner_id: str, words: str, *, id: str | None = None, due_at: datetime | None = None
) -> Note:
    """Write a note and tell of it."""
    note = Note(id=id or clock.new_id("note"), owner_id=owner_id, text=words, state=State.OPEN, due_at=due_at)
    session.add(note)
    emit(session, NoteWritten(note_id=note.id, text=words), of=note)
    return note


def append(session: Session, caller: Any, id: str, words: str) -> None:
    """Write more on a note and tell of it."""
    note = database.get(session, Note, id, caller)
    note.text += words
    emit(session, NoteWritten(note_id=id, text=words), of=note)


def on_note_written(session: Session, caller: Any, event: NoteWritten) -> None:
    """Write down what was heard; some words are not liked."""
    if event.text in dislikes:
        raise Disliked(event.text)
    if event.text in unknown:
        raise NotYetKnown(event.text)
    session.add(Heard(note_id=event.note_id, text=event.text))


def close_note(session: Session, caller: Any, id: str) -> None:
    """Close a note whose time is over."""
    note = database.get(session, Note, id, caller)
    if note.text in dislikes:
        raise Disliked(note.text)
    if note.can("close") and note.due_at <= clock.now():
        note.move("close")
        note.due_at = None


def ask_to_print(session: Session, note: Note) -> None:
    """Owe the printer a call."""
    owe(session, "print", note.id, {"text": note.text})


def print_note(settings: Any, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Call the printer."""
    printed.append((payload["subject"], payload["errand_id"], attempt))
    if payload["text"] in dislikes:
        raise ConnectionError("out of paper")
    return {"pages": 1}


def record_print(session: Session, caller: Any, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Put down that it was printed."""
    database.get(session, Note, payload["subject"], caller).text += f" printed {outcome['pages']}"


dislikes: set[str] = set()
unknown: set[str] = set()
printed: list[tuple[str, str, int]] = []
streamed: list[str] = []


def on_readings(session: Session, caller: Any, batch: list[Any]) -> None:
    """Take in readings."""
    for message in batch:
        if message.value == b"poison":
            raise ValueError("poison")
        streamed.append(message.value.decode())


SERVICE = Service(
    name="notes",
    base=Base,
    nouns=("notes",),
    handlers={NoteWritten: on_note_written},
    streams={"notes.readings": on_readings},
    timers={Note: close_note},
    errands={"print": Errand(call=print_note, record=record_print, max_attempts=3)},
)
