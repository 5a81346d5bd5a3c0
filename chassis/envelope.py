"""The CloudEvents 1.0 envelope: what an event is, and how it travels as headers and bytes.

An event class is declared in ``events/<speaker>.py`` with its wire name written out. On the wire it is CloudEvents in binary
mode (Kafka protocol binding 1.0.2): attributes are headers ``ce_…``, the fields are a JSON object.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from chassis.values import write_wire

_json = msgspec.json.Encoder(enc_hook=write_wire)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, past tense, versioned, told to others.

    ``type`` is the wire name ``speaker.snake_case.vN``. The topic is the speaker's name and the message key the first field,
    unless a class says otherwise.
    """

    type: ClassVar[str]
    topic: ClassVar[str]
    key: ClassVar[str]

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "type" in cls.__dict__ and "topic" not in cls.__dict__:
            cls.topic = cls.type.partition(".")[0]
        if "key" not in cls.__dict__ and cls.__annotations__:
            cls.key = next(name for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind))

    @property
    def subject(self) -> str:
        """The id of what the event is about: the message key."""
        return getattr(self, type(self).key)

    def encode(self) -> bytes:
        """The fields as a JSON object, UTF-8; decimals as strings."""
        return _json.encode(self)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The context attributes of one message: who said it, when, about what, and on whose request."""

    id: str
    type: str
    source: str
    time: datetime
    subject: str
    request_id: str | None = None
    traceparent: str | None = None

    def headers(self) -> dict[str, str]:
        """Binary-mode headers; absent attributes are left out."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_time": self.time.isoformat(),
            "ce_subject": self.subject,
            "content-type": "application/json",
        }
        if self.request_id:
            headers["ce_requestid"] = self.request_id
        if self.traceparent:
            headers["ce_traceparent"] = self.traceparent
        return headers


def read_envelope(headers: dict[str, str]) -> Envelope:
    """The attributes from binary-mode headers. Raises KeyError or ValueError when one that must be there is missing or odd."""
    return Envelope(
        id=headers["ce_id"],
        type=headers["ce_type"],
        source=headers["ce_source"],
        time=datetime.fromisoformat(headers["ce_time"]),
        subject=headers["ce_subject"],
        request_id=headers.get("ce_requestid"),
        traceparent=headers.get("ce_traceparent"),
    )
