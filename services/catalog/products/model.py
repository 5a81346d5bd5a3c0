"""A product and its history: what a company describes once and offers again and again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, and_, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from chassis.auth import Caller
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from services.catalog.base import Base
from services.catalog.parties.queries import is_hidden


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    REJECTED = "rejected"
    RETIRED = "retired"


class ProductTwice(Conflict):
    """A product with this number was described by another request at the same time."""


class Product(Stateful, Base):
    """A product of a company: ``owner_id`` and ``number`` name it for ever.

    It keeps ``market_version``, the version of the market's pack that its content was checked by. ``digest`` is that of the draft
    that it was last made from, or of the one in ``proposed``: a revision that the operator has still to look at, while
    what is there stays as it is. Products with one ``group_id`` are variants of each other. ``hidden_by`` are the licences
    without which a company does not see it, ``equal_keys`` the values by which it may replace others. ``due_at`` is when a
    document of it begins or ends to be in force next.
    """

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("owner_id", "number"),
        Index("ix_product_owner_id_id", "owner_id", "id"),
        Index("ix_product_group_id", "group_id", postgresql_where="group_id IS NOT NULL"),
        Index("ix_product_gtin", "gtin", postgresql_where="gtin IS NOT NULL"),
        Index("ix_product_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
        Index("ix_product_awaiting", "id", postgresql_where="state = 'submitted' OR proposed IS NOT NULL"),
        Index(
            "ix_product_equal_keys",
            "equal_keys",
            postgresql_using="gin",
            postgresql_where="equal_keys IS NOT NULL",
        ),
    )
    constraint_problems = {"uq_product_owner_id_number": ProductTwice}

    initial = State.DRAFT
    final = frozenset()
    moves = {
        "submit": Move(State.DRAFT, State.REJECTED, to=State.SUBMITTED),
        "withdraw": Move(State.SUBMITTED, to=State.DRAFT),
        "publish": Move(State.DRAFT, State.REJECTED, to=State.PUBLISHED),
        "approve": Move(State.SUBMITTED, to=State.PUBLISHED),
        "reject": Move(State.SUBMITTED, to=State.REJECTED),
        "redraft": Move(State.REJECTED, to=State.DRAFT),
        "retire": Move(State.DRAFT, State.SUBMITTED, State.REJECTED, State.PUBLISHED, to=State.RETIRED),
        "restore": Move(State.RETIRED, to=State.DRAFT),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    market: Mapped[str]
    market_version: Mapped[int]
    product_type: Mapped[str]
    owner_id: Mapped[str]
    number: Mapped[str]
    group_id: Mapped[str | None]
    state: Mapped[Any] = state_column(State)
    title: Mapped[dict[str, str]] = mapped_column(JSONB)
    attributes: Mapped[dict[str, str]] = mapped_column(JSONB)
    texts: Mapped[dict[str, str]] = mapped_column(JSONB)
    gtin: Mapped[str | None]
    hidden_by: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    equal_keys: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    blocked: Mapped[str | None]
    due_at: Mapped[datetime | None]
    proposed: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str | None]
    digest: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return or_(cls.owner_id == caller.party_id, cls.shown_to(caller))

    @classmethod
    def shown_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Whether a product is published and no licence hides it from the caller, who may not be its owner."""
        return and_(cls.state == State.PUBLISHED, ~is_hidden(cls.hidden_by, caller))

    def count_change(self, before: dict[str, Any], at: datetime) -> dict[str, list[Any]]:
        """Count a change: what is different now, by name, as it was and as it is."""
        if changes := find_changes(before, content_of(self)):
            self.version, self.changed_at = self.version + 1, at
        return changes


class ProductChange(Base):
    """What changed in a product, when, and by whom: names with the value before and after."""

    __tablename__ = "product_change"
    __table_args__ = (Index("ix_product_change_product_id_id", "product_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    version: Mapped[int]
    user_id: Mapped[str]
    at: Mapped[datetime]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return cls.product_id.in_(select(Product.id).where(Product.owner_id == caller.party_id))


def content_of(product: Any) -> dict[str, Any]:
    """What may change in a product or in its row, by name: attributes as they are called, and what it has besides.

    ``revision`` is the name of the one that is proposed.
    """
    return {
        **product.attributes,
        "texts": product.texts,
        "gtin": product.gtin,
        "market_version": product.market_version,
        "state": str(product.state),
        "blocked": product.blocked,
        "reason": product.reason,
        "revision": product.proposed["digest"][:16] if product.proposed else None,
    }


def find_changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """What is different between two contents, by name: the value before and after, None where there is none."""
    names = sorted(before | after)
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}
