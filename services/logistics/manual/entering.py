"""Enters by hand what a gate would have seen: things by barcode, number, piece or tag, and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.problems import Invalid
from services.logistics.epcis.object_event import name_transactions
from services.logistics.manual import capturing, events
from services.logistics.manual.capturing import Named
from services.logistics.manual.events import Method, Step
from services.logistics.manual.items import PIECE, Item, name_items
from services.logistics.manual.scanning import read_code
from services.logistics.pieces import queries as pieces
from services.logistics.rfid.epc import decode_epc
from services.logistics.shipments import details as shipments
from services.logistics.shipments.queries import Papers
from services.logistics.warehouses import queries as gates
from services.logistics.zones import queries as zones


class TagSaysNothing(Invalid):
    """The digits of the tag name nothing: enter the piece by its number."""


class ParentNeeded(Invalid):
    """What is packed or unpacked is so in something: name it. Otherwise there is no parent."""


class NotYet(Invalid):
    """What is entered has happened already."""


class Happening(StrEnum):
    """What has happened to things, in the CBV's words."""

    PICKING = "picking"
    PACKING = "packing"
    STAGING_OUTBOUND = "staging_outbound"
    LOADING = "loading"
    DEPARTING = "departing"
    ARRIVING = "arriving"
    UNLOADING = "unloading"
    UNPACKING = "unpacking"
    RECEIVING = "receiving"
    STORING = "storing"
    INSPECTING = "inspecting"


_DISPOSITIONS = {Happening.DEPARTING: "in_transit", Happening.INSPECTING: None}
_PACKS = {Happening.PACKING: "ADD", Happening.UNPACKING: "DELETE"}


class Entered(msgspec.Struct, frozen=True):
    """What was captured: the event, and the things by their names with their pieces, where the caller knows them."""

    event_id: str
    named: list[Named]


def enter_by_hand(
    session: Session,
    caller: Caller,
    step: Happening,
    items: Sequence[Item],
    *,
    at: datetime | None,
    parent: str | None,
    gate_id: str | None,
    zone_id: str | None,
    delivery_id: str | None,
    reason: str | None,
) -> Entered:
    """Capture what has happened to things as the event that a gate would have made of it, marked as manual.

    ``parent`` is what a barcode says of the pallet or container. Raises NotFound, NotYet, ParentNeeded, NotACode, NoSuchNumber,
    OneName or TagSaysNothing.
    """
    now = clock.now()
    if at is not None and at > now:
        raise NotYet("it is in the future", field="$.at")
    if (parent is None) == (step in _PACKS):
        raise ParentNeeded(f"{step} is {'in' if step in _PACKS else 'not in'} something", field="$.parent")
    if gate_id is not None:
        gates.see_gate(session, gate_id, caller)
    if zone_id is not None:
        zones.see_zone(session, zone_id, caller)
    named = _resolve(session, caller, items)
    papers = _papers(session, caller, delivery_id)
    epcs = [one.epc for one in named]
    said = {
        "at": at or now,
        "method": _method(items),
        "read_point": _read_point(gate_id, zone_id),
        "biz_location": _place(caller, step, zone_id),
        "transactions": name_transactions(papers.delivery_id, papers.deal_id) if papers else (),
        "reason": reason,
    }
    if parent is not None:
        event = events.write_packing(_PACKS[step], parent=read_code(parent), children=epcs, **said)
    else:
        event = events.write_manual(Step(step.value, _DISPOSITIONS.get(step, "in_progress")), epcs=epcs, **said)
    return Entered(capturing.capture(session, event, owner_id=caller.party_id, named=named, papers=papers), named)


def _resolve(session: Session, caller: Caller, items: Sequence[Item]) -> list[Named]:
    """Each thing once, by its canonical name."""
    names = dict.fromkeys(name_items(session, caller, items))
    told = pieces.find_tags(session, [name.removeprefix(PIECE) for name in names if name.startswith(PIECE)])
    own = {capturing.name_piece(id, tag): id for id, tag in told.items()}
    links = [_link(name) for name in names if name.removeprefix(PIECE) not in told]
    known = pieces.pieces_known(session, caller, links)
    return [Named(epc, piece_id) for epc, piece_id in sorted(({link: known.get(link) for link in links} | own).items())]


def _link(name: str) -> str:
    if ":" in name:
        return name
    if (identity := decode_epc(name)) is None:
        raise TagSaysNothing(f"{name} is of no known scheme", field="$.items")
    return identity.link


def _papers(session: Session, caller: Caller, delivery_id: str | None) -> Papers | None:
    if delivery_id is None:
        return None
    one = shipments.see_delivery(session, delivery_id, caller).delivery
    return Papers(one.id, one.deal_id, one.buyer_id, one.seller_id)


def _method(items: Sequence[Item]) -> Method:
    """How most of it was entered, as one event has one mark: by barcode, by tag, or by number."""
    if any(item.barcode for item in items):
        return Method.BARCODE
    return Method.TAG if any(item.epc for item in items) else Method.NUMBER


def _place(caller: Caller, step: Happening, zone_id: str | None) -> str | None:
    if step == Happening.DEPARTING:
        return None
    return events.name_zone(zone_id) if zone_id else events.name_warehouse(caller.party_id)


def _read_point(gate_id: str | None, zone_id: str | None) -> str | None:
    if gate_id is not None:
        return events.name_gate(gate_id)
    return events.name_zone(zone_id) if zone_id else None
