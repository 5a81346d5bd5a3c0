"""LLRP's frames: the ten-byte header of a message (LLRP 1.1, section 17.1.1) and the stream that they come in.

What a reader may make us hold is bounded: a message of more than ``MOST_MESSAGE_BYTES`` is refused at its header.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

HEADER = struct.Struct(">HII")
MOST_MESSAGE_BYTES = 1 << 20
VERSIONS = (1, 2)
"""The version field of LLRP 1.0.1, and of 1.1."""


class Malformed(ValueError):
    """Bytes that are not LLRP."""


class Frame(msgspec.Struct, frozen=True):
    """A message with its body still unread."""

    version: int
    type: int
    id: int
    body: bytes


def write_frame(frame: Frame) -> bytes:
    """A frame as it goes over the wire."""
    head = HEADER.pack(frame.version << 10 | frame.type, HEADER.size + len(frame.body), frame.id)
    return head + frame.body


class Frames:
    """Puts the bytes of a connection together into frames; holds at most one message and what was fed last."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises Malformed at a header that cannot be: the connection is of no more use."""
        self._held += data
        at, held = 0, self._held
        try:
            while len(held) - at >= HEADER.size:
                kind, length, id = HEADER.unpack_from(held, at)
                _check_header(kind >> 10, length)
                if len(held) - at < length:
                    return
                body = bytes(held[at + HEADER.size : at + length])
                at += length
                yield Frame(kind >> 10 & 7, kind & 0x3FF, id, body)
        finally:
            del held[:at]


def _check_header(version: int, length: int) -> None:
    if version & 7 not in VERSIONS or version >> 3:
        raise Malformed(f"{version} is no version of LLRP")
    if not HEADER.size <= length <= MOST_MESSAGE_BYTES:
        raise Malformed(f"a message of {length} bytes is not taken")
