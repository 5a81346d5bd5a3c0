"""Products over HTTP: what their owners and the operator do with them."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, command, query
from chassis.values import Identifier, LongText, ShortText, Version
from services.catalog.markets.words import Name
from services.catalog.products import describing, moving, queries
from services.catalog.products.draft import Wanted
from services.catalog.products.model import Product
from services.catalog.products.queries import Shown, kind_of
from services.catalog.products.views import ChangeView, ProductView

routes = Blueprint("products", __name__)

Gtin = Annotated[str, Meta(min_length=8, max_length=14, pattern=r"^[0-9]+(?![\s\S])")]
Language = Literal["zh", "en"]
Attributes = Annotated[dict[Name, LongText], Meta(max_length=200)]


class DescribeProduct(Body):
    """A product as its owner describes it: ``attributes`` as people write them, ``texts`` free descriptions by language."""

    market: Name
    number: ShortText
    attributes: Attributes
    texts: dict[Language, LongText] = {}
    gtin: Gtin | None = None
    state: Wanted = "draft"


class ReviseProduct(Body):
    """What is to change of a product in ``version``: what is not named stays, null takes away."""

    version: Version
    attributes: Annotated[dict[Name, LongText | None], Meta(max_length=200)] = {}
    texts: dict[Language, LongText | None] = {}
    gtin: Gtin | None | UnsetType = UNSET


class ListProducts(Paging):
    """Which products to list; ``awaiting`` ones wait for the operator."""

    market: Identifier | None = None
    product_type: Name | None = None
    number: ShortText | None = None
    state: Literal["draft", "submitted", "published", "rejected", "retired"] | None = None
    awaiting: bool | None = None


class ApproveProduct(Body):
    """The version of the product that the operator has looked at."""

    version: Version


class RejectProduct(Body):
    """The version of the product that the operator has looked at, and why it is refused."""

    version: Version
    reason: ShortText


@routes.post("/v1/products")
@command(role="seller", status=201)
def add_product(session: Session, caller: Caller, body: DescribeProduct) -> ProductView:
    """Describe a product of the caller's company; one with the same number is changed.

    With the state ``published`` it is published, or submitted to the operator where its market asks for that.
    """
    product = describing.add_product(
        session,
        caller,
        body.market,
        number=body.number,
        attributes=body.attributes,
        texts=dict(body.texts),
        gtin=body.gtin,
        state=body.state,
    )
    return _view(session, caller, product)


@routes.get("/v1/products")
@query()
def list_products(session: Session, caller: Caller, params: ListProducts) -> Page[ProductView]:
    """The products of the caller's company, for the operator those of all, newest first."""
    found = queries.list_products(
        session,
        caller,
        market=params.market,
        product_type=params.product_type,
        number=params.number,
        state=params.state,
        awaiting=params.awaiting,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(lambda shown: ProductView.of(shown, caller))


@routes.get("/v1/products/<product_id>")
@query(shared=True)
def see_product(session: Session, caller: Caller, product_id: str) -> ProductView:
    """A product: of the caller's company, or published and not hidden from it by a licence that it lacks."""
    return ProductView.of(queries.see_product(session, caller, product_id), caller)


@routes.get("/v1/products/<product_id>/changes")
@query()
def list_changes(session: Session, caller: Caller, product_id: str, params: Paging) -> Page[ChangeView]:
    """What changed in a product of the caller's company, when and by whom, newest first."""
    return queries.list_changes(session, caller, product_id, params.cursor, params.limit).map(ChangeView.of)


@routes.get("/v1/products/<product_id>/variants")
@query(shared=True)
def list_variants(session: Session, caller: Caller, product_id: str, params: Paging) -> Page[ProductView]:
    """The variants of a product, itself among them: they differ only in what their type varies in."""
    found = queries.list_variants(session, caller, product_id, params.cursor, params.limit)
    return found.map(lambda shown: ProductView.of(shown, caller))


@routes.post("/v1/products/<product_id>/revise")
@command(role="seller")
def revise_product(session: Session, caller: Caller, product_id: str, body: ReviseProduct) -> ProductView:
    """Change a product. Where the operator looks first, a published one stays as it is until the revision is approved."""
    product = describing.revise_product(
        session,
        caller,
        product_id,
        body.version,
        attributes=body.attributes,
        texts={str(language): text for language, text in body.texts.items()},
        gtin=body.gtin,
    )
    return _view(session, caller, product)


@routes.post("/v1/products/<product_id>/publish")
@command(role="seller")
def publish_product(session: Session, caller: Caller, product_id: str) -> ProductView:
    """Let everybody see a product; it is submitted to the operator where its market asks for that."""
    return _view(session, caller, moving.publish_product(session, caller, product_id))


@routes.post("/v1/products/<product_id>/withdraw")
@command(role="seller")
def withdraw_product(session: Session, caller: Caller, product_id: str) -> ProductView:
    """Take back what was submitted to the operator: the product, or the revision of a published one."""
    return _view(session, caller, moving.withdraw_product(session, caller, product_id))


@routes.post("/v1/products/<product_id>/retire")
@command(role="seller")
def retire_product(session: Session, caller: Caller, product_id: str) -> ProductView:
    """Take a product out of use: nobody else sees it any more."""
    return _view(session, caller, moving.retire_product(session, caller, product_id))


@routes.post("/v1/products/<product_id>/restore")
@command(role="seller")
def restore_product(session: Session, caller: Caller, product_id: str) -> ProductView:
    """Make a draft of a retired product."""
    return _view(session, caller, moving.restore_product(session, caller, product_id))


@routes.post("/v1/products/<product_id>/approve")
@command(role="operator")
def approve_product(session: Session, caller: Caller, product_id: str, body: ApproveProduct) -> ProductView:
    """Let everybody see what was submitted: a product, or the revision of a published one."""
    return _view(session, caller, moving.approve_product(session, caller, product_id, body.version))


@routes.post("/v1/products/<product_id>/reject")
@command(role="operator")
def reject_product(session: Session, caller: Caller, product_id: str, body: RejectProduct) -> ProductView:
    """Refuse what was submitted, with a reason for its owner."""
    return _view(session, caller, moving.reject_product(session, caller, product_id, body.version, body.reason))


def _view(session: Session, caller: Caller, product: Product) -> ProductView:
    return ProductView.of(Shown(product, kind_of(session, product)), caller)
