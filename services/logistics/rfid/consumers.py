"""What logistics does with the stream of reads."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.brokers import Message
from events.logistics import TagsRead
from services.logistics.rfid import commands

_read_batch = msgspec.json.Decoder(TagsRead).decode


def on_reads(session: Session, caller: Caller, messages: list[Message]) -> None:
    """Take a batch of reads in."""
    commands.take_reads(session, caller, [_read_batch(message.value) for message in messages])


STREAM_HANDLERS = {TagsRead.topic: on_reads}
