"""Entries by hand over HTTP."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Body, Instant, View, command
from chassis.values import Identifier, ShortText
from services.logistics.manual import entering
from services.logistics.manual.entering import Happening
from services.logistics.manual.items import Item

routes = Blueprint("manual-entries", __name__)

TagHex = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{2}){4,64}(?![\s\S])")]
Code = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[\u001d\u0020-\u007e]+(?![\s\S])")]


class NameThing(Body):
    """A thing, by exactly one of: what a barcode says (GS1 element string, Digital Link or EPC URI), the maker's number of a
    piece, the id of a piece, or a tag in hex digits.
    """

    barcode: Code | None = None
    number: ShortText | None = None
    piece_id: Identifier | None = None
    epc: TagHex | None = None


class EnterByHand(Body):
    """What has happened to things, where and when, as a gate would have seen it; now, unless ``at`` says otherwise.

    ``parent`` is the barcode of the pallet or container for packing and unpacking. ``delivery_id`` puts it under the papers of a
    delivery: that the delivery leaves is confirmed there.
    """

    step: Happening
    items: Annotated[list[NameThing], Meta(min_length=1, max_length=500)]
    at: Instant | None = None
    parent: Code | None = None
    gate_id: Identifier | None = None
    zone_id: Identifier | None = None
    delivery_id: Identifier | None = None
    reason: ShortText | None = None


class EnteredView(View):
    """The EPCIS event that was captured, what it names, and the pieces among that, as far as the caller may know them."""

    event_id: str
    epcs: list[str]
    piece_ids: list[str]

    @classmethod
    def of(cls, entered: entering.Entered) -> EnteredView:
        return cls(
            event_id=entered.event_id,
            epcs=[one.epc for one in entered.named],
            piece_ids=[one.piece_id for one in entered.named if one.piece_id],
        )


@routes.post("/v1/manual-entries")
@command(role="warehouse", status=201)
def enter_by_hand(session: Session, caller: Caller, body: EnterByHand) -> EnteredView:
    """Enter by barcode or number what no reader has seen: it becomes the same EPCIS event, marked as manual."""
    entered = entering.enter_by_hand(
        session,
        caller,
        body.step,
        [Item(epc=one.epc, barcode=one.barcode, number=one.number, piece_id=one.piece_id) for one in body.items],
        at=body.at,
        parent=body.parent,
        gate_id=body.gate_id,
        zone_id=body.zone_id,
        delivery_id=body.delivery_id,
        reason=body.reason,
    )
    return EnteredView.of(entered)
