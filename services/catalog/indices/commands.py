"""Counts signed deals for the days of the indices that they are of, takes ended parts away, and publishes a day's figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.messages import emit
from chassis.problems import NotYetKnown
from chassis.values import write_wire
from events.catalog import IndexDescribed
from events.orders import DealSigned, PartEnded
from services.catalog.indices.calendars import closes_at, day_of, is_announced
from services.catalog.indices.method import Bargain, Line, assess, merge, normalise, price_of, quantity_of, volume_of
from services.catalog.indices.model import IndexDay, IndexDeal, IndexMethod, IndexRevision, write_line
from services.catalog.indices.queries import find_attributes, rules_of, see_rule
from services.catalog.markets.index_rules import IndexRule
from services.catalog.parties.queries import find_groups


def count_deal(session: Session, caller: Caller, event: DealSigned) -> None:
    """Count a signed deal for each index that its goods are of.

    A deal of before prices were told counts for none, and so does one whose price was made of an index: no figure is
    made of itself.

    Raises NotYetKnown when a side or a piece was not heard of.
    """
    rules = rules_of(session, event.market)
    if not rules or event.price is None or event.taken_at is None or event.place is None or event.index is not None:
        return
    attributes = find_attributes(session, event)
    groups = find_groups(session, (event.buyer_id, event.seller_id))
    if missing := {event.buyer_id, event.seller_id} - set(groups):
        raise NotYetKnown(f"{', '.join(sorted(missing))} has not been heard of")
    for current in rules:
        rule, on = _rule_for(session, current, day_of(current, event.taken_at))
        if lines := _lines_of(rule, event, attributes):
            day = _open_day(session, rule, event.market, on)
            price, volume = merge(lines)
            row = {
                "id": f"{event.deal_id}:{rule.code}",
                "deal_id": event.deal_id,
                "code": rule.code,
                "day": day.day,
                "buyer": groups[event.buyer_id],
                "seller": groups[event.seller_id],
                "lines": [write_line(line) for line in lines],
                "price": price,
                "volume": volume,
                "standing": "open",
                "taken_at": event.taken_at,
            }
            session.execute(insert(IndexDeal).values(row).on_conflict_do_nothing())
            day.due_at = max(clock.now(), closes_at(rule, day.day))


def _rule_for(session: Session, rule: IndexRule, day: date) -> tuple[IndexRule, date]:
    """The rule that a day is made by: the one that its first deal was counted by, else the one in force."""
    method = session.scalar(select(IndexDay.method).where(IndexDay.id == f"{rule.code}:{day.isoformat()}"))
    return (rule if method in (None, rule.method) else see_rule(session, rule.code, method)), day


def _lines_of(rule: IndexRule, event: DealSigned, attributes: Mapping[str | None, dict[str, str]]) -> list[Line]:
    bargain = Bargain(
        price=event.price,  # type: ignore[arg-type]
        tax_basis=event.tax_basis or "tax_included",
        tax_rate=event.tax_rate or Decimal(0),
        place=event.place or "",
        delivery_mode=event.delivery_mode or "self_pickup",
    )
    parts = [(piece.piece_id, piece.net) for piece in event.pieces] or [(None, event.quantity)]
    lines = []
    for piece_id, quantity in parts:
        volume = volume_of(rule, quantity) if quantity else None
        price = normalise(rule, bargain, attributes.get(piece_id, {}))
        if price is not None and volume:
            lines.append(Line(piece_id=piece_id, price=price, volume=volume))
    return lines


def _open_day(session: Session, rule: IndexRule, market: str, day: date) -> IndexDay:
    """The day that a deal counts for, locked; the first deal makes it, and keeps the method that it is made by."""
    id, now = f"{rule.code}:{day.isoformat()}", clock.now()
    method = {
        "id": f"{rule.code}:{rule.method}",
        "code": rule.code,
        "method": rule.method,
        "market": market,
        "rule": msgspec.to_builtins(rule, enc_hook=write_wire),
        "since": now,
    }
    made = {
        "id": id,
        "version": 0,
        "code": rule.code,
        "market": market,
        "day": day,
        "due_at": None,
        "standing": "collecting",
        "revision": 0,
        "method": rule.method,
        "price": None,
        "deals": 0,
        "volume": Decimal(0),
        "buyers": 0,
        "sellers": 0,
        "open_deals": 0,
        "changed_at": now,
    }
    session.execute(insert(IndexMethod).values(method).on_conflict_do_nothing())
    session.execute(insert(IndexDay).values(made).on_conflict_do_nothing())
    return get(session, IndexDay, id, Caller.system("catalog"))


def take_part_away(session: Session, caller: Caller, event: PartEnded) -> None:
    """Let go of a part that was broken or cancelled, in every index that its deal counts for."""
    for deal, day in _counted(session, event.deal_id, caller):
        rule = see_rule(session, day.code, day.method)
        deal.take_away(set(event.piece_ids), volume_of(rule, event.quantity) or Decimal(0))
        day.due_at = max(clock.now(), closes_at(rule, day.day))


def end_deal(session: Session, caller: Caller, deal_id: str) -> None:
    """Note that nothing of a deal changes any more."""
    for deal, day in _counted(session, deal_id, caller):
        deal.end()
        day.due_at = max(clock.now(), closes_at(see_rule(session, day.code, day.method), day.day))


def _counted(session: Session, deal_id: str, caller: Caller) -> Iterator[tuple[IndexDeal, IndexDay]]:
    """What a deal counts for, the days locked first as whoever counts a deal does."""
    found = session.execute(select(IndexDeal.id, IndexDeal.code, IndexDeal.day).where(IndexDeal.deal_id == deal_id))
    ids = {f"{code}:{day.isoformat()}": id for id, code, day in found}
    for day in get_many(session, IndexDay, ids, caller) if ids else ():
        yield get(session, IndexDeal, ids[day.id], caller), day


def publish_day(session: Session, caller: Caller, day_id: str) -> None:
    """Make a day's figure of its deals as they stand, and tell it where it is another one than before."""
    day = get(session, IndexDay, day_id, caller)
    day.due_at = None
    rule = see_rule(session, day.code, day.method)
    counted = select(IndexDeal).where(
        IndexDeal.code == day.code, IndexDeal.day == day.day, IndexDeal.standing != "removed"
    )
    deals = list(session.scalars(counted))
    found = assess(rule, (deal.entry for deal in deals))
    reason = day.take_in(
        found,
        open_deals=sum(deal.standing == "open" for deal in deals),
        certain=is_announced(rule, day.day),
        at=clock.now(),
    )
    if reason is None:
        return
    session.add(
        IndexRevision(
            id=clock.new_id("revision"),
            index_day_id=day.id,
            revision=day.revision,
            at=day.changed_at,
            standing=day.standing,
            method=day.method,
            price=day.price,
            deals=day.deals,
            volume=day.volume,
            buyers=day.buyers,
            sellers=day.sellers,
            reason=reason,
        )
    )
    emit(session, _event_of(day, rule, reason), of=day)


def describe(session: Session, day: IndexDay) -> None:
    """Tell how a day stands once more. One that is still collecting has nothing to tell."""
    if day.revision:
        emit(session, _event_of(day, see_rule(session, day.code, day.method), None), of=day)


def _event_of(day: IndexDay, rule: IndexRule, reason: str | None) -> IndexDescribed:
    return IndexDescribed(
        index_day_id=day.id,
        version=day.version,
        code=day.code,
        market=day.market,
        day=day.day.isoformat(),
        revision=day.revision,
        method=day.method,
        state=day.standing,
        deals=day.deals,
        volume=quantity_of(rule, day.volume),
        price=None if day.price is None else price_of(rule, day.price),
        tax_basis=rule.tax_basis,
        reason=reason,
    )
