"""Keeps what the search's own consumer group hears, and says which offers must be indexed again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Text, cast, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.values import write_wire
from events.identity import PartyDescribed
from events.orders import OfferDescribed
from services.catalog.base import among
from services.catalog.parties.commands import describe_party
from services.catalog.search.model import OPEN_OFFER, SearchedOffer


@dataclass
class Heard:
    """What a batch of messages says, the latest of each thing."""

    offers: dict[str, OfferDescribed] = field(default_factory=dict)
    parties: dict[str, PartyDescribed] = field(default_factory=dict)
    piece_ids: set[str] = field(default_factory=set)


def take_in(session: Session, heard: Heard) -> list[str]:
    """Keep offers and companies as they stand; the ids of all offers whose documents may be other now, in order."""
    if heard.offers:
        _keep_offers(session, [heard.offers[id] for id in sorted(heard.offers)])
    for party_id in sorted(heard.parties):
        describe_party(session, heard.parties[party_id])
    return sorted({*heard.offers, *_touch_others(session, heard.parties, heard.piece_ids)})


def _keep_offers(session: Session, offers: list[OfferDescribed]) -> None:
    table = SearchedOffer.__table__
    statement = insert(table)
    replaced = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    later = table.c.version <= statement.excluded.version
    statement = statement.on_conflict_do_update(index_elements=["offer_id"], set_=replaced, where=later)
    session.execute(statement, [_row(offer) for offer in offers])


def _row(offer: OfferDescribed) -> dict[str, object]:
    return {
        "offer_id": offer.offer_id,
        "version": offer.version,
        "seller_id": offer.seller_id,
        "warehouse_id": offer.warehouse_id,
        "is_open": offer.state in OPEN_OFFER,
        "piece_ids": offer.piece_ids,
        "event": msgspec.to_builtins(offer, enc_hook=write_wire),
        "touched_at": clock.now(),
    }


def _touch_others(session: Session, party_ids: Collection[str], piece_ids: Collection[str]) -> list[str]:
    """The open offers that show a company or a piece.

    Noted as touched, in case an index is being made at this moment.
    """
    if not party_ids and not piece_ids:
        return []
    pieces = cast(literal(sorted(piece_ids), ARRAY(Text)), ARRAY(Text))
    shown = or_(
        SearchedOffer.piece_ids.overlap(pieces),
        among(SearchedOffer.seller_id, party_ids),
        among(SearchedOffer.warehouse_id, party_ids),
    )
    locked = (
        select(SearchedOffer.offer_id)
        .where(SearchedOffer.is_open, shown)
        .order_by(SearchedOffer.offer_id)
        .with_for_update()
    )
    ids = list(session.scalars(locked))
    touched = update(SearchedOffer).where(among(SearchedOffer.offer_id, ids)).values(touched_at=clock.now())
    session.execute(touched, execution_options={"synchronize_session": False})
    return ids
