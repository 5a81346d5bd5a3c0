"""Search over HTTP."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, current_app
from msgspec import Meta

from chassis.auth import Caller
from chassis.http import Params, View, query
from chassis.values import Exact, Identifier, ShortText
from services.catalog.search import queries
from services.catalog.search.documents import OfferHit
from services.catalog.search.engine import Sort
from services.catalog.search.engines import shared_engine

routes = Blueprint("search", __name__)

Cursor = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_\-]+(?![\s\S])")]


class SearchOffers(Params):
    """What is looked for; everything given must hold.

    ``q`` are words in Chinese or English, grades, dimensions such as 5.5*1250. Thickness is in millimetres, both ends
    included. ``place`` is the town or the warehouse, ``seller`` the id of a company. Prices are compared with tax and
    per tonne.
    """

    q: ShortText | None = None
    market: Identifier | None = None
    grade: ShortText | None = None
    thickness_min: Exact | None = None
    thickness_max: Exact | None = None
    place: ShortText | None = None
    seller: Identifier | None = None
    sort: Sort = Sort.NEWEST
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class FoundOffers(View):
    """A page of offers that can be taken now, and how many there are on all pages."""

    total: int
    items: list[OfferHit]
    next: str | None


@routes.get("/v1/search")
@query(shared=True)
def search_offers(caller: Caller, params: SearchOffers) -> FoundOffers:
    """Find offers by words, grade, thickness, place and seller."""
    wanted = queries.Wanted(
        text=params.q,
        place=params.place,
        market=params.market,
        seller_id=params.seller,
        grade=params.grade,
        thickness_min=params.thickness_min,
        thickness_max=params.thickness_max,
        sort=params.sort,
        cursor=params.cursor,
        limit=params.limit,
    )
    found = queries.search_offers(shared_engine(current_app.extensions["settings"].search), wanted)
    return FoundOffers(total=found.total, items=found.items, next=found.next)
