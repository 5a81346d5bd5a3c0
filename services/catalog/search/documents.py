"""Makes an offer's document: the words, labels and numbers that it is found by, and what a hit shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from chassis.values import Quantity, UnitPrice, read_wire, unit_of, write_wire
from events.orders import OfferDescribed, Terms
from services.catalog.markets.pack import Pack
from services.catalog.parties.queries import Name
from services.catalog.products.model import Piece
from services.catalog.search.engine import Change, Document, Gone, encode_number
from services.catalog.search.model import OPEN_OFFER
from services.catalog.search.words import fold_label, parts_of, phrases_of

_RANK_DIGITS = 12
_PIECES_BITS = 31
MOST_INT64 = 2**63 - 1


class OfferHit(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as a search shows it to everybody: nothing in it is only its seller's.

    ``attributes`` are the different values that its pieces have; ``pieces`` is how many of them are free, 0 for an
    offer by weight.
    """

    offer_id: str
    terms_version: int
    market: str
    title: str
    seller_id: str
    seller: str
    state: str
    price: UnitPrice
    tax_basis: str
    tax_rate: str
    remaining: Quantity
    minimum: Quantity | None
    step: Quantity | None
    pieces: int
    attributes: dict[str, list[str]]
    place: str
    delivery_mode: str
    warehouse_id: str
    warehouse: str
    deliver_by: datetime
    valid_until: datetime


_write_hit = msgspec.json.Encoder(enc_hook=write_wire, decimal_format="string").encode
read_hit = msgspec.json.Decoder(OfferHit, dec_hook=read_wire).decode


def make_change(offer: OfferDescribed, pieces: Sequence[Piece], names: dict[str, Name], pack: Pack | None) -> Change:
    """The document of an offer that can be taken, or that it is gone: closed, or its seller suspended."""
    seller = names.get(offer.seller_id)
    version = _version(offer, pieces, names)
    if offer.state not in OPEN_OFFER or (seller is not None and not seller.is_admitted):
        return Gone(offer.offer_id, version)
    warehouse = names.get(offer.warehouse_id)
    hit = _hit(offer, pieces, seller.name if seller else "", warehouse.name if warehouse else "", pack)
    texts = _texts(hit, pieces, pack)
    return Document(
        offer_id=offer.offer_id,
        version=version,
        phrases=phrases_of(*texts),
        parts=parts_of(*texts),
        places=phrases_of(hit.place, hit.warehouse),
        labels=tuple(sorted(_labels(offer, pieces, pack))),
        numbers=tuple(sorted(_numbers(pieces, pack))),
        rank=rank_of(offer.offer_id),
        price=comparable_price(offer.terms),
        until=milliseconds(offer.terms.valid_until),
        body=_write_hit(hit),
    )


def _version(offer: OfferDescribed, pieces: Iterable[Piece], names: dict[str, Name]) -> int:
    """The speakers' versions as one number: it rises whenever one of them does, and the offer's counts most."""
    others = sum(piece.version for piece in pieces) + sum(names[id].version for id in _named(offer) if id in names)
    return offer.version << _PIECES_BITS | min(others, (1 << _PIECES_BITS) - 1)


def _named(offer: OfferDescribed) -> set[str]:
    return {offer.seller_id, offer.warehouse_id}


def _hit(offer: OfferDescribed, pieces: Sequence[Piece], seller: str, warehouse: str, pack: Pack | None) -> OfferHit:
    terms = offer.terms
    return OfferHit(
        offer_id=offer.offer_id,
        terms_version=offer.terms_version,
        market=offer.market,
        title=offer.title,
        seller_id=offer.seller_id,
        seller=seller,
        state=offer.state,
        price=terms.price,
        tax_basis=terms.tax_basis,
        tax_rate=format(terms.tax_rate, "f"),
        remaining=offer.remaining,
        minimum=offer.minimum,
        step=offer.step,
        pieces=len(offer.piece_ids),
        attributes=_shown(pieces, pack),
        place=terms.place,
        delivery_mode=terms.delivery_mode,
        warehouse_id=offer.warehouse_id,
        warehouse=warehouse,
        deliver_by=terms.deliver_by,
        valid_until=terms.valid_until,
    )


def _shown(pieces: Iterable[Piece], pack: Pack | None) -> dict[str, list[str]]:
    """The different values of each attribute that is not an identifier."""
    names = [attribute.name for attribute in pack.attributes if attribute.type != "identifier"] if pack else []
    found = {name: sorted({piece.attributes[name] for piece in pieces if name in piece.attributes}) for name in names}
    return {name: values for name, values in found.items() if values}


def _texts(hit: OfferHit, pieces: Sequence[Piece], pack: Pack | None) -> list[str]:
    texts = {hit.title: None, hit.seller: None}
    for piece in pieces:
        texts |= dict.fromkeys(
            (*piece.title.values(), piece.number, *(pack.other_names(piece.attributes) if pack else ()))
        )
    for values in hit.attributes.values():
        texts |= dict.fromkeys(values)
    return list(texts)


def _labels(offer: OfferDescribed, pieces: Iterable[Piece], pack: Pack | None) -> set[str]:
    labels = {make_label("market", offer.market), make_label("seller", offer.seller_id)}
    return labels.union(*(_piece_labels(piece, pack) for piece in pieces))


def _piece_labels(piece: Piece, pack: Pack | None) -> list[str]:
    return [
        make_label(attribute.filter, piece.attributes[attribute.name])
        for attribute in (pack.attributes if pack else ())
        if attribute.filter and attribute.type != "number" and attribute.name in piece.attributes
    ]


def _numbers(pieces: Iterable[Piece], pack: Pack | None) -> set[int]:
    """Each number alone and under each label of its piece, so that two filters are held by the same piece."""
    numbers = set()
    for piece in pieces:
        for attribute in pack.attributes if pack else ():
            if attribute.filter and attribute.type == "number" and (text := piece.attributes.get(attribute.name)):
                for label in (None, *_piece_labels(piece, pack)):
                    numbers.add(encode_number(number_label(attribute.filter, label), Decimal(text)))
    return numbers


def make_label(name: str, value: str) -> str:
    """How a value is compared as a whole."""
    return f"{name}={fold_label(value)}"


def number_label(name: str, label: str | None) -> str:
    """Under which name a number is kept, alone or together with a label."""
    return name if label is None else f"{name}|{label}"


def comparable_price(terms: Terms) -> int:
    """A price to sort by: with its tax, for a thousand base units, in millionths; at most what fits 64 bits."""
    rate = terms.tax_rate if terms.tax_basis == "tax_excluded" else Decimal(0)
    return min(int(terms.price.value * (1 + rate) * 1_000_000 * 1_000 / unit_of(terms.price.unit).factor), MOST_INT64)


def rank_of(offer_id: str) -> int:
    """The beginning of an id as a number: it rises with the time at which the id was made."""
    beginning = offer_id.rpartition("_")[2][:_RANK_DIGITS].ljust(_RANK_DIGITS, "0")
    return int(beginning, 36) if beginning.isascii() and beginning.isalnum() else 0


def milliseconds(at: datetime) -> int:
    """A time in milliseconds since 1970."""
    return int(at.timestamp() * 1000)
