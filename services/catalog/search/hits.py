"""What a hit shows of a thing: the same to everybody who may see it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chassis.values import Quantity, UnitPrice, read_wire, write_wire


class FoundThing(msgspec.Struct, frozen=True, kw_only=True):
    """A thing as a search shows it: nothing in it is only its owner's.

    ``kind`` is offer, product, inquiry, tender, auction, capacity or booking, ``answers`` what may be done with it: take,
    quote, tender, bid or book. ``attributes`` are the different values that its pieces have; ``pieces`` is how many of
    them are free, 0 for an offer by weight. ``seller_id`` is its owner, a buyer where something is asked for. ``rating``
    is the share of its owner's deals that were kept, in per cent. ``offer_id``, ``terms_version`` and what belongs to
    terms are None for anything but an offer; ``distance_km`` is said when something is looked for near a place.
    """

    kind: str
    id: str
    market: str
    title: str
    answers: list[str]
    seller_id: str
    seller: str
    state: str
    attributes: dict[str, list[str]]
    place: str
    rating: int
    offer_id: str | None = None
    product_id: str | None = None
    terms_version: int | None = None
    price: UnitPrice | None = None
    tax_basis: str | None = None
    tax_rate: str | None = None
    remaining: Quantity | None = None
    minimum: Quantity | None = None
    step: Quantity | None = None
    pieces: int = 0
    delivery_mode: str | None = None
    warehouse_id: str | None = None
    warehouse: str | None = None
    deliver_by: datetime | None = None
    valid_until: datetime | None = None
    distance_km: int | None = None


write_hit = msgspec.json.Encoder(enc_hook=write_wire, decimal_format="string").encode
read_hit = msgspec.json.Decoder(FoundThing, dec_hook=read_wire).decode
