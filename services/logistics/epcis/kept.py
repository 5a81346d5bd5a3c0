"""Kept events as they are shown: with our record time, and identifiers in the form that the reader wants."""

from __future__ import annotations

import msgspec

from services.logistics.epcis.fields import Event
from services.logistics.epcis.identifiers import PrefixLength
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.object_event import write_time
from services.logistics.epcis.read_json import read_event
from services.logistics.epcis.translate import EpcFormat, translate


def know_no_prefix(digits: str) -> int | None:
    """The table of company prefixes where a deployment has none: only what was captured as a URN is told as one."""
    return None


def read_kept(row: EpcisEvent, format: EpcFormat, prefix_length: PrefixLength = know_no_prefix) -> Event:
    """The event of a row, ready to be written, with its eventID and our recordTime."""
    told = {"recordTime": write_time(row.record_time)}
    if format == "Always_GS1_Digital_Link":
        names = frozenset(row.unhashed or ())
        return Event(row.type or "", {**(row.fields or {}), **told}, row.namespaces or {}, names)
    event = translate(read_event(row.document, {}, "$", frozenset(row.unhashed or ())), format, prefix_length)
    return msgspec.structs.replace(event, fields={**event.fields, **told})
