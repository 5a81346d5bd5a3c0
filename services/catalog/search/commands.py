"""Keeps what the search's own consumer group hears, and says which things must be indexed again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.values import write_wire
from events.catalog import PieceDescribed, ProductDescribed
from events.identity import PartyDescribed
from events.orders import DealCompleted, DealDefaulted, DealStruck, OfferDescribed
from services.catalog.base import among
from services.catalog.parties.commands import describe_party
from services.catalog.search.access import NO_LOCK, Lock
from services.catalog.search.model import RatedDeal, SearchedLock, SearchedThing, SearchedWord
from services.catalog.search.ratings import find_ratings
from services.catalog.search.things import Described, id_of, is_open, kind_of, owner_of

Ending = DealStruck | DealCompleted | DealDefaulted


@dataclass
class Heard:
    """What a batch of messages says, the latest of each thing; of deals everything, in order."""

    things: dict[str, Described] = field(default_factory=dict)
    parties: dict[str, PartyDescribed] = field(default_factory=dict)
    pieces: dict[str, PieceDescribed] = field(default_factory=dict)
    deals: list[Ending] = field(default_factory=list)


def take_in(session: Session, heard: Heard) -> list[str]:
    """Keep things, companies and deals as they stand; the ids of all whose documents may be other now, in order."""
    if heard.things:
        _keep_things(session, [heard.things[id] for id in sorted(heard.things)])
    for party_id in sorted(heard.parties):
        describe_party(session, heard.parties[party_id])
    owners = {*heard.parties, *_keep_deals(session, heard.deals)}
    products = [id for id, event in heard.things.items() if isinstance(event, ProductDescribed)]
    return sorted({*heard.things, *_touch_others(session, owners, heard.parties, heard.pieces, products)})


def _keep_things(session: Session, events: Sequence[Described]) -> None:
    table = SearchedThing.__table__
    statement = insert(table)
    kept = ("id", "made_at")
    replaced = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in kept}
    later = table.c.version <= statement.excluded.version
    statement = statement.on_conflict_do_update(index_elements=["id"], set_=replaced, where=later)
    session.execute(statement, [_row(event) for event in events])


def _row(event: Described) -> dict[str, object]:
    is_offer = isinstance(event, OfferDescribed)
    return {
        "id": id_of(event),
        "kind": kind_of(event),
        "version": event.version,
        "owner_id": owner_of(event),
        "warehouse_id": event.warehouse_id if is_offer else None,
        "product_id": event.product_id,
        "is_open": is_open(event),
        "piece_ids": event.piece_ids if is_offer else [],
        "event": msgspec.to_builtins(event, enc_hook=write_wire),
        "made_at": clock.now(),
        "touched_at": clock.now(),
    }


def _keep_deals(session: Session, deals: Iterable[Ending]) -> set[str]:
    """Keep how deals ended; the companies whose rating is another now."""
    parties: set[str] = set()
    struck = [
        {"id": deal.deal_id, "seller_id": deal.seller_id, "buyer_id": deal.buyer_id, "outcome": "open"}
        for deal in deals
        if isinstance(deal, DealStruck)
    ]
    if struck:
        session.execute(insert(RatedDeal).on_conflict_do_nothing(), struck)
    ended = {deal.deal_id: _outcome(deal) for deal in deals if not isinstance(deal, DealStruck)}
    if not ended:
        return set()
    rows = session.scalars(select(RatedDeal).where(among(RatedDeal.id, ended)).order_by(RatedDeal.id).with_for_update())
    open_deals = [row for row in rows if row.outcome == "open"]
    parties = {id for row in open_deals for id in (row.seller_id, row.buyer_id)}
    before = find_ratings(session, parties)
    for row in open_deals:
        row.outcome = ended[row.id]
    session.flush()
    after = find_ratings(session, parties)
    return {id for id in parties if before[id].percent != after[id].percent}


def _outcome(deal: Ending) -> str:
    return deal.by if isinstance(deal, DealDefaulted) else "kept"


def _touch_others(
    session: Session,
    owner_ids: Collection[str],
    party_ids: Collection[str],
    piece_ids: Collection[str],
    product_ids: Collection[str],
) -> list[str]:
    """The open things that show a company, a piece or a product.

    Noted as touched, in case an index is being made at this moment.
    """
    shown: list[ColumnElement[bool]] = []
    if piece_ids:
        shown.append(SearchedThing.piece_ids.overlap(cast(literal(sorted(piece_ids), ARRAY(Text)), ARRAY(Text))))
    if owner_ids:
        shown.append(among(SearchedThing.owner_id, owner_ids))
    if party_ids:
        shown.append(among(SearchedThing.warehouse_id, party_ids))
    if product_ids:
        shown.append(and_(among(SearchedThing.product_id, product_ids), SearchedThing.kind != "product"))
    if not shown:
        return []
    locked = (
        select(SearchedThing.id).where(SearchedThing.is_open, or_(*shown)).order_by(SearchedThing.id).with_for_update()
    )
    ids = list(session.scalars(locked))
    touched = update(SearchedThing).where(among(SearchedThing.id, ids)).values(touched_at=clock.now())
    session.execute(touched, execution_options={"synchronize_session": False})
    return ids


def learn(session: Session, words: Collection[str], locks: Collection[Lock]) -> None:
    """Keep words and locks that documents have, so that questions know them."""
    if words:
        source = select(func.unnest(cast(literal(sorted(words), ARRAY(Text)), ARRAY(Text))))
        session.execute(insert(SearchedWord).from_select(["word"], source).on_conflict_do_nothing())
    rows: list[dict[str, Any]] = [
        {"id": lock.id, "needs": msgspec.to_builtins(lock.needs)}
        for lock in sorted(locks, key=lambda lock: lock.id)
        if lock.id != NO_LOCK
    ]
    if rows:
        session.execute(insert(SearchedLock).on_conflict_do_nothing(), rows)
