"""What replaces a product or a value: by the tables that its market names, and by what owners and the operator have stated."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, ForeignKey, Index, Select, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.problems import Conflict, Forbidden, Invalid
from services.catalog.base import Base
from services.catalog.markets.data.tables import EQUIVALENTS
from services.catalog.markets.pack import Attribute
from services.catalog.markets.queries import pack_of
from services.catalog.markets.reading import split_values
from services.catalog.products.kinds import Kind, equal_key
from services.catalog.products.model import Product
from services.catalog.products.queries import Shown, find_products, see_product, show

Source = Literal["same_article", "same_value", "table", "owner", "operator"]
MOST_FOUND = 100


class EquivalentTwice(Conflict):
    """This was stated already."""


class NotYoursToState(Forbidden):
    """A company states only of its own products what they replace."""


class SameProduct(Invalid):
    """A product does not replace itself."""


class NoEquivalents(Invalid):
    """The market has no table of values of this attribute that replace each other."""


class StatedEquivalent(Base):
    """``product_id`` may replace ``other_id``, as ``party_id`` says: the owner of the first, or the operator."""

    __tablename__ = "stated_equivalent"
    __table_args__ = (
        Index("uq_stated_equivalent", "product_id", "other_id", "party_id", unique=True),
        Index("ix_stated_equivalent_other_id", "other_id"),
    )
    constraint_problems = {"uq_stated_equivalent": EquivalentTwice}

    id: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    other_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    party_id: Mapped[str]
    user_id: Mapped[str]
    by_operator: Mapped[bool]
    note: Mapped[str | None]
    stated_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        shown = select(Product.id).where(Product.visible_to(caller))
        return cls.product_id.in_(shown) & cls.other_id.in_(shown)


class EqualValue(msgspec.Struct, frozen=True):
    """A value that replaces another: ``degree`` is same, exact, close or similar."""

    attribute: str
    value: str
    degree: str


class Equivalent(msgspec.Struct, frozen=True):
    """A product that may replace another, and who or what says so; ``degree`` and ``attribute`` are a table's."""

    shown: Shown
    source: Source
    degree: str | None = None
    attribute: str | None = None
    note: str | None = None
    statement_id: str | None = None


def state_equivalent(
    session: Session, caller: Caller, product_id: str, other_id: str, note: str | None
) -> StatedEquivalent:
    """State that a product may replace another one that the caller may see.

    Raises NotFound, NotYoursToState, SameProduct or EquivalentTwice.
    """
    product, other = see(session, Product, product_id, caller), see(session, Product, other_id, caller)
    if not caller.is_operator and product.owner_id != caller.party_id:
        raise NotYoursToState("another company describes the product that should replace it")
    if product.id == other.id:
        raise SameProduct("name another one", field="$.other_id")
    stated = StatedEquivalent(
        id=clock.new_id("equivalent"),
        product_id=product.id,
        other_id=other.id,
        party_id=caller.party_id,
        user_id=caller.user_id,
        by_operator=caller.is_operator,
        note=note,
        stated_at=clock.now(),
    )
    session.add(stated)
    session.flush()
    return stated


def withdraw_equivalent(session: Session, caller: Caller, statement_id: str) -> StatedEquivalent:
    """Take a statement back: who made it does, or the operator. Raises NotFound or NotYoursToState."""
    stated = get(session, StatedEquivalent, statement_id, caller)
    if not caller.is_operator and stated.party_id != caller.party_id:
        raise NotYoursToState("another company has stated this")
    session.delete(stated)
    return stated


def list_equivalents(session: Session, caller: Caller, product_id: str) -> list[Equivalent]:
    """What may replace a product and the caller may see: what was stated, the same article, then by tables the best first.

    At most MOST_FOUND. Raises NotFound.
    """
    asked = see_product(session, caller, product_id)
    found = _find_stated(session, caller, asked.product.id)
    known = {asked.product.id, *(each.shown.product.id for each in found)}
    found += [each for each in _find_articles(session, caller, asked.product) if each.shown.product.id not in known]
    known |= {each.shown.product.id for each in found}
    for attribute in _equal(asked.kind):
        values = _values(attribute, asked.product.attributes)
        by_table = _find_by_values(session, caller, asked.product.market, values, attribute, type=asked.kind.name)
        found += [each for each in by_table if each.shown.product.id not in known]
        known |= {each.shown.product.id for each in found}
    return found[:MOST_FOUND]


def find_equivalents(
    session: Session, caller: Caller, market: str, attribute: str, value: str
) -> tuple[list[EqualValue], list[Equivalent]]:
    """What replaces a value of an attribute in a market, and which products have it. Raises UnknownMarket, NoEquivalents."""
    pack = pack_of(session, market)
    named = pack.by_name.get(attribute)
    if named is None or not named.equivalents:
        raise NoEquivalents(f"{attribute!r} has none", field="$.attribute")
    values = _values(named, {attribute: value})
    return values, _find_by_values(session, caller, market, values, named)


def _equal(kind: Kind) -> list[Attribute]:
    return [attribute for attribute in kind.pack.attributes if attribute.equivalents]


def _values(attribute: Attribute, attributes: dict[str, str]) -> list[EqualValue]:
    """The values that replace those of an attribute, and these themselves, the best first."""
    if attribute.name not in attributes:
        return []
    own = split_values(attribute, attributes[attribute.name])
    others = [pair for value in own for pair in EQUIVALENTS[attribute.equivalents or ""](value)]
    pairs = [*((value, "same") for value in own), *others]
    return [EqualValue(attribute.name, value, degree) for value, degree in pairs]


def _find_stated(session: Session, caller: Caller, product_id: str) -> list[Equivalent]:
    query = select(StatedEquivalent).where(StatedEquivalent.other_id == product_id, StatedEquivalent.visible_to(caller))
    stated = list(session.scalars(query.order_by(StatedEquivalent.id.desc()).limit(MOST_FOUND)))
    shown = find_products(session, caller, [each.product_id for each in stated])
    return [
        Equivalent(
            shown[each.product_id],
            "operator" if each.by_operator else "owner",
            note=each.note,
            statement_id=each.id,
        )
        for each in stated
        if each.product_id in shown
    ]


def _find_articles(session: Session, caller: Caller, product: Product) -> list[Equivalent]:
    """Published products that have the same GTIN: the same article, whoever offers it."""
    if product.gtin is None:
        return []
    query = select(Product).where(Product.gtin == product.gtin, Product.shown_to(caller)).order_by(Product.id)
    return [Equivalent(shown, "same_article") for shown in show(session, session.scalars(query.limit(MOST_FOUND)))]


def _find_by_values(
    session: Session,
    caller: Caller,
    market: str,
    values: list[EqualValue],
    attribute: Attribute,
    *,
    type: str | None = None,
) -> list[Equivalent]:
    """Published products with one of these values, of a type or of any, those with the best ones first; at most MOST_FOUND."""
    found: dict[str, Equivalent] = {}
    for value in values:
        if len(found) < MOST_FOUND:
            key = equal_key(attribute.equivalents or "", value.value)
            source: Source = "same_value" if value.degree == "same" else "table"
            for shown in show(session, session.scalars(_select_equal(caller, market, key, type))):
                found.setdefault(shown.product.id, Equivalent(shown, source, value.degree, value.attribute))
    return list(found.values())[:MOST_FOUND]


def _select_equal(caller: Caller, market: str, key: str, type: str | None) -> Select[tuple[Product]]:
    has = Product.equal_keys.is_not(None) & Product.equal_keys.contains([key])
    query = select(Product).where(has, Product.market == market, Product.shown_to(caller))
    return (query if type is None else query.where(Product.product_type == type)).limit(MOST_FOUND)
