"""Transaction information, history and statement of medicines: the Drug Supply Chain Security Act, 21 USC 360eee(25)-(27).

A row is one package at one change of hands, so that the rows of a serial number in order of time are its history. What no
event says is listed as missing and never made up; a statement is the sender's, given in its event or not. The form follows
GS1 US's implementation guideline for EPCIS 1.2/1.3. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from services.logistics.epcis.digital_links import take_apart
from services.logistics.records.lines import describe_place, find_making, lot_number, lot_of
from services.logistics.trace.facts import Fact
from services.logistics.trace.known import Known
from services.logistics.trace.past import Past
from services.logistics.trace.places import Place

HEADINGS = (
    "GTIN",
    "NDC",
    "product name",
    "strength",
    "dosage form",
    "container size",
    "number of containers",
    "serial number",
    "lot number",
    "expiration date",
    "transaction",
    "transaction date",
    "transferred from",
    "transferred to",
    "reference documents",
    "transaction statement",
    "inside",
    "missing",
    "captured by",
    "event id",
)
_STEPS = {"shipping": "shipped", "departing": "shipped", "receiving": "received", "accepting": "received"}
_MUST = (
    "NDC",
    "product name",
    "strength",
    "dosage form",
    "container size",
    "serial number",
    "lot number",
    "expiration date",
    "transferred from",
    "transferred to",
    "transaction statement",
)
STATEMENT = (
    "The sender states in its event that it is authorized, received the product from an authorized person, received transaction "
    "information and statement from the prior owner, did not knowingly ship a suspect or illegitimate product, had verification "
    "systems in place, and did not knowingly provide false information or alter the history (21 USC 360eee(27))."
)


class Chest(msgspec.Struct, frozen=True):
    """What rows are read from: facts, places by name, and what owners say of products: attributes by (owner, GTIN)."""

    known: Known
    places: Mapping[str, Place]
    products: Mapping[tuple[str, str], Mapping[str, str]]


def write_rows(chest: Chest, things: Iterable[str], *, since: datetime, until: datetime) -> Iterable[list[str]]:
    """The rows under ``HEADINGS`` for serialised items, in order of GTIN, serial number and time."""
    past = Past(chest.known)
    for thing in sorted(things):
        parts = take_apart(thing)
        if parts is None or parts[0] != "01" or "21" not in parts[2]:
            continue
        for fact in past.list_all(thing):
            step = _STEPS.get(fact.biz_step or "")
            if step is not None and since <= fact.at < until:
                yield _row(chest, thing, parts[1], parts[2]["21"], step, fact)


def _row(chest: Chest, thing: str, gtin: str, serial: str, step: str, fact: Fact) -> list[str]:
    lot = lot_of(chest.known, thing)
    making = find_making(chest.known, lot) if lot != thing else _making_of(chest.known, thing)
    told = _product(chest, gtin, fact, making)
    inside = [stay.parent for stay in chest.known.stays(thing) if stay.covers(fact.at)]
    said = {
        "GTIN": gtin,
        "NDC": _ndc(gtin) or told.get("additionalTradeItemIdentification", ""),
        "product name": told.get("regulatedProductName") or told.get("functionalName", ""),
        "strength": told.get("strengthDescription", ""),
        "dosage form": told.get("dosageFormType", ""),
        "container size": told.get("netContentDescription", ""),
        "number of containers": "1",
        "serial number": serial,
        "lot number": (lot_number(lot) if lot != thing else None) or "",
        "expiration date": str(making.made.get("itemExpirationDate", "")) if making is not None else "",
        "transaction": step,
        "transaction date": fact.at.isoformat(),
        "transferred from": _party(chest, dict(reversed(fact.sources))),
        "transferred to": _party(chest, dict(reversed(fact.destinations))),
        "reference documents": "; ".join(f"{kind or 'document'} {uri}" for kind, uri in fact.papers),
        "transaction statement": STATEMENT if fact.affirmed else "",
        "inside": " ".join(inside),
    }
    wanted = [name for name in _MUST if name != "transaction statement" or step == "shipped"]
    missing = [name for name in wanted if not said[name]]
    return [*said.values(), "; ".join(missing), fact.owner_id, fact.event_id]


def _making_of(known: Known, thing: str) -> Fact | None:
    made = [fact for fact in known.of.get(thing, []) if fact.made]
    return min(made, key=lambda fact: fact.order, default=None)


def _product(chest: Chest, gtin: str, fact: Fact, making: Fact | None) -> Mapping[str, str]:
    owners = [making.owner_id] if making is not None else []
    return next((told for owner in (*owners, fact.owner_id) if (told := chest.products.get((owner, gtin)))), {})


def _ndc(gtin: str) -> str:
    """The ten digits of the National Drug Code that a GTIN of the FDA's range (03) carries: N(01), 21 CFR 207.33."""
    return gtin[3:13] if gtin[1:3] == "03" else ""


def _party(chest: Chest, named: Mapping[str | None, str]) -> str:
    uri = next((named[kind] for kind in ("owning_party", "possessing_party", "location") if kind in named), None)
    return describe_place(chest.places, uri)
