"""The state of packages of medicine by the falsified medicines rules of the EU: Delegated Regulation (EU) 2016/161.

A package is decommissioned once (articles 16, 22, 23 and 25); a second time is an alert, as one of the two may be a copy (article
37(d)). Whoever decommissioned it may undo that under the conditions of article 13(1): the same company at the same place, within
ten days, before the expiry date, not when it is recalled, withdrawn, for destruction or stolen, and not when it was supplied to
the public. An undoing that breaks one is an alert and changes nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from services.logistics.epcis.digital_links import take_apart
from services.logistics.records.lines import find_making, lot_number, lot_of
from services.logistics.trace.facts import Fact
from services.logistics.trace.known import Known
from services.logistics.trace.past import Past

UNDO_WITHIN = timedelta(days=10)
_ENDS = frozenset({"decommissioning", "dispensing", "retail_selling", "destroying", "sampling"})
_OF_ONE = frozenset({"decommissioning", "sampling"})
"""Said of a pallet, these are not said of what lies on it."""
_SUPPLIED = frozenset({"dispensing", "retail_selling"})
_BARRED = frozenset({"recalled", "destroyed", "disposed", "stolen", "expired"})
_ALIVE = frozenset({"active", "sellable_accessible", "sellable_not_accessible"})
HEADINGS = (
    "GTIN",
    "serial number",
    "lot number",
    "expiration date",
    "state",
    "decommissioned at",
    "by step",
    "decommissioned by",
    "place",
    "alerts",
)


class Status(msgspec.Struct):
    """A package: ``ended`` is the event that decommissioned it, None while it is active."""

    ended: Fact | None = None
    barred: str | None = None
    alerts: list[str] = []


def judge_package(facts: Iterable[Fact], expires: str) -> Status:
    """What the events of one package, in whatever order, make of it; ``expires`` is an ISO date or empty."""
    status = Status(alerts=[])
    for fact in sorted(facts, key=lambda one: one.order):
        if fact.biz_step in _ENDS and fact.type == "ObjectEvent":
            _end(status, fact)
        elif status.ended is not None and fact.disposition in _ALIVE and fact.type == "ObjectEvent":
            _undo(status, fact, expires)
        if fact.disposition in _BARRED:
            status.barred = fact.disposition
    return status


def _end(status: Status, fact: Fact) -> None:
    if status.ended is None:
        status.ended = fact
    else:
        first = status.ended
        status.alerts.append(
            f"decommissioned again at {fact.at.isoformat()} by {fact.owner_id}, after {first.at.isoformat()} by {first.owner_id}"
        )


def _undo(status: Status, fact: Fact, expires: str) -> None:
    broken = list(_broken_conditions(status, fact, expires))
    if broken:
        status.alerts.append(f"undone at {fact.at.isoformat()} against article 13(1): {', '.join(broken)}")
    else:
        status.ended = None


def _broken_conditions(status: Status, fact: Fact, expires: str) -> Iterator[str]:
    ended = status.ended
    assert ended is not None
    if fact.owner_id != ended.owner_id or fact.place != ended.place:
        yield "by another company or at another place"
    if fact.at - ended.at > UNDO_WITHIN:
        yield "more than ten days later"
    if expires and fact.at.date().isoformat() > expires[:10]:
        yield "after the expiry date"
    if status.barred is not None:
        yield f"it is {status.barred}"
    if ended.biz_step in _SUPPLIED:
        yield "it was supplied to the public"


def write_rows(known: Known, things: Iterable[str], *, since: datetime, until: datetime) -> Iterable[list[str]]:
    """The rows under ``HEADINGS`` for serialised items that have an event in the period, in order of GTIN and serial number."""
    past = Past(known)
    for thing in sorted(things):
        parts = take_apart(thing)
        if parts is None or parts[0] != "01" or "21" not in parts[2]:
            continue
        facts = [fact for fact in past.list_all(thing) if thing in fact.things or fact.biz_step not in _OF_ONE]
        if any(since <= fact.at < until for fact in facts):
            yield _row(known, thing, parts[1], parts[2]["21"], facts)


def _row(known: Known, thing: str, gtin: str, serial: str, facts: list[Fact]) -> list[str]:
    lot = lot_of(known, thing)
    making = find_making(known, lot if lot != thing else thing)
    expires = str(making.made.get("itemExpirationDate", "")) if making is not None else ""
    status = judge_package(facts, expires)
    ended = status.ended
    return [
        gtin,
        serial,
        (lot_number(lot) if lot != thing else None) or "",
        expires,
        "active" if ended is None else "decommissioned",
        ended.at.isoformat() if ended is not None else "",
        (ended.biz_step or "") if ended is not None else "",
        ended.owner_id if ended is not None else "",
        (ended.place or "") if ended is not None else "",
        "; ".join(status.alerts),
    ]
