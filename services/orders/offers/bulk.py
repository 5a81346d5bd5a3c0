"""Takes the rows of a price list in, some thousands at a time, with a number of statements that does not depend on how many.

The seller's numbers are locked, then its offers that have them, in the order of their ids. A row that is refused stops no
other; what comes again is unchanged, so that a batch which was rolled back may be sent once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.messages import emit_many
from chassis.problems import Problem
from chassis.uploads.fields import Outcome, Values
from chassis.values import Quantity
from events.orders import Terms
from services.orders.base import PLAIN, among
from services.orders.markets.model import Market
from services.orders.markets.queries import find_market
from services.orders.offers.commands import make_description
from services.orders.offers.lot import check_lot
from services.orders.offers.model import Offer
from services.orders.offers.numbers import is_over, lock_numbers
from services.orders.offers.offered import CLOSED
from services.orders.offers.price_reasons import RowRefused, refuse_by
from services.orders.offers.price_rows import PriceRow, make_row
from services.orders.offers.repricing import apply_row, check_complete, cut_lot, make_terms
from services.orders.offers.rows import OfferRow, ids_by_pieces, lock_rows, write_rows
from services.orders.parties.licences import find_missing
from services.orders.parties.model import ADMITTED, Party
from services.orders.parties.queries import find_called, find_trader
from services.orders.pieces.model import Allotment, Promised
from services.orders.pieces.queries import find_promised_of
from services.orders.products.model import PUBLISHED, Product
from services.orders.products.queries import find_named

NOTHING = Promised()


class Known(msgspec.Struct, frozen=True):
    """What the rows of a batch speak of, looked up once for all of them; ``terms`` and ``lots`` are those worked out so far."""

    seller: Party
    market: Market
    products: Mapping[str, Product]
    companies: Mapping[str, list[Party]]
    now: datetime
    terms: dict[Any, Terms] = {}
    lots: dict[Any, tuple[Quantity, Quantity, Quantity]] = {}


class Changes(msgspec.Struct):
    """The offers that a batch changes, makes and closes, and the ids for those that it makes."""

    ids: Iterator[str]
    changed: list[OfferRow] = []
    made: list[OfferRow] = []
    closed: list[OfferRow] = []


def list_offers(session: Session, caller: Caller, market: str, rows: Sequence[Values]) -> Outcome:
    """List, revise or withdraw the caller's offers by rows whose cells are right. Raises NotYetKnown or PartySuspended."""
    said = [make_row(values) for values in rows]
    seller_id = caller.party_id
    lock_numbers(session, seller_id)
    offers = _find_holders(session, seller_id, {row.number for row in said})
    known = _look_up(session, seller_id, market, said, offers.values())
    new = sum(1 for row in said if row.number not in offers or is_over(offers[row.number]))
    outcome, changes = Outcome(), Changes(iter(clock.new_ids("offer", new)))
    for place, row in enumerate(said):
        try:
            _take_in(row, offers.get(row.number), known, outcome, changes)
        except RowRefused as refused:
            outcome.refused.append((place, refused.column, refused.reason))
        except Problem as problem:
            refused = refuse_by(problem, otherwise="number")
            outcome.refused.append((place, refused.column, refused.reason))
    _write(session, changes)
    return outcome


def _find_holders(session: Session, seller_id: str, numbers: Iterable[str]) -> dict[str | None, OfferRow]:
    """The offers that have some numbers and are not closed, locked."""
    open_ones = Offer.state.not_in(sorted(CLOSED))
    found = lock_rows(session, Offer.seller_id == seller_id, among(Offer.number, set(numbers)), open_ones)
    return {offer.number: offer for offer in found}


def _look_up(
    session: Session, seller_id: str, market: str, rows: Sequence[PriceRow], offers: Iterable[OfferRow]
) -> Known:
    names = {row.product for row in rows if row.product} | {offer.product_id for offer in offers if offer.product_id}
    called = {row.warehouse for row in rows if row.warehouse} | {name for row in rows for name in row.buyer or ()}
    return Known(
        seller=find_trader(session, seller_id),
        market=find_market(session, market),
        products=find_named(session, seller_id, names),
        companies=find_called(session, called),
        now=clock.now(),
    )


def _take_in(row: PriceRow, offer: OfferRow | None, known: Known, outcome: Outcome, changes: Changes) -> None:
    audience = _find_audience(row, known)
    if offer is not None and not is_over(offer):
        effect = _reprice(row, offer, audience, known, changes)
        outcome.unchanged += effect == "unchanged"
        outcome.updated += effect != "unchanged"
        return
    if row.quantity is not None and not row.quantity:
        outcome.unchanged += 1
        return
    made = _make(row, next(changes.ids), audience, known)
    if offer is not None:
        offer.close("expire")
        changes.closed.append(offer)
    changes.made.append(made)
    outcome.created += 1


def _reprice(row: PriceRow, offer: OfferRow, audience: list[str] | None, known: Known, changes: Changes) -> str:
    if row.product is not None and _find_product(row, known).id != offer.product_id:
        raise RowRefused("product", "the offer is of another product: withdraw it and list another")
    if row.warehouse is not None and _find_company(row.warehouse, "warehouse", known).id != offer.warehouse_id:
        raise RowRefused("warehouse", "the goods lie in another warehouse: withdraw the offer and list another")
    product = known.products.get(offer.product_id) if offer.product_id else None
    effect = apply_row(row, offer, product, audience, known.market.terms, known.now)
    if effect == "revised":
        changes.changed.append(offer)
    if effect == "withdrawn":
        if not offer.can("withdraw"):
            return "unchanged"
        offer.close("withdraw")
        changes.closed.append(offer)
    return effect


def _make(row: PriceRow, id: str, audience: list[str] | None, known: Known) -> OfferRow:
    check_complete(row)
    product = _find_product(row, known)
    _check_offerable(product, known)
    warehouse = _find_company(row.warehouse, "warehouse", known)
    if warehouse.state != ADMITTED:
        raise RowRefused("warehouse", f"{warehouse.name} is {warehouse.state}")
    terms = make_terms(row, product, known.market.terms, known.now, known.terms)
    listed, minimum, step = _cut(row, product, terms.price.unit, known)
    return OfferRow(
        id=id,
        due_at=terms.valid_until,
        valid_until=terms.valid_until,
        market=known.market.id,
        seller_id=known.seller.id,
        warehouse_id=warehouse.id,
        title=product.heading,
        terms=terms,
        penalty_rate=known.market.fees.penalty_rate,
        listed=listed,
        remaining=listed,
        withdrawn=Quantity.zero(listed.unit),
        minimum=minimum,
        step=step,
        number=row.number,
        product_id=product.id,
        audience=audience,
        licences=product.licences or None,
    )


def _cut(row: PriceRow, product: Product, unit: str, known: Known) -> tuple[Quantity, Quantity, Quantity]:
    key = (product.id, unit, row.quantity, row.minimum, row.step)
    if (lot := known.lots.get(key)) is None:
        lot = cut_lot(row, product, unit)
        check_lot(*lot)
        known.lots[key] = lot
    return lot


def _check_offerable(product: Product, known: Known) -> None:
    if product.market != known.market.id:
        raise RowRefused("product", f"the product is of the market {product.market}")
    if product.state != PUBLISHED:
        raise RowRefused("product", f"only a published product is offered: this one is {product.state}")
    if product.blocked:
        raise RowRefused("product", f"the product may not be offered: {product.blocked}")
    if need := find_missing(known.seller.licences or (), product.licences, "seller", known.now):
        of = f" for {', '.join(need.scope)}" if need.scope else ""
        raise RowRefused("product", f"your company lacks the licence {need.scheme}{of}")


def _find_product(row: PriceRow, known: Known) -> Product:
    if row.product is None or (found := known.products.get(row.product)) is None:
        raise RowRefused("product", "you have no product of this number")
    return found


def _find_audience(row: PriceRow, known: Known) -> list[str] | None:
    if row.buyer is None:
        return None
    found = sorted({_find_company(name, "buyer", known).id for name in row.buyer})
    if known.seller.id in found:
        raise RowRefused("buyer", "your own company sees it anyway")
    return found


def _find_company(name: str, column: str, known: Known) -> Party:
    found = known.companies[name]
    if not found:
        raise RowRefused(column, f"no company is called {name}")
    if len(found) > 1:
        ids = ", ".join(party.id for party in found)
        raise RowRefused(column, f"several companies are called {name}: write one of {ids}")
    return found[0]


def _write(session: Session, changes: Changes) -> None:
    """Write all down, closed ones first, as they give their numbers free, and tell others of each."""
    if freed := ids_by_pieces(changes.closed):
        untaken = delete(Allotment).where(among(Allotment.offer_id, freed), Allotment.deal_id.is_(None))
        session.execute(untaken, execution_options=PLAIN)
    written = [*changes.changed, *changes.made]
    write_rows(session, changes.closed)
    write_rows(session, written)
    by_pieces = ids_by_pieces([*changes.closed, *written])
    promised = find_promised_of(session, by_pieces) if by_pieces else {}
    told = (make_description(offer, promised.get(offer.id, NOTHING)) for offer in [*changes.closed, *written])
    emit_many(session, told)
