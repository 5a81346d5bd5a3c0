"""One product at a time: what somebody states of it, read by its market's pack, becomes a draft among drafts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UnsetType
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get
from chassis.problems import Conflict, Forbidden, Invalid
from services.catalog.base import lock_uploads
from services.catalog.markets.checks import CHECKS
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import pack_of
from services.catalog.markets.texts import read_identifier
from services.catalog.products.commands import REFUSALS_ZH, RETIRED, describe_products
from services.catalog.products.draft import Draft, Wanted
from services.catalog.products.model import Product

UNKNOWN = "this market has no such attribute"
GTIN = CHECKS["gtin14"]


class InvalidProduct(Invalid):
    """The product is not what its market asks for."""


class NotTheOwner(Forbidden):
    """Only the company that describes a product does this."""


class ProductChanged(Conflict):
    """The product has changed since it was looked at."""


class ProductRetired(Conflict):
    """The product is retired."""


Mistakes = list[tuple[str, str]]


def add_product(
    session: Session,
    caller: Caller,
    market: str,
    *,
    number: str,
    attributes: Mapping[str, str],
    texts: dict[str, str],
    gtin: str | None,
    state: Wanted,
) -> Product:
    """Describe a product of the caller's company; one with the same number is changed, the very same is left as it is.

    Raises UnknownMarket, InvalidProduct or ProductRetired.
    """
    pack = pack_of(session, market)
    draft = read_draft(pack, number=number, attributes=attributes, texts=texts, gtin=gtin, state=state)
    return _describe(session, caller, pack, draft)


def revise_product(
    session: Session,
    caller: Caller,
    product_id: str,
    version: int,
    *,
    attributes: Mapping[str, str | None],
    texts: Mapping[str, str | None],
    gtin: str | None | UnsetType,
) -> Product:
    """Change what is named of a product and leave the rest; None takes away. What is proposed already is built upon.

    The market's present pack reads all of it. Raises NotFound, NotTheOwner, ProductChanged, ProductRetired or
    InvalidProduct.
    """
    lock_uploads(session, caller.party_id)
    product = get_own(session, caller, product_id)
    check_version(product, version)
    said: dict[str, Any] = product.proposed or {}
    pack = pack_of(session, product.market)
    draft = read_draft(
        pack,
        number=product.number,
        attributes=_merge(said.get("attributes", product.attributes), attributes),
        texts=_merge(said.get("texts", product.texts), texts),
        gtin=said.get("gtin", product.gtin) if isinstance(gtin, UnsetType) else gtin,
        state="draft",
    )
    return _describe(session, caller, pack, draft)


def get_own(session: Session, caller: Caller, product_id: str) -> Product:
    """A product of the caller's company, locked. Raises NotFound, or NotTheOwner for one that it only sees."""
    product = get(session, Product, product_id, caller)
    if product.owner_id != caller.party_id:
        raise NotTheOwner("another company describes this product")
    return product


def check_version(product: Product, version: int) -> None:
    """Raise ProductChanged unless the product is in the version that its reader has seen."""
    if product.version != version:
        raise ProductChanged(f"it is in version {product.version} now", version=product.version)


def read_draft(
    pack: Pack, *, number: str, attributes: Mapping[str, str], texts: dict[str, str], gtin: str | None, state: Wanted
) -> Draft:
    """What somebody states of a product, as its market keeps it. Raises InvalidProduct with every mistake."""
    kept, mistakes = read_attributes(pack, attributes)
    code = _read(mistakes, "number", read_identifier, number)
    article = _read(mistakes, "gtin", GTIN.check, gtin) if gtin else None
    refuse(mistakes)
    return Draft(number=code or "", attributes=kept, texts=texts, gtin=article, state=state)


def read_attributes(pack: Pack, attributes: Mapping[str, str]) -> tuple[dict[str, str], Mistakes]:
    """What is kept of the attributes that somebody states, and what is wrong with others, by name."""
    kept: dict[str, str] = {}
    mistakes: Mistakes = []
    for name, text in attributes.items():
        if name not in pack.by_name:
            mistakes.append((f"attributes.{name}", UNKNOWN))
        elif (value := _read(mistakes, f"attributes.{name}", pack.readers[name], text)) is not None:
            kept[name] = value
    return kept, mistakes


def refuse(mistakes: Mistakes) -> None:
    """Raise InvalidProduct with every mistake if there is any; in Chinese, too, what there is a word for."""
    if mistakes:
        raise InvalidProduct(mistakes[0][1], field=f"$.{mistakes[0][0]}", errors=[_say(*each) for each in mistakes])


def _say(name: str, detail: str) -> dict[str, str]:
    told = {"field": f"$.{name}", "detail": detail}
    return told | {"zh": REFUSALS_ZH[detail]} if detail in REFUSALS_ZH else told


def _read(mistakes: Mistakes, name: str, read: Any, text: str) -> str | None:
    if not text.strip():
        mistakes.append((name, "is empty"))
        return None
    try:
        return read(text.strip())
    except ValueError as error:
        mistakes.append((name, str(error)))
        return None


def _merge(before: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**before, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _describe(session: Session, caller: Caller, pack: Pack, draft: Draft) -> Product:
    outcome = describe_products(session, caller, pack, [draft])
    if any(reason == RETIRED for _, _, reason in outcome.refused):
        raise ProductRetired(RETIRED)
    refuse([(name if name in ("number", "gtin") else f"attributes.{name}", why) for _, name, why in outcome.refused])
    return get(session, Product, outcome.ids[0] or "", caller)
