"""Records that a piece has another tag: the old name is taken out of use, and the new one put into it.

CBV 2.0 calls it decommissioning when a name is taken off a thing, which "may be re-commissioned … only with a new identifier", and
commissioning when a name is put on one: the two events say the first and the second, by ObjectEvents DELETE and ADD. That both
are the same piece the new one says in an extension, ``replaces``; an association is between two things and would be wrong.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.logistics.epcis import commands as epcis
from services.logistics.epcis.commands import Thing
from services.logistics.epcis.fields import Event
from services.logistics.manual.events import REPLACES, TAGGED, UNTAGGED, Method, Step, name_warehouse, write_manual
from services.logistics.rfid.epc import decode_epc


def record_retag(
    session: Session,
    piece_id: str,
    *,
    before: str | None,
    after: str | None,
    warehouse_id: str,
    owner_id: str,
    at: datetime,
) -> None:
    """A piece wore one tag (hex digits, or none) and wears another: captured as its warehouse's, which sees to tags.

    A tag that names nothing makes no event. The owner of the piece sees them too.
    """
    old, new = _name(before), _name(after)
    if old == new:
        return
    told = [_write(UNTAGGED, old, warehouse_id, at)] if old else []
    if new:
        told.append(_write(TAGGED, new, warehouse_id, at, replaces=old))
    things = [[Thing(name, piece_id, None, None)] for name in (old, new) if name]
    epcis.capture_events(session, told, owner_id=warehouse_id, things=things, parties=[[owner_id]] * len(told))


def _write(step: Step, name: str, warehouse_id: str, at: datetime, *, replaces: str | None = None) -> Event:
    place = name_warehouse(warehouse_id)
    marks = {REPLACES: replaces} if replaces else {}
    return write_manual(
        step, at=at, epcs=[name], method=Method.TAG, read_point=place, biz_location=place, extensions=marks
    )


def _name(tag: str | None) -> str | None:
    identity = decode_epc(tag) if tag else None
    return identity.link if identity else None
