"""Describes the lots of products and looks them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import Page, get, get_many, page, see
from chassis.problems import NotFound
from services.catalog.base import lock_uploads
from services.catalog.documents.papers import Standing, find_standing
from services.catalog.documents.queries import find_papers
from services.catalog.markets.pack import Pack
from services.catalog.markets.texts import read_identifier
from services.catalog.products.describing import InvalidProduct, Mistakes, get_own, read_attributes, refuse
from services.catalog.products.kinds import Kind
from services.catalog.products.lot import Lot, LotChange
from services.catalog.products.model import Product
from services.catalog.products.queries import kind_of


class NoLots(InvalidProduct):
    """Goods of this type are not told apart by lots."""


def describe_lot(session: Session, caller: Caller, product_id: str, number: str, attributes: Mapping[str, str]) -> Lot:
    """Make or change a lot of a product of the caller's company, as its market stood when the product was described.

    Raises NotFound, NotTheOwner, NoLots or InvalidProduct.
    """
    lock_uploads(session, caller.party_id)
    product = get_own(session, caller, product_id)
    kind = kind_of(session, product)
    if kind.type.tracked != "lot":
        raise NoLots(f"goods of the type {kind.type.label.en} have none", field="$.number")
    kept = _read(kind, number, attributes)
    lot = _find(session, caller, product.id, number) or _make(caller, product, number)
    return _change(session, caller, lot, lambda: _fill(session, lot, product, kind, kept))


def review_lots(session: Session, caller: Caller, lot_ids: Iterable[str]) -> None:
    """Block or free lots as their documents stand now."""
    for lot in get_many(session, Lot, lot_ids, caller):
        product = see(session, Product, lot.product_id, caller)
        kind = kind_of(session, product)
        _change(session, caller, lot, lambda lot=lot, of=product, kind=kind: _stand(session, lot, of, kind))


def review_due_lot(session: Session, caller: Caller, lot_id: str) -> None:
    """Look at the documents of a lot as one begins or ends to be in force."""
    review_lots(session, caller, [lot_id])


def list_lots(session: Session, caller: Caller, product_id: str, cursor: str | None, limit: int) -> Page[Lot]:
    """The lots of a product that the caller may see, newest first. Raises NotFound."""
    see(session, Product, product_id, caller)
    return page(session, Lot, caller, cursor, limit, Lot.product_id == product_id)


def see_lot(session: Session, caller: Caller, lot_id: str) -> Lot:
    """A lot of a product that the caller may see. Raises NotFound."""
    return see(session, Lot, lot_id, caller)


def list_lot_changes(session: Session, caller: Caller, lot_id: str, cursor: str | None, limit: int) -> Page[LotChange]:
    """What changed in a lot of the caller's company, newest first. Raises NotFound."""
    lot = see(session, Lot, lot_id, caller)
    if not caller.is_operator and lot.owner_id != caller.party_id:
        raise NotFound(f"no lot {lot_id!r}")
    return page(session, LotChange, caller, cursor, limit, LotChange.lot_id == lot_id)


def _read(kind: Kind, number: str, attributes: Mapping[str, str]) -> dict[str, str]:
    mistakes: Mistakes = []
    try:
        read_identifier(number)
    except ValueError as error:
        mistakes.append(("number", str(error)))
    kept, found = read_attributes(kind.pack, attributes)
    wrong = {name for name, _ in found}
    unfit = ((f"attributes.{name}", why) for name, why in kind.find_mistakes(kept, "lot"))
    refuse([*mistakes, *found, *(each for each in unfit if each[0] not in wrong)])
    return kept


def _find(session: Session, caller: Caller, product_id: str, number: str) -> Lot | None:
    id = session.scalars(select(Lot.id).where(Lot.product_id == product_id, Lot.number == number)).one_or_none()
    return get(session, Lot, id, caller) if id else None


def _make(caller: Caller, product: Product, number: str) -> Lot:
    now = clock.now()
    return Lot(
        id=clock.new_id("lot"),
        version=0,
        product_id=product.id,
        owner_id=product.owner_id,
        number=number,
        attributes={},
        made_by=caller.user_id,
        made_at=now,
        changed_at=now,
    )


def _fill(session: Session, lot: Lot, product: Product, kind: Kind, attributes: dict[str, str]) -> None:
    lot.attributes = attributes
    lot.expires_on = _find_expiry(kind.pack, product.attributes | attributes)
    _stand(session, lot, product, kind)


def _find_expiry(pack: Pack, attributes: dict[str, str]) -> date | None:
    """The last day of goods, where a rule of carriage names the attribute that has it."""
    names = [rule.expiry for rule in pack.carriage_of(attributes) if rule.expiry]
    days = [date.fromisoformat(attributes[name]) for name in names if name in attributes]
    return min(days, default=None)


def _stand(session: Session, lot: Lot, product: Product, kind: Kind) -> None:
    rules = kind.documents_of("lot", product.attributes | lot.attributes)
    papers = find_papers(session, "lot", [lot.id]).get(lot.id, ()) if rules else ()
    standing: Standing = find_standing(rules, papers, clock.now())
    lot.blocked, lot.due_at = standing.blocked, standing.due_at


def _change(session: Session, caller: Caller, lot: Lot, change: Callable[[], None]) -> Lot:
    """Make or change a lot, count it and remember who did it; nothing of that where nothing changes."""
    before, is_new = lot.content, lot.version == 0
    change()
    if is_new:
        lot.version = 1
        session.add(lot)
        session.flush()
    elif changes := lot.count_change(before, clock.now()):
        session.add(_remember(caller, lot, changes))
    return lot


def _remember(caller: Caller, lot: Lot, changes: dict[str, list[str]]) -> LotChange:
    return LotChange(
        id=clock.new_id("change"),
        lot_id=lot.id,
        version=lot.version,
        user_id=caller.user_id,
        at=lot.changed_at,
        changes=changes,
    )
