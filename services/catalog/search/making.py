"""Makes documents from what is known now, for the index and for saved searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.values import read_wire
from events.catalog import ProductDescribed
from events.orders import OfferDescribed, PostingDescribed
from services.catalog.base import among
from services.catalog.markets.queries import packs_of
from services.catalog.parties.queries import find_names
from services.catalog.pieces.queries import find_for_search
from services.catalog.search.access import Lock
from services.catalog.search.documents import Around, Made
from services.catalog.search.engine import Change
from services.catalog.search.model import SearchedThing
from services.catalog.search.ratings import find_ratings
from services.catalog.search.spelling import may_be_misspelled
from services.catalog.search.things import Described, make_made, owner_of

log = structlog.get_logger(__name__)
_KINDS: dict[str, type[Described]] = {"offer": OfferDescribed, "product": ProductDescribed}


@dataclass
class Changes:
    """What is to be written to the index, and what belongs beside it."""

    changes: list[Change] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)

    @property
    def words(self) -> set[str]:
        """The Latin words of the documents that can be misspelled."""
        return {word for made in self.made for word in made.document.words if may_be_misspelled(word)}

    @property
    def locks(self) -> dict[str, Lock]:
        """The locks of the documents by id."""
        return {lock.id: lock for made in self.made for lock in made.locks}


def make_changes(session: Session, thing_ids: Sequence[str]) -> Changes:
    """The documents of things as they follow from what is known now.

    A thing that cannot be read is logged and left as it is.
    """
    events = _read_events(session, thing_ids)
    products = _find_products(session, events)
    pieces = find_for_search(session, {id for event in events for id in _pieces_of(event)})
    owners = {owner_of(event) for event in events}
    ratings = find_ratings(session, owners)
    around = Around(
        names=find_names(
            session, owners | {event.warehouse_id for event in events if isinstance(event, OfferDescribed)}
        ),
        packs=packs_of(session, {event.market for event in events}),
        ratings={id: rating.percent for id, rating in ratings.items()},
    )
    changes = Changes()
    for event in events:
        mine = [pieces[id] for id in _pieces_of(event) if id in pieces]
        product = None if isinstance(event, ProductDescribed) else products.get(event.product_id or "")
        try:
            made = make_made(event, mine, product, around, rated_deals=ratings[owner_of(event)].deals)
        except (ArithmeticError, ValueError, KeyError):
            log.exception("thing not indexed", thing_id=event.subject)
            continue
        if isinstance(made, Made):
            changes.made.append(made)
        changes.changes.append(made.document if isinstance(made, Made) else made)
    return changes


def _pieces_of(event: Described) -> list[str]:
    return event.piece_ids if isinstance(event, OfferDescribed) else []


def _read_events(session: Session, ids: Sequence[str]) -> list[Described]:
    query = select(SearchedThing.kind, SearchedThing.event).where(among(SearchedThing.id, ids))
    return [
        msgspec.convert(event, _KINDS.get(kind, PostingDescribed), dec_hook=read_wire)
        for kind, event in session.execute(query)
    ]


def _find_products(session: Session, events: Sequence[Described]) -> dict[str, ProductDescribed]:
    wanted = {event.product_id for event in events if not isinstance(event, ProductDescribed) and event.product_id}
    found = _read_events(session, sorted(wanted)) if wanted else []
    return {event.product_id: event for event in found if isinstance(event, ProductDescribed)}


def list_open(session: Session, after: str, limit: int) -> list[str]:
    """The ids of open things after one, in order."""
    return _list(session, after, limit, SearchedThing.is_open)


def list_touched(session: Session, since: datetime, after: str, limit: int) -> list[str]:
    """The ids of things, open or not, about which something was heard since a time, in order."""
    return _list(session, after, limit, SearchedThing.touched_at >= since)


def _list(session: Session, after: str, limit: int, where: object) -> list[str]:
    query = select(SearchedThing.id).where(SearchedThing.id > after, where)  # type: ignore[arg-type]
    return list(session.scalars(query.order_by(SearchedThing.id).limit(limit)))
