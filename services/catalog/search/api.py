"""Search over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from flask import Blueprint, current_app
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Instant, Params, View, query
from chassis.values import Identifier, ShortText
from services.catalog.search import queries
from services.catalog.search.asking import Currency, FacetName, Filters, Kind, Sort, Wanted
from services.catalog.search.engines import shared_engine
from services.catalog.search.hits import FoundThing

routes = Blueprint("search", __name__)

Cursor = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9_\-]+(?![\s\S])")]
Flag = Literal["true", "false"]


class SearchThings(Params):
    """What is looked for; everything given must hold.

    ``q`` are words in Chinese or English, grades, dimensions such as 5.5*1250, or initials of a name. ``kind`` is what is
    found, offers and everything else that can be answered to unless it is said; products only when they are asked for.
    ``a.<filter>`` is the value of an attribute by the filter that the market names, repeated for any of several;
    ``a.<filter>.min`` and ``.max`` are the ends of a range, both included, in the attribute's own unit unless one is
    written behind the number (0.1 in). ``thickness_min`` and ``_max`` are millimetres. ``place`` is the town or the
    warehouse, ``near`` a place or latitude,longitude with ``radius_km`` around it (100 unless it is sorted by distance).
    ``seller`` is the id of a company, ``allowed`` leaves out what the caller may not buy. Prices are compared for a
    thousand base units in ``currency`` (CNY unless said) on one ``tax_basis``; what has no such price is left out.
    ``facets`` are names of filters (``a.kind`` where a plain one has the name), or market, kind, type, seller, place and
    delivery_mode.
    """

    q: ShortText | None = None
    market: Identifier | None = None
    kind: Annotated[list[Kind], Meta(max_length=7)] = []
    a: Filters = {}
    grade: ShortText | None = None
    thickness_min: ShortText | None = None
    thickness_max: ShortText | None = None
    place: ShortText | None = None
    near: ShortText | None = None
    radius_km: Annotated[int, Meta(ge=0, le=20_000)] | None = None
    seller: Identifier | None = None
    product: Identifier | None = None
    deliver_by: Instant | None = None
    in_stock: Flag = "false"
    allowed: Flag = "false"
    currency: Currency | None = None
    tax_basis: Literal["tax_included", "tax_excluded"] = "tax_included"
    facets: Annotated[list[FacetName], Meta(max_length=10)] = []
    sort: Sort = Sort.NEWEST
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=0, le=100)] = 20

    def read(self) -> Wanted:
        """What is wanted, without the page."""
        thickness = (("thickness.min", self.thickness_min), ("thickness.max", self.thickness_max))
        old = {name: [value] for name, value in (("grade", self.grade), *thickness) if value is not None}
        return Wanted(
            text=self.q,
            market=self.market,
            kinds=list(self.kind),
            filters={**self.a, **old},
            place=self.place,
            near=self.near,
            radius_km=self.radius_km,
            seller_id=self.seller,
            product_id=self.product,
            deliver_by=self.deliver_by,
            in_stock=self.in_stock == "true",
            allowed=self.allowed == "true",
            currency=self.currency,
            tax_basis=self.tax_basis,
            sort=self.sort,
            facets=list(dict.fromkeys(self.facets)),
        )


class Bucket(View):
    """A value and how many things have it under all other filters; ``label`` is what people call it, by language."""

    value: str
    count: int
    label: dict[str, str]


class FoundThings(View):
    """A page of what can be answered to now, how many there are on all pages, and the counts of the facets."""

    total: int
    items: list[FoundThing]
    next: str | None
    facets: dict[str, list[Bucket]]


class SuggestWords(Params):
    """What is being typed; completions are counted among what the caller could find."""

    q: ShortText
    market: Identifier | None = None
    kind: Annotated[list[Kind], Meta(max_length=7)] = []
    limit: Annotated[int, Meta(ge=1, le=20)] = 10


class SuggestionView(View):
    """A text that what was typed may be completed to, and how many things it finds."""

    text: str
    count: int


class Suggestions(View):
    """Completions, the most often found first."""

    items: list[SuggestionView]


@routes.get("/v1/search")
@query(shared=True)
def search_things(session: Session, caller: Caller, params: SearchThings) -> FoundThings:
    """Find what can be bought, quoted, bid for or booked, by words and by what it has."""
    engine = shared_engine(current_app.extensions["settings"].search)
    found = queries.search_things(session, caller, engine, params.read(), cursor=params.cursor, limit=params.limit)
    facets = {name: [Bucket(**msgspec.structs.asdict(each)) for each in some] for name, some in found.buckets.items()}
    return FoundThings(total=found.total, items=found.items, next=found.next, facets=facets)


@routes.get("/v1/search/suggest")
@query(shared=True)
def suggest_words(session: Session, caller: Caller, params: SuggestWords) -> Suggestions:
    """Complete what is being typed to what could be found."""
    engine = shared_engine(current_app.extensions["settings"].search)
    wanted = Wanted(text=params.q, market=params.market, kinds=list(params.kind))
    found = queries.suggest_words(session, caller, engine, wanted, limit=params.limit)
    return Suggestions(items=[SuggestionView(text=each.text, count=each.count) for each in found])
