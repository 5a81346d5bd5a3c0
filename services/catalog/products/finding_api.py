"""Over HTTP: products side by side, what replaces what, and a buyer's own part numbers."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, Params, command, query
from chassis.values import Identifier, ShortText
from services.catalog.markets.words import Name
from services.catalog.products import comparing, equivalents, part_numbers
from services.catalog.products.views import (
    ComparisonView,
    EqualValuesView,
    EquivalentsView,
    EquivalentView,
    PartNumberView,
    ProductView,
    StatementView,
)

routes = Blueprint("product_finding", __name__)


class CompareProducts(Params):
    """The products to compare, two to ten: the parameter is repeated."""

    ids: Annotated[list[Identifier], Meta(min_length=1, max_length=10)]


class FindEquivalents(Params):
    """What is to be replaced: the value of an attribute of a market's goods."""

    market: Identifier
    attribute: Name
    value: ShortText


class StateEquivalent(Body):
    """The product that this one may replace, and what should be known of that."""

    other_id: Identifier
    note: ShortText | None = None


class AddPartNumber(Body):
    """What the caller's company calls a product in its own books."""

    number: ShortText
    note: ShortText | None = None


class ListPartNumbers(Paging):
    """Which part numbers to list."""

    number: ShortText | None = None
    product_id: Identifier | None = None


@routes.get("/v1/products/compare")
@query(shared=True)
def compare_products(session: Session, caller: Caller, params: CompareProducts) -> ComparisonView:
    """Products side by side: a row an attribute, numbers in one unit, what differs marked."""
    products, rows = comparing.compare_products(session, caller, params.ids)
    return ComparisonView(products=[ProductView.of(shown, caller) for shown in products], rows=rows)


@routes.get("/v1/products/equivalents")
@query(shared=True)
def find_equivalents(session: Session, caller: Caller, params: FindEquivalents) -> EqualValuesView:
    """What replaces a value, such as a grade, by the table that the market names, and published products that have it."""
    values, found = equivalents.find_equivalents(session, caller, params.market, params.attribute, params.value)
    return EqualValuesView(values=values, items=[EquivalentView.of(each, caller) for each in found])


@routes.get("/v1/products/<product_id>/equivalents")
@query(shared=True)
def list_equivalents(session: Session, caller: Caller, product_id: str) -> EquivalentsView:
    """What may replace a product: what owners and the operator have stated, then by the market's tables."""
    found = equivalents.list_equivalents(session, caller, product_id)
    return EquivalentsView(items=[EquivalentView.of(each, caller) for each in found])


@routes.post("/v1/products/<product_id>/equivalents")
@command(role=("seller", "operator"), status=201)
def state_equivalent(session: Session, caller: Caller, product_id: str, body: StateEquivalent) -> StatementView:
    """State that a product may replace another: its owner does, or the operator."""
    return StatementView.of(equivalents.state_equivalent(session, caller, product_id, body.other_id, body.note))


@routes.post("/v1/equivalents/<equivalent_id>/withdraw")
@command(role=("seller", "operator"))
def withdraw_equivalent(session: Session, caller: Caller, equivalent_id: str) -> StatementView:
    """Take back that a product may replace another."""
    return StatementView.of(equivalents.withdraw_equivalent(session, caller, equivalent_id))


@routes.post("/v1/products/<product_id>/part-numbers")
@command(role=("purchaser", "seller"), status=201)
def add_part_number(session: Session, caller: Caller, product_id: str, body: AddPartNumber) -> PartNumberView:
    """Note what the caller's company calls a product; nobody else is told."""
    return PartNumberView.of(part_numbers.add_part_number(session, caller, product_id, body.number, body.note))


@routes.get("/v1/part-numbers")
@query()
def list_part_numbers(session: Session, caller: Caller, params: ListPartNumbers) -> Page[PartNumberView]:
    """The part numbers of the caller's company, newest first."""
    found = part_numbers.list_part_numbers(
        session, caller, number=params.number, product_id=params.product_id, cursor=params.cursor, limit=params.limit
    )
    return found.map(PartNumberView.of)


@routes.post("/v1/part-numbers/<part_id>/drop")
@command(role=("purchaser", "seller"))
def drop_part_number(session: Session, caller: Caller, part_id: str) -> PartNumberView:
    """Forget a part number of the caller's company."""
    return PartNumberView.of(part_numbers.drop_part_number(session, caller, part_id))
