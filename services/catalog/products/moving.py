"""Moves single products: to the public, to the operator and back, out of use, and what their documents make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.messages import emit
from chassis.problems import Conflict
from services.catalog.documents.papers import Standing, find_standing
from services.catalog.documents.queries import find_papers
from services.catalog.products.commands import describe_as, say
from services.catalog.products.describing import check_version, get_own
from services.catalog.products.draft import digest_of
from services.catalog.products.model import Product, ProductChange, content_of
from services.catalog.products.queries import kind_of


class NothingToModerate(Conflict):
    """Nothing of the product waits for the operator."""


def publish_product(session: Session, caller: Caller, product_id: str) -> Product:
    """Let everybody see a product, or submit it to the operator where its market asks for that.

    Raises NotFound, NotTheOwner or IllegalMove.
    """
    product = get_own(session, caller, product_id)
    name = "submit" if kind_of(session, product).is_moderated else "publish"

    def publish() -> None:
        product.move(name)
        product.reason = None

    return _change(session, caller, product, publish)


def withdraw_product(session: Session, caller: Caller, product_id: str) -> Product:
    """Take back what was submitted: the product, or the revision of a published one. Raises as publish_product."""
    product = get_own(session, caller, product_id)
    if product.proposed is not None:
        return _change(session, caller, product, lambda: _drop_revision(product, None))
    return _change(session, caller, product, lambda: product.move("withdraw"))


def retire_product(session: Session, caller: Caller, product_id: str) -> Product:
    """Take a product out of use: nobody else sees it any more. Raises as publish_product."""
    product = get_own(session, caller, product_id)

    def retire() -> None:
        product.move("retire")
        _drop_revision(product, None)

    return _change(session, caller, product, retire)


def restore_product(session: Session, caller: Caller, product_id: str) -> Product:
    """Make a draft of a retired product. Raises as publish_product."""
    product = get_own(session, caller, product_id)
    return _change(session, caller, product, lambda: product.move("restore"))


def approve_product(session: Session, caller: Caller, product_id: str, version: int) -> Product:
    """Let everybody see what was submitted, as the operator has seen it: the product, or its revision.

    Raises NotFound, ProductChanged or NothingToModerate.
    """
    product = _get_submitted(session, caller, product_id, version)
    if product.proposed is None:
        return _change(session, caller, product, lambda: product.move("approve"))
    return _change(session, caller, product, lambda: _take_revision(session, product))


def reject_product(session: Session, caller: Caller, product_id: str, version: int, reason: str) -> Product:
    """Refuse what was submitted and say why; of a published product what was seen before stays. Raises as approve_product."""
    product = _get_submitted(session, caller, product_id, version)
    if product.proposed is not None:
        return _change(session, caller, product, lambda: _drop_revision(product, reason))

    def reject() -> None:
        product.move("reject")
        product.reason = reason

    return _change(session, caller, product, reject)


def review_products(session: Session, caller: Caller, product_ids: Iterable[str]) -> None:
    """Block or free products as their documents stand now."""
    products = get_many(session, Product, product_ids, caller)
    papers = find_papers(session, "product", [product.id for product in products])
    for product in products:
        rules = kind_of(session, product).documents_of("product", product.attributes)
        standing = find_standing(rules, papers.get(product.id, ()), clock.now())
        _change(session, caller, product, lambda product=product, standing=standing: _stand(product, standing))


def review_due_product(session: Session, caller: Caller, product_id: str) -> None:
    """Look at the documents of a product as one begins or ends to be in force."""
    review_products(session, caller, [product_id])


def describe(session: Session, product: Product) -> None:
    """Tell what a product is like, as it stands."""
    emit(session, say(product, kind_of(session, product)), of=product)


def _get_submitted(session: Session, caller: Caller, product_id: str, version: int) -> Product:
    product = get(session, Product, product_id, caller)
    if product.proposed is None and not product.can("approve"):
        raise NothingToModerate(f"it is {product.state}")
    check_version(product, version)
    return product


def _take_revision(session: Session, product: Product) -> None:
    said: dict[str, Any] = product.proposed or {}
    product.market_version, product.product_type = said["market_version"], said["product_type"]
    content = said["attributes"], said["texts"], said["gtin"]
    for name, value in describe_as(
        kind_of(session, product), product.owner_id, product.market_version, *content
    ).items():
        setattr(product, name, value)
    product.proposed = product.reason = None
    papers = find_papers(session, "product", [product.id]).get(product.id, ())
    rules = kind_of(session, product).documents_of("product", product.attributes)
    _stand(product, find_standing(rules, papers, clock.now()))


def _drop_revision(product: Product, reason: str | None) -> None:
    product.proposed, product.reason = None, reason
    product.digest = digest_of(product.market, product.attributes, product.texts, product.gtin)


def _stand(product: Product, standing: Standing) -> None:
    product.blocked, product.due_at = standing.blocked, standing.due_at


def _change(session: Session, caller: Caller, product: Product, change: Callable[[], None]) -> Product:
    """Change a locked product, count it, remember who did it, and tell it; nothing of that where nothing changes."""
    before = content_of(product)
    change()
    if changes := product.count_change(before, clock.now()):
        session.add(
            ProductChange(
                id=clock.new_id("change"),
                product_id=product.id,
                version=product.version,
                user_id=caller.user_id,
                at=product.changed_at,
                changes=changes,
            )
        )
        describe(session, product)
    return product
