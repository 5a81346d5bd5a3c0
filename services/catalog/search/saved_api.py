"""Saved searches over HTTP."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import ShortText
from services.catalog.search import saved
from services.catalog.search.asking import Wanted
from services.catalog.search.saved import SavedSearch
from services.catalog.search.wanted_body import WantedBody

routes = Blueprint("saved_searches", __name__)
SAVERS = ("purchaser", "seller", "reader", "operator")


class SaveSearch(Body):
    """A search, and what its user calls it."""

    name: ShortText
    wanted: WantedBody


class SavedSearchView(View):
    """A saved search: everything new that fits it is told once."""

    id: str
    name: str
    wanted: Wanted
    made_at: datetime

    @classmethod
    def of(cls, search: SavedSearch) -> SavedSearchView:
        """The view of a saved search."""
        return cls(id=search.id, name=search.name, wanted=saved.read_wanted(search), made_at=search.made_at)


@routes.post("/v1/saved-searches")
@command(role=SAVERS, status=201)
def save_search(session: Session, caller: Caller, body: SaveSearch) -> SavedSearchView:
    """Save a search: the caller is told of everything new that fits it."""
    return SavedSearchView.of(saved.save_search(session, caller, body.name, body.wanted.read()))


@routes.get("/v1/saved-searches")
@query()
def list_searches(session: Session, caller: Caller, params: Paging) -> Page[SavedSearchView]:
    """The searches that the caller has saved, newest first."""
    return saved.list_searches(session, caller, params.cursor, params.limit).map(SavedSearchView.of)


@routes.delete("/v1/saved-searches/<search_id>")
@command(role=SAVERS, idempotent=False)
def forget_search(session: Session, caller: Caller, search_id: str) -> None:
    """Delete a saved search."""
    saved.forget_search(session, caller, search_id)
