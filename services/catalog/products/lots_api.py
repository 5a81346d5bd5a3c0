"""The lots of products over HTTP."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, command, query
from chassis.values import LongText, ShortText
from services.catalog.markets.words import Name
from services.catalog.products import lots
from services.catalog.products.views import ChangeView, LotView

routes = Blueprint("lots", __name__)


class DescribeLot(Body):
    """A lot as its owner describes it, with the attributes that the market says lots have."""

    number: ShortText
    attributes: Annotated[dict[Name, LongText], Meta(max_length=200)] = {}


@routes.post("/v1/products/<product_id>/lots")
@command(role="seller", status=201)
def describe_lot(session: Session, caller: Caller, product_id: str, body: DescribeLot) -> LotView:
    """Describe a lot of a product of the caller's company; one with the same number is changed."""
    return LotView.of(lots.describe_lot(session, caller, product_id, body.number, body.attributes))


@routes.get("/v1/products/<product_id>/lots")
@query(shared=True)
def list_lots(session: Session, caller: Caller, product_id: str, params: Paging) -> Page[LotView]:
    """The lots of a product that the caller may see, newest first."""
    return lots.list_lots(session, caller, product_id, params.cursor, params.limit).map(LotView.of)


@routes.get("/v1/lots/<lot_id>")
@query(shared=True)
def see_lot(session: Session, caller: Caller, lot_id: str) -> LotView:
    """A lot of a product that the caller may see."""
    return LotView.of(lots.see_lot(session, caller, lot_id))


@routes.get("/v1/lots/<lot_id>/changes")
@query()
def list_lot_changes(session: Session, caller: Caller, lot_id: str, params: Paging) -> Page[ChangeView]:
    """What changed in a lot of the caller's company, when and by whom, newest first."""
    return lots.list_lot_changes(session, caller, lot_id, params.cursor, params.limit).map(ChangeView.of)
