"""A buyer's own part numbers for the products of others: its secret, and how its people find them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import Page, get, page, see
from chassis.problems import Conflict, Invalid
from services.catalog.base import Base
from services.catalog.markets.texts import fold_name, read_identifier
from services.catalog.products.model import Product


class PartNumberTwice(Conflict):
    """This product has this part number already."""


class NotAPartNumber(Invalid):
    """The part number cannot be one."""


class PartNumber(Base):
    """What a company calls a product in its own books; ``folded`` is that without width, case and spaces.

    A part may be had as several products. No other company sees it, and neither does the operator.
    """

    __tablename__ = "part_number"
    __table_args__ = (
        UniqueConstraint("party_id", "folded", "product_id"),
        Index("ix_part_number_party_id_product_id", "party_id", "product_id"),
    )
    constraint_problems = {"uq_part_number_party_id_folded_product_id": PartNumberTwice}

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str]
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    number: Mapped[str]
    folded: Mapped[str]
    note: Mapped[str | None]
    user_id: Mapped[str]
    made_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.party_id == caller.party_id


def add_part_number(session: Session, caller: Caller, product_id: str, number: str, note: str | None) -> PartNumber:
    """Note what the caller's company calls a product that it may see. Raises NotFound, NotAPartNumber, PartNumberTwice."""
    product = see(session, Product, product_id, caller)
    try:
        read_identifier(number)
    except ValueError as error:
        raise NotAPartNumber(str(error), field="$.number") from None
    part = PartNumber(
        id=clock.new_id("part"),
        party_id=caller.party_id,
        product_id=product.id,
        number=number,
        folded=fold_name(number),
        note=note,
        user_id=caller.user_id,
        made_at=clock.now(),
    )
    session.add(part)
    session.flush()
    return part


def drop_part_number(session: Session, caller: Caller, part_number_id: str) -> PartNumber:
    """Forget a part number of the caller's company. Raises NotFound."""
    part = get(session, PartNumber, part_number_id, caller)
    session.delete(part)
    return part


def list_part_numbers(
    session: Session, caller: Caller, *, number: str | None, product_id: str | None, cursor: str | None, limit: int
) -> Page[PartNumber]:
    """The part numbers of the caller's company for products that it still may see, newest first."""
    where = [PartNumber.product_id.in_(select(Product.id).where(Product.visible_to(caller)))]
    if number is not None:
        where.append(PartNumber.folded == fold_name(number))
    if product_id is not None:
        where.append(PartNumber.product_id == product_id)
    return page(session, PartNumber, caller, cursor, limit, *where)
