"""What logistics does with the stream of reads."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.brokers import Message
from events.logistics import ReaderHeard, TagsRead
from services.logistics.rfid import commands

TOPIC_BEFORE = "logistics.reads"
"""Where reads were told until now: what was on its way at an upgrade is still heard."""
_READERS = {event.type: msgspec.json.Decoder(event).decode for event in (TagsRead, ReaderHeard)}


def on_reads(session: Session, caller: Caller, messages: list[Message]) -> None:
    """Take in reads, and that readers live; what else the topic may bring one day is passed over."""
    told = [_READERS[type_](one.value) for one in messages if (type_ := one.headers.get("ce_type", "")) in _READERS]
    commands.take_reads(session, caller, told)


STREAM_HANDLERS = {TagsRead.topic: on_reads, TOPIC_BEFORE: on_reads}
