"""Searches that a user has saved: what is wanted, and what each has told of already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, ForeignKey, Identity, Text, cast, false, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger

from chassis import clock
from chassis.auth import Caller
from chassis.database import Page, get, get_if_any, page
from chassis.messages import emit
from chassis.problems import Conflict, Invalid
from chassis.values import write_wire
from events.catalog import SearchMatched
from services.catalog.base import Base
from services.catalog.search.asking import Wanted, question_of
from services.catalog.search.knowledge import find_knowledge, find_viewer
from services.catalog.search.model import SearchedThing

MOST_OF_A_USER = 100


class TooManySearches(Conflict):
    """A user has saved as many searches as can be."""


class NothingWanted(Invalid):
    """Nothing can ever fit the search."""


class SavedSearch(Base):
    """A search that tells of new things. ``number`` is their order.

    ``is_whole`` says that everything which fitted when it was saved is known, so that whatever fits later is new; None
    until that was looked at.
    """

    __tablename__ = "saved_search"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    party_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_whole: Mapped[bool | None]
    made_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else (cls.party_id == caller.party_id) & (cls.user_id == caller.user_id)


class SavedMatch(Base):
    """A thing that fitted a saved search: it is told of once, or was there before."""

    __tablename__ = "saved_match"

    search_id: Mapped[str] = mapped_column(ForeignKey("saved_search.id", ondelete="CASCADE"), primary_key=True)
    thing_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()


def save_search(session: Session, caller: Caller, name: str, wanted: Wanted) -> SavedSearch:
    """Save what is wanted. Raises TooManySearches, NothingWanted, UnknownFilter, BadFilter or UnknownPlace."""
    if question_of(wanted, find_knowledge(session), find_viewer(session, caller), clock.now()) is None:
        raise NothingWanted("there is no word in the text", field="$.wanted.text")
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(caller.user_id, 0))))
    mine = select(func.count()).select_from(SavedSearch).where(SavedSearch.user_id == caller.user_id)
    if (session.scalar(mine) or 0) >= MOST_OF_A_USER:
        raise TooManySearches(f"a user may save {MOST_OF_A_USER} searches: delete one first")
    saved = SavedSearch(
        id=clock.new_id("search"),
        party_id=caller.party_id,
        user_id=caller.user_id,
        name=name,
        wanted=msgspec.to_builtins(wanted, enc_hook=write_wire),
        is_whole=None,
        made_at=clock.now(),
    )
    session.add(saved)
    return saved


def forget_search(session: Session, caller: Caller, search_id: str) -> None:
    """Delete a saved search: it tells of nothing more. Raises NotFound."""
    session.delete(get(session, SavedSearch, search_id, caller))


def list_searches(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[SavedSearch]:
    """The caller's saved searches, newest first."""
    return page(session, SavedSearch, caller, cursor, limit, SavedSearch.user_id == caller.user_id)


def read_wanted(saved: SavedSearch) -> Wanted:
    """What a saved search looks for."""
    return msgspec.convert(saved.wanted, Wanted)


def note_known(session: Session, search_id: str, thing_ids: Iterable[str], *, found: int) -> None:
    """Note what fitted a search when it was saved; it is whole when that is everything that was found."""
    saved = get_if_any(session, SavedSearch, search_id, Caller.system("catalog"))
    if saved is None or saved.is_whole is not None:
        return
    ids = sorted(set(thing_ids))
    before = select(SearchedThing.id).where(SearchedThing.id == _any_of(ids), SearchedThing.made_at <= saved.made_at)
    rows = select(literal(search_id), before.subquery().c.id, literal(clock.now()))
    session.execute(insert(SavedMatch).from_select(["search_id", "thing_id", "at"], rows).on_conflict_do_nothing())
    saved.is_whole = found <= len(ids)


def _any_of(ids: list[str]) -> Any:
    return func.any(cast(literal(ids, ARRAY(Text)), ARRAY(Text)))


def tell(session: Session, fitting: dict[tuple[str, str], tuple[str, str]]) -> int:
    """Tell of things that fit: by search and thing, the thing's kind and title. Each once, and only what is new.

    New is what was first heard of after the search was saved, or did not fit then, where that is known.
    """
    system = Caller.system("catalog")
    told = 0
    for search_id in sorted({search for search, _ in fitting}):
        if (saved := get_if_any(session, SavedSearch, search_id, system)) is None:
            continue
        mine = sorted(thing for search, thing in fitting if search == search_id)
        is_new = or_(SearchedThing.made_at > saved.made_at, literal(bool(saved.is_whole)))
        new = select(SearchedThing.id).where(SearchedThing.id == _any_of(mine), is_new).subquery()
        rows = select(literal(search_id), new.c.id, literal(clock.now()))
        statement = insert(SavedMatch).from_select(["search_id", "thing_id", "at"], rows).on_conflict_do_nothing()
        for thing_id in sorted(session.scalars(statement.returning(SavedMatch.thing_id))):
            emit(session, _matched(saved, thing_id, *fitting[search_id, thing_id]), of=saved)
            told += 1
    return told


def _matched(saved: SavedSearch, thing_id: str, kind: str, title: str) -> SearchMatched:
    return SearchMatched(
        saved_search_id=saved.id,
        party_id=saved.party_id,
        user_id=saved.user_id,
        name=saved.name,
        kind=kind,
        thing_id=thing_id,
        title=title,
    )


def list_after(session: Session, number: int, limit: int) -> list[SavedSearch]:
    """Saved searches after one, in their order."""
    query = select(SavedSearch).where(SavedSearch.number > number).order_by(SavedSearch.number).limit(limit)
    return list(session.scalars(query))


def list_new(session: Session, limit: int) -> list[SavedSearch]:
    """Saved searches of which it is not known yet what fitted when they were saved."""
    query = select(SavedSearch).where(SavedSearch.is_whole.is_(None)).order_by(SavedSearch.number).limit(limit)
    return list(session.scalars(query))
