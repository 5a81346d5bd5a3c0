"""Kept events as they are shown: with our record time, and identifiers in the form that the reader wants."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy.orm import Session

from services.logistics.companies import queries as companies
from services.logistics.epcis.fields import Event
from services.logistics.epcis.identifiers import PrefixLength, read_prefix_table
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.object_event import write_time
from services.logistics.epcis.read_json import read_event
from services.logistics.epcis.translate import EpcFormat, translate


def show_kept(session: Session, rows: Iterable[EpcisEvent], format: EpcFormat) -> list[Event]:
    """The events of rows, ready to be written, with their eventIDs and our recordTime.

    A Digital Link is told as a URN where the length of its company prefix is known: that of a company here.
    """
    lengths = companies.list_prefixes(session) if format == "Always_EPC_URN" else {}
    prefix_length = read_prefix_table(lengths)
    return [_show(row, format, prefix_length) for row in rows]


def _show(row: EpcisEvent, format: EpcFormat, prefix_length: PrefixLength) -> Event:
    told = {"recordTime": write_time(row.record_time)}
    if format == "Always_GS1_Digital_Link":
        names = frozenset(row.unhashed or ())
        return Event(row.type or "", {**(row.fields or {}), **told}, row.namespaces or {}, names)
    event = translate(read_event(row.document, {}, "$", frozenset(row.unhashed or ())), format, prefix_length)
    return msgspec.structs.replace(event, fields={**event.fields, **told})
