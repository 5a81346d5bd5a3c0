"""Looks products up, each with its product type in the version of the market that it was made under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import NotFound
from services.catalog.base import among
from services.catalog.markets.queries import pack_of
from services.catalog.products.kinds import Kind, kinds_of
from services.catalog.products.model import Product, ProductChange, State


class Shown(NamedTuple):
    """A product and its type."""

    product: Product
    kind: Kind


def kind_of(session: Session, product: Product) -> Kind:
    """The type of a product as its market stood when it was described."""
    pack = pack_of(session, product.market, product.market_version)
    return kinds_of(pack).by_name[product.product_type]


def see_product(session: Session, caller: Caller, product_id: str) -> Shown:
    """A product that the caller may see. Raises NotFound."""
    product = see(session, Product, product_id, caller)
    return Shown(product, kind_of(session, product))


def see_own_product(session: Session, caller: Caller, product_id: str) -> Product:
    """A product of the caller's company, any for the operator. Raises NotFound."""
    product = see(session, Product, product_id, caller)
    if not caller.is_operator and product.owner_id != caller.party_id:
        raise NotFound(f"no product {product_id!r}")
    return product


def list_products(
    session: Session,
    caller: Caller,
    *,
    market: str | None,
    product_type: str | None,
    number: str | None,
    state: str | None,
    awaiting: bool | None,
    cursor: str | None,
    limit: int,
) -> Page[Shown]:
    """The products of the caller's company, for the operator those of all, newest first.

    ``awaiting`` ones are submitted, or have a revision that is.
    """
    asked = (
        (Product.market, market),
        (Product.product_type, product_type),
        (Product.number, number),
        (Product.state, state),
    )
    where = [column == value for column, value in asked if value is not None]
    if not caller.is_operator:
        where.append(Product.owner_id == caller.party_id)
    if awaiting is not None:
        waits = or_(Product.state == State.SUBMITTED, Product.proposed.is_not(None))
        where.append(waits if awaiting else ~waits)
    return _show_page(session, page(session, Product, caller, cursor, limit, *where))


def list_variants(session: Session, caller: Caller, product_id: str, cursor: str | None, limit: int) -> Page[Shown]:
    """The variants of a product that the caller may see, itself among them, newest first. Raises NotFound."""
    product = see(session, Product, product_id, caller)
    same: ColumnElement[bool] = Product.id == product.id
    if product.group_id is not None:
        same = Product.group_id == product.group_id
    return _show_page(session, page(session, Product, caller, cursor, limit, same))


def list_changes(
    session: Session, caller: Caller, product_id: str, cursor: str | None, limit: int
) -> Page[ProductChange]:
    """What changed in a product of the caller's company, newest first. Raises NotFound."""
    see_own_product(session, caller, product_id)
    return page(session, ProductChange, caller, cursor, limit, ProductChange.product_id == product_id)


def find_products(session: Session, caller: Caller, ids: Iterable[str]) -> dict[str, Shown]:
    """Those of some products that the caller may see, by id."""
    query = select(Product).where(among(Product.id, ids), Product.visible_to(caller))
    return {shown.product.id: shown for shown in show(session, session.scalars(query))}


def find_own_ids(session: Session, owner_id: str, numbers: Iterable[str]) -> dict[str, str]:
    """The ids of a company's products by number; one that there is not is absent."""
    query = select(Product.number, Product.id).where(Product.owner_id == owner_id, among(Product.number, numbers))
    return {number: id for number, id in session.execute(query)}


def find_described(session: Session, owner_id: str, market: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The attributes of a company's products in a market, by id; one that there is not is absent."""
    if not ids:
        return {}
    query = select(Product.id, Product.attributes).where(
        Product.owner_id == owner_id, Product.market == market, among(Product.id, ids)
    )
    return {id: attributes for id, attributes in session.execute(query)}


def show(session: Session, products: Iterable[Product]) -> list[Shown]:
    """Products with their types, each version of a market looked up once."""
    kinds: dict[tuple[str, int, str], Kind] = {}
    shown = []
    for product in products:
        key = (product.market, product.market_version, product.product_type)
        if key not in kinds:
            kinds[key] = kind_of(session, product)
        shown.append(Shown(product, kinds[key]))
    return shown


def _show_page(session: Session, found: Page[Product]) -> Page[Shown]:
    return Page(show(session, found.items), found.next)


def find_attributes_of(session: Session, product_id: str) -> dict[str, str]:
    """What a product is, whoever owns it: for figures that name nobody. Empty for one that is not known."""
    return session.scalar(select(Product.attributes).where(Product.id == product_id)) or {}
