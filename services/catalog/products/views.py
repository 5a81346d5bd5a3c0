"""What callers are shown of products, their lots and what belongs to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from chassis.auth import Caller
from chassis.http import View
from chassis.values import Exact
from events.catalog import LicenceNeeded
from services.catalog.products.comparing import ComparedRow
from services.catalog.products.equivalents import EqualValue, Equivalent, StatedEquivalent
from services.catalog.products.lot import Lot, LotChange
from services.catalog.products.model import ProductChange
from services.catalog.products.part_numbers import PartNumber
from services.catalog.products.queries import Shown


class RevisionView(View):
    """A revision that waits for the operator."""

    market_version: int
    title: dict[str, str]
    attributes: dict[str, str]
    texts: dict[str, str]
    gtin: str | None
    by: str
    at: datetime


class ProductView(View):
    """A product. ``blocked`` says why it may not be listed; ``proposed`` and ``reason`` are for its owner and the operator.

    Quantities are in one of ``trade_units``, multiples of ``step`` and at least ``minimum``, both in the first of them.
    """

    id: str
    version: int
    market: str
    market_version: int
    product_type: str
    offered_as: str
    owner_id: str
    number: str
    state: str
    title: dict[str, str]
    attributes: dict[str, str]
    texts: dict[str, str]
    gtin: str | None
    group_id: str | None
    blocked: str | None
    licences: list[LicenceNeeded]
    base_unit: str
    trade_units: list[str]
    step: Exact
    minimum: Exact
    proposed: RevisionView | None
    reason: str | None
    made_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, shown: Shown, caller: Caller) -> ProductView:
        """What a caller is shown of a product."""
        product, kind = shown
        is_own = caller.is_operator or caller.party_id == product.owner_id
        units, proposed = kind.units, product.proposed if is_own else None
        return cls(
            id=product.id,
            version=product.version,
            market=product.market,
            market_version=product.market_version,
            product_type=product.product_type,
            offered_as=kind.type.offered_as,
            owner_id=product.owner_id,
            number=product.number,
            state=product.state,
            title=product.title,
            attributes=product.attributes,
            texts=product.texts,
            gtin=product.gtin,
            group_id=product.group_id,
            blocked=product.blocked,
            licences=kind.licences(product.attributes),
            base_unit=units.base,
            trade_units=units.trade,
            step=units.step,
            minimum=units.minimum,
            proposed=_read_revision(proposed) if proposed else None,
            reason=product.reason if is_own else None,
            made_at=product.made_at,
            changed_at=product.changed_at,
        )


def _read_revision(said: dict[str, Any]) -> RevisionView:
    names = ("market_version", "title", "attributes", "texts", "gtin", "by")
    return RevisionView(**{name: said[name] for name in names}, at=datetime.fromisoformat(said["at"]))


class ChangeView(View):
    """A change: by name, the value before and after, and who made it."""

    version: int
    at: datetime
    user_id: str
    changes: dict[str, list[Any]]

    @classmethod
    def of(cls, change: ProductChange | LotChange) -> ChangeView:
        """The view of a change."""
        return cls(version=change.version, at=change.at, user_id=change.user_id, changes=change.changes)


class LotView(View):
    """A lot; ``blocked`` says why it may not be handed over."""

    id: str
    version: int
    product_id: str
    number: str
    attributes: dict[str, str]
    expires_on: date | None
    blocked: str | None
    made_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, lot: Lot) -> LotView:
        """The view of a lot."""
        return cls(
            id=lot.id,
            version=lot.version,
            product_id=lot.product_id,
            number=lot.number,
            attributes=lot.attributes,
            expires_on=lot.expires_on,
            blocked=lot.blocked,
            made_at=lot.made_at,
            changed_at=lot.changed_at,
        )


class PartNumberView(View):
    """What the caller's company calls a product."""

    id: str
    product_id: str
    number: str
    note: str | None
    made_at: datetime

    @classmethod
    def of(cls, part: PartNumber) -> PartNumberView:
        """The view of a part number."""
        return cls(id=part.id, product_id=part.product_id, number=part.number, note=part.note, made_at=part.made_at)


class StatementView(View):
    """That ``product_id`` may replace ``other_id``, and when and by whom this was stated."""

    id: str
    product_id: str
    other_id: str
    party_id: str
    by_operator: bool
    note: str | None
    stated_at: datetime

    @classmethod
    def of(cls, stated: StatedEquivalent) -> StatementView:
        """The view of a statement."""
        return cls(
            id=stated.id,
            product_id=stated.product_id,
            other_id=stated.other_id,
            party_id=stated.party_id,
            by_operator=stated.by_operator,
            note=stated.note,
            stated_at=stated.stated_at,
        )


class EquivalentView(View):
    """A product that may replace the one that was asked about.

    ``source`` is same_article (the GTIN is one), same_value or table (then ``attribute`` and ``degree`` say how well: same,
    exact, close or similar), owner or operator (then ``statement_id`` names what was stated).
    """

    product: ProductView
    source: str
    degree: str | None
    attribute: str | None
    note: str | None
    statement_id: str | None

    @classmethod
    def of(cls, found: Equivalent, caller: Caller) -> EquivalentView:
        """The view of an equivalent."""
        return cls(
            product=ProductView.of(found.shown, caller),
            source=found.source,
            degree=found.degree,
            attribute=found.attribute,
            note=found.note,
            statement_id=found.statement_id,
        )


class EquivalentsView(View):
    """What may replace a product, the best first."""

    items: list[EquivalentView]


class EqualValuesView(View):
    """What replaces a value, and products that have it, the best first."""

    values: list[EqualValue]
    items: list[EquivalentView]


class ComparisonView(View):
    """Products side by side: each row has a value a product, in their order."""

    products: list[ProductView]
    rows: list[ComparedRow]
