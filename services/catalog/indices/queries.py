"""Looks indices up: their rules, their days, and the figure that a price formula takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.problems import Invalid, NotFound, NotYetKnown
from chassis.values import UnitPrice, read_wire
from events.orders import DealSigned
from services.catalog.base import among
from services.catalog.indices.calendars import day_of, working_days
from services.catalog.indices.method import price_by_formula
from services.catalog.indices.model import IndexDay, IndexMethod, IndexRevision
from services.catalog.markets.index_rules import IndexRule
from services.catalog.markets.queries import list_packs, pack_of
from services.catalog.pieces.queries import find_for_search
from services.catalog.products.queries import find_attributes_of

MOST_DAYS = 2_000
PUBLISHED = ("provisional", "final")
STATED_IN = ("unit", "currency", "tax_basis")


class NoSuchPeriod(Invalid):
    """A series is of at most 2,000 days, from an earlier day to a later one."""


class NotPublished(NotFound):
    """There is no figure of this index that a formula could use."""


class NothingLeft(Invalid):
    """The discount is not less than the index."""


@dataclass(frozen=True)
class Known:
    """An index: its market, its rule in force, and its last published day, if there is one."""

    market: str
    rule: IndexRule
    latest: IndexDay | None


@dataclass(frozen=True)
class FormulaPrice:
    """A price that a formula came to, and the day of the index that it was made of."""

    price: UnitPrice
    index: IndexDay
    rule: IndexRule


def rules_of(session: Session, market: str) -> list[IndexRule]:
    """The indices of a market as its pack states them now."""
    return pack_of(session, market).indices


def see_rule(session: Session, code: str, method: int) -> IndexRule:
    """A method as it was when its first day was made. Raises NotFound."""
    found = session.scalar(select(IndexMethod.rule).where(IndexMethod.id == f"{code}:{method}"))
    if found is None:
        raise NotFound(f"no index {code} of method {method}")
    return msgspec.convert(found, IndexRule, dec_hook=read_wire)


def find_index_mistakes(session: Session, market: str, rules: Sequence[IndexRule]) -> Iterator[tuple[str, str]]:
    """Why a market cannot have rules as its indices now: key and reason.

    A code is one market's. A method that days were made by stays what it was, but for its label and its source, and
    what an index is stated in stays for good.
    """
    if not rules:
        return
    owners = {rule.code: pack.market for pack in list_packs(session) if pack.market != market for rule in pack.indices}
    query = select(IndexMethod.rule).where(among(IndexMethod.code, (rule.code for rule in rules)))
    methods = [msgspec.convert(made, IndexRule, dec_hook=read_wire) for made in session.scalars(query)]
    for i, rule in enumerate(rules):
        if rule.code in owners:
            yield f"indices[{i}].code", f"{rule.code} is an index of the market {owners[rule.code]!r} already"
        for before in methods:
            if before.code == rule.code:
                yield from ((f"indices[{i}].{key}", reason) for key, reason in _find_break(rule, before))


def _find_break(rule: IndexRule, before: IndexRule) -> Iterator[tuple[str, str]]:
    if any(getattr(rule, name) != getattr(before, name) for name in STATED_IN):
        yield "code", f"{rule.code} was published in another unit, currency or tax basis: use another code"
    elif before.method == rule.method and replace(before, label=rule.label, source=rule.source) != rule:
        yield "method", f"days of {rule.code} were made by method {rule.method}, which is another rule: raise it"


def list_indices(session: Session, caller: Caller) -> list[Known]:
    """Every index of every market, by code."""
    found = [(pack.market, rule) for pack in list_packs(session) for rule in pack.indices]
    latest = _find_latest(session, [rule.code for _, rule in found])
    ordered = sorted(found, key=lambda each: each[1].code)
    return [Known(market, rule, latest.get(rule.code)) for market, rule in ordered]


def see_index(session: Session, caller: Caller, code: str) -> Known:
    """An index. Raises NotFound."""
    for pack in list_packs(session):
        for rule in pack.indices:
            if rule.code == code:
                return Known(pack.market, rule, _find_latest(session, [code]).get(code))
    raise NotFound(f"no index {code!r}")


def _find_latest(session: Session, codes: list[str]) -> dict[str, IndexDay]:
    query = select(IndexDay).where(among(IndexDay.code, codes), IndexDay.standing.in_(PUBLISHED))
    query = query.ext(distinct_on(IndexDay.code)).order_by(IndexDay.code, IndexDay.day.desc())
    return {day.code: day for day in session.scalars(query)}


@dataclass(frozen=True)
class Series:
    """An index over time: its rule and, for every working day, the day as it stands or None where no deal counts for it."""

    rule: IndexRule
    days: list[tuple[date, IndexDay | None]]


def see_series(session: Session, caller: Caller, code: str, first: date | None, last: date | None) -> Series:
    """An index from one day to another, both included; without them the last 90 days. Raises NotFound or NoSuchPeriod.

    A day that is still collecting is not shown.
    """
    rule = see_index(session, caller, code).rule
    last = last or _last_closed(rule)
    first = first or last - timedelta(days=90)
    if not timedelta(0) <= last - first <= timedelta(days=MOST_DAYS):
        raise NoSuchPeriod(f"from {first} to {last}", field="$.from")
    query = select(IndexDay).where(IndexDay.code == code, IndexDay.day.between(first, last), IndexDay.revision > 0)
    known = {day.day: day for day in session.scalars(query)}
    days = sorted({*known, *working_days(rule, first, min(last, _last_closed(rule)))})
    return Series(rule, [(day, known.get(day)) for day in days])


def _last_closed(rule: IndexRule) -> date:
    """The last day whose cut-off is over."""
    return day_of(rule, clock.now()) - timedelta(days=1)


@dataclass(frozen=True)
class Published:
    """Every figure that was published for a day, oldest first."""

    day: date
    revisions: list[IndexRevision]


def list_revisions(session: Session, caller: Caller, code: str, day: str) -> tuple[Published, IndexRule]:
    """What was published for a day, and by which rule. Raises NotFound where there is nothing."""
    found = session.scalar(select(IndexDay).where(IndexDay.id == f"{code}:{day}", IndexDay.revision > 0))
    if found is None:
        raise NotFound(f"nothing was published of {code} for {day}")
    query = select(IndexRevision).where(IndexRevision.index_day_id == found.id).order_by(IndexRevision.revision)
    return Published(found.day, list(session.scalars(query))), see_rule(session, code, found.method)


def see_price(session: Session, caller: Caller, code: str, day: date | None, premium: Decimal) -> FormulaPrice:
    """What "index + premium" comes to by the last figure published for a day or one before it.

    Raises NotFound, NotPublished where there is no figure so far, or NothingLeft.
    """
    rule = see_index(session, caller, code).rule
    query = select(IndexDay).where(IndexDay.code == code, IndexDay.standing.in_(PUBLISHED))
    if day is not None:
        query = query.where(IndexDay.day <= day)
    found = session.scalar(query.order_by(IndexDay.day.desc()).limit(1))
    if found is None or found.price is None:
        raise NotPublished(f"{code} has no figure up to {day or 'now'}")
    try:
        return FormulaPrice(price_by_formula(rule, found.price, premium), found, rule)
    except ValueError as error:
        raise NothingLeft(str(error), field="$.premium") from None


def find_attributes(session: Session, event: DealSigned) -> dict[str | None, dict[str, str]]:
    """What the goods of a deal are, by piece, or for None what its product is. Raises NotYetKnown for an unknown piece."""
    if event.pieces:
        ids = [piece.piece_id for piece in event.pieces]
        pieces = find_for_search(session, ids)
        if missing := set(ids) - set(pieces):
            raise NotYetKnown(f"{', '.join(sorted(missing))} has not been heard of")
        return {id: piece.attributes for id, piece in pieces.items()}
    if event.product_id is None:
        return {}
    return {None: find_attributes_of(session, event.product_id)}
