"""Reads what was heard of offers, products and postings as things to be found, or says that they are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from events.catalog import LicenceNeeded, ProductDescribed
from events.orders import OfferDescribed, PostingDescribed
from services.catalog.markets.pack import Pack
from services.catalog.parties.queries import Name
from services.catalog.search.documents import Around, Made, Thing, make_document
from services.catalog.search.engine import Gone

_OTHERS_BITS = 31
OPEN_OFFER = ("listed", "partly_taken")
Described = OfferDescribed | ProductDescribed | PostingDescribed
Event = Described


class PieceLike(Protocol):
    """What a document needs to know of a piece."""

    id: str
    version: int
    number: str
    title: dict[str, str]
    attributes: dict[str, str]


def id_of(event: Described) -> str:
    """The id of the thing that an event is about."""
    return event.subject


def kind_of(event: Described) -> str:
    """What kind of thing an event is about."""
    if isinstance(event, OfferDescribed):
        return "offer"
    return "product" if isinstance(event, ProductDescribed) else event.kind


def owner_of(event: Described) -> str:
    """Whose thing it is."""
    return event.seller_id if isinstance(event, OfferDescribed) else event.owner_id


def is_open(event: Described) -> bool:
    """Whether the thing is to be found at all, by what its speaker says."""
    if isinstance(event, OfferDescribed):
        return event.state in OPEN_OFFER
    if isinstance(event, ProductDescribed):
        return event.state == "published" and event.blocked is None
    return event.state == "open"


def make_made(
    event: Described,
    pieces: Sequence[PieceLike],
    product: ProductDescribed | None,
    around: Around,
    *,
    rated_deals: int = 0,
) -> Made | Gone:
    """The document of a thing, or that it is gone: closed, or its owner suspended."""
    owner = around.names.get(owner_of(event))
    version = _version(event, pieces, product, around.names, rated_deals)
    if not is_open(event) or (owner is not None and not owner.is_admitted):
        return Gone(id_of(event), version)
    if isinstance(event, OfferDescribed):
        thing = _read_offer(event, version, pieces, product, around.packs.get(event.market))
    elif isinstance(event, ProductDescribed):
        thing = _read_product(event, version)
    else:
        thing = _read_posting(event, version, product, around.packs.get(event.market))
    return make_document(thing, around)


def _version(
    event: Described,
    pieces: Iterable[PieceLike],
    product: ProductDescribed | None,
    names: Mapping[str, Name],
    rated_deals: int,
) -> int:
    """The speakers' versions as one number: it rises whenever one of them does, and the thing's own counts most."""
    named = {owner_of(event), *([event.warehouse_id] if isinstance(event, OfferDescribed) else [])}
    others = sum(piece.version for piece in pieces) + sum(names[id].version for id in named if id in names)
    others += rated_deals + (product.version if product else 0)
    return event.version << _OTHERS_BITS | min(others, (1 << _OTHERS_BITS) - 1)


def _needs_of(pieces: Sequence[PieceLike], product: ProductDescribed | None, pack: Pack | None) -> list[LicenceNeeded]:
    needs = [need for piece in pieces for need in (pack.licences_of(piece.attributes) if pack else ())]
    return needs + (product.licences if product else [])


def _read_offer(
    event: OfferDescribed,
    version: int,
    pieces: Sequence[PieceLike],
    product: ProductDescribed | None,
    pack: Pack | None,
) -> Thing:
    terms = event.terms
    described = [piece.attributes for piece in pieces] or ([product.attributes] if product else [])
    others = [title for piece in pieces for title in piece.title.values()]
    return Thing(
        kind="offer",
        id=event.offer_id,
        version=version,
        market=event.market,
        owner_id=event.seller_id,
        state=event.state,
        title=event.title,
        answers=["take"],
        pieces=described,
        licences=_needs_of(pieces, product, pack),
        other_titles=list(dict.fromkeys([*others, *(product.title.values() if product else ())])),
        numbers=[*(piece.number for piece in pieces), *_codes(product)],
        product_id=event.product_id,
        audience=event.audience,
        price=terms.price,
        tax_basis=terms.tax_basis,
        tax_rate=terms.tax_rate,
        remaining=event.remaining,
        minimum=event.minimum,
        step=event.step,
        terms_version=event.terms_version,
        free_pieces=len(event.piece_ids),
        place=terms.place,
        delivery_mode=terms.delivery_mode,
        warehouse_id=event.warehouse_id,
        deliver_by=terms.deliver_by,
        valid_until=terms.valid_until,
    )


def _read_product(event: ProductDescribed, version: int) -> Thing:
    return Thing(
        kind="product",
        id=event.product_id,
        version=version,
        market=event.market,
        owner_id=event.owner_id,
        state=event.state,
        title=event.title.get("zh") or next(iter(event.title.values()), ""),
        answers=[],
        pieces=[event.attributes],
        licences=event.licences,
        other_titles=list(event.title.values()),
        numbers=_codes(event),
        product_id=event.product_id,
    )


def _read_posting(event: PostingDescribed, version: int, product: ProductDescribed | None, pack: Pack | None) -> Thing:
    needs = list(product.licences) if product else pack.licences_of(event.attributes) if pack else []
    return Thing(
        kind=event.kind,
        id=event.posting_id,
        version=version,
        market=event.market,
        owner_id=event.owner_id,
        state=event.state,
        title=event.title,
        answers=event.answers,
        pieces=[event.attributes or (product.attributes if product else {})],
        licences=needs,
        other_titles=list(product.title.values()) if product else [],
        numbers=_codes(product),
        product_id=event.product_id,
        audience=event.audience,
        price=event.price,
        tax_basis=event.tax_basis,
        tax_rate=event.tax_rate,
        remaining=event.quantity,
        place=event.place,
        valid_until=event.valid_until,
    )


def _codes(product: ProductDescribed | None) -> list[str]:
    """What names a product for everybody."""
    return [code for code in (product.number, product.gtin) if code] if product else []
