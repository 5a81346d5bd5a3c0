"""Asks the search engine, and makes documents from what the catalog knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.database import read_cursor, write_cursor
from chassis.problems import Invalid
from chassis.values import read_wire
from events.orders import OfferDescribed
from services.catalog.base import among
from services.catalog.markets.loader import load_packs
from services.catalog.parties.queries import find_names
from services.catalog.products.queries import find_for_search
from services.catalog.search.documents import OfferHit, make_change, make_label, milliseconds, number_label, read_hit
from services.catalog.search.engine import Change, Position, Question, SearchEngine, Sort, number_range
from services.catalog.search.model import SearchedOffer
from services.catalog.search.words import clauses_of

log = structlog.get_logger(__name__)


class BadCursor(Invalid):
    """The cursor was not given by this search."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody looks for; everything given must hold. Thickness is in millimetres, both ends included."""

    text: str | None = None
    place: str | None = None
    market: str | None = None
    seller_id: str | None = None
    grade: str | None = None
    thickness_min: Decimal | None = None
    thickness_max: Decimal | None = None
    sort: Sort = Sort.NEWEST
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True)
class Offers:
    """A page of found offers, how many there are on all pages, and the cursor of the next page."""

    total: int
    items: list[OfferHit]
    next: str | None


def search_offers(engine: SearchEngine, wanted: Wanted) -> Offers:
    """A page of the offers that can be taken now. Raises SearchUnavailable or BadCursor."""
    question = _question_of(wanted)
    if question is None:
        return Offers(0, [], None)
    found = engine.search(question)
    hits = found.hits[: wanted.limit]
    following = _write_position(wanted.sort, hits[-1].position) if len(found.hits) > wanted.limit else None
    return Offers(found.total, [read_hit(hit.body) for hit in hits], following)


def _question_of(wanted: Wanted) -> Question | None:
    """The engine's question; None when a text has no word in it, so that nothing can be found."""
    clauses, places = clauses_of(wanted.text or ""), clauses_of(wanted.place or "")
    if (wanted.text and not clauses) or (wanted.place and not places):
        return None
    labels = [
        make_label(name, value)
        for name, value in (("market", wanted.market), ("seller", wanted.seller_id), ("grade", wanted.grade))
        if value is not None
    ]
    numbers = []
    if wanted.thickness_min is not None or wanted.thickness_max is not None:
        grade = None if wanted.grade is None else make_label("grade", wanted.grade)
        numbers.append(number_range(number_label("thickness", grade), wanted.thickness_min, wanted.thickness_max))
    return Question(
        now=milliseconds(clock.now()),
        clauses=clauses,
        places=places,
        labels=labels,
        numbers=numbers,
        sort=wanted.sort,
        after=None if wanted.cursor is None else _read_position(wanted.sort, wanted.cursor),
        limit=wanted.limit + 1,
    )


def _write_position(sort: Sort, position: Position) -> str:
    return write_cursor(f"{sort}:{position.key:x}:{position.offer_id}")


def _read_position(sort: Sort, cursor: str) -> Position:
    name, _, rest = read_cursor(cursor).partition(":")
    key, _, offer_id = rest.partition(":")
    try:
        position = Position(int(key, 16), offer_id)
    except ValueError:
        raise BadCursor("this is not a cursor that a search has given", field="$.cursor") from None
    if name != sort or not offer_id or not 0 <= position.key < 2**63:
        raise BadCursor("this cursor belongs to a search in another order", field="$.cursor")
    return position


def make_changes(session: Session, offer_ids: Sequence[str]) -> list[Change]:
    """The documents of offers as they follow from what is known now.

    An offer that cannot be read is logged and left as it is.
    """
    rows = session.scalars(select(SearchedOffer.event).where(among(SearchedOffer.offer_id, offer_ids)))
    offers = [msgspec.convert(event, OfferDescribed, dec_hook=read_wire) for event in rows]
    pieces = find_for_search(session, {id for offer in offers for id in offer.piece_ids})
    names = find_names(session, {id for offer in offers for id in (offer.seller_id, offer.warehouse_id)})
    packs = load_packs()
    changes = []
    for offer in offers:
        mine = [pieces[id] for id in offer.piece_ids if id in pieces]
        try:
            changes.append(make_change(offer, mine, names, packs.get(offer.market)))
        except (ArithmeticError, ValueError, KeyError):
            log.exception("offer not indexed", offer_id=offer.offer_id)
    return changes


def list_open(session: Session, after: str, limit: int) -> list[str]:
    """The ids of open offers after one, in order."""
    return _list(session, after, limit, SearchedOffer.is_open)


def list_touched(session: Session, since: datetime, after: str, limit: int) -> list[str]:
    """The ids of offers, open or not, about which something was heard since a time, in order."""
    return _list(session, after, limit, SearchedOffer.touched_at >= since)


def _list(session: Session, after: str, limit: int, where: object) -> list[str]:
    query = select(SearchedOffer.offer_id).where(SearchedOffer.offer_id > after, where)  # type: ignore[arg-type]
    return list(session.scalars(query.order_by(SearchedOffer.offer_id).limit(limit)))
