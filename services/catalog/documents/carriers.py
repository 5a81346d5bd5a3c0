"""What carries documents: products, lots and pieces, each with the rules of its market, and how they are looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get, see
from services.catalog.documents.model import Subject
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import pack_of
from services.catalog.markets.rules import DocumentRule
from services.catalog.pieces import moving as pieces
from services.catalog.pieces.model import Piece
from services.catalog.products import lots, moving
from services.catalog.products.describing import NotTheOwner
from services.catalog.products.lot import Lot
from services.catalog.products.model import Product

_MODELS = {"product": Product, "lot": Lot, "piece": Piece}
_REVIEWS = {"product": moving.review_products, "lot": lots.review_lots, "piece": pieces.review_papers}


class Carrier(NamedTuple):
    """What a document is added to: its market's pack, and the rules of the documents that it should carry."""

    pack: Pack
    rules: list[DocumentRule]


def get_carrier(session: Session, caller: Caller, subject: Subject, id: str) -> Carrier:
    """A thing of the caller's company, locked. Raises NotFound, or NotTheOwner for one that it only sees."""
    thing = get(session, _MODELS[subject], id, caller)
    if thing.owner_id != caller.party_id:
        raise NotTheOwner("another company describes this")
    of = thing if subject != "lot" else see(session, Product, thing.product_id, caller)
    pack = pack_of(session, of.market, of.market_version)
    attributes = {**of.attributes, **thing.attributes}
    return Carrier(pack, [rule for rule in pack.documents_of(attributes) if rule.carried_by == subject])


def see_carrier(session: Session, caller: Caller, subject: Subject, id: str) -> None:
    """Raise NotFound unless the caller may see a thing."""
    see(session, _MODELS[subject], id, caller)


def review(session: Session, caller: Caller, subject: Subject, ids: Iterable[str]) -> None:
    """Block or free things as their documents stand now."""
    _REVIEWS[subject](session, caller, ids)
