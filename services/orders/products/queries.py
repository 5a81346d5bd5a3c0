"""Looks products up for those who offer them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from services.orders.base import among
from services.orders.products.model import Product


def choose_product(session: Session, product_id: str, *, seller_id: str, market: str) -> Product:
    """The product that a seller wants to offer, locked against a change.

    Raises NotYetKnown, ProductNotYours, ProductElsewhere, ProductNotPublished or ProductBlocked.
    """
    found = session.scalar(select(Product).where(Product.id == product_id).with_for_update(read=True))
    if found is None:
        raise NotYetKnown(f"not heard of yet: {product_id}", field="$.product_id")
    found.check_offerable(seller_id=seller_id, market=market)
    return found


def see_product(session: Session, product_id: str) -> Product:
    """A product that was heard of, whoever asks. Raises NotYetKnown."""
    found = session.scalar(select(Product).where(Product.id == product_id))
    if found is None:
        raise NotYetKnown(f"not heard of yet: {product_id}", field="$.product_id")
    return found


def find_numbers(session: Session, product_ids: Iterable[str]) -> dict[str, str]:
    """What their owners call some products, by id; no statement for none."""
    wanted = sorted(product_ids)
    query = select(Product.id, Product.number).where(among(Product.id, wanted))
    return {id: number for id, number in session.execute(query)} if wanted else {}


def find_named(session: Session, owner_id: str, names: Iterable[str]) -> dict[str, Product]:
    """A company's products by what it calls them: by number and by id, those that were heard of; one statement."""
    wanted = sorted(set(names))
    query = select(Product).where(Product.owner_id == owner_id)
    query = query.where(or_(among(Product.number, wanted), among(Product.id, wanted)))
    found: dict[str, Product] = {}
    for product in session.scalars(query) if wanted else ():
        found[product.id] = product
        found.setdefault(product.number, product)
    return found
