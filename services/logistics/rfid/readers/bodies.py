"""What gateways send, and what it says: the platform's own body, Impinj's IoT device interface, Zebra's IoT Connector.

The two vendors' bodies are read by those fields alone that are needed here:

- Impinj R700: ``{"timestamp", "eventType": "tagInventory", "tagInventoryEvent": {"epcHex" or "epc" (base64url), "antennaPort",
  "peakRssiCdbm", "lastSeenTime"}}``, one or a list.
- Zebra FX7500 and FX9600: ``{"timestamp", "type", "data": {"idHex", "antenna", "peakRssi", "eventNum", "reads"}}``, one or a list.

Their other events (antennas, GPIO, heartbeats) are passed over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chassis.http import Body, Instant
from chassis.problems import Invalid
from chassis.values import Identifier

MOST_READS = 1_000
MOST_BYTES = 1 << 20
"""Of a batch, unpacked."""
Epc = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{4}){1,31}(?![\s\S])")]
Sequence = Annotated[int, Meta(ge=0, le=2**63 - 1)]
UNKNOWN_RSSI_DBM = -120.0
VENDOR = "vendor"
"""The boot of what came in a vendor's form: it says neither when it was sent nor that all was told before it."""


class BatchInvalid(Invalid):
    """What a gateway sent is none of the forms that are understood."""


class ReadTag(Body):
    """One sight of one tag: the EPC in hex digits (words of four), the antenna, the signal in dBm and the reader's time."""

    sequence: Sequence
    epc: Epc
    antenna: Annotated[int, Meta(ge=0, le=65_535)]
    rssi_dbm: Annotated[float, Meta(ge=-200, le=100)]
    at: Instant
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class SeeEdge(Body):
    """An input (photo-eye, switch) that went high or low, by the reader's time."""

    port: Annotated[int, Meta(ge=0, le=255)]
    is_high: bool
    at: Instant


class PostReads(Body):
    """A batch of reads. A read is known by ``boot`` and ``sequence``: sent again it counts once.

    A reader that begins to count anew after a restart says so by another ``boot``. ``sent_at`` is the reader's clock when it
    sent this: with it the platform corrects the reader's times.
    """

    reads: Annotated[list[ReadTag], Meta(min_length=1, max_length=MOST_READS)]
    boot: Identifier = "0"
    reader_id: Identifier | None = None
    sent_at: Instant | None = None
    edges: Annotated[list[SeeEdge], Meta(max_length=MOST_READS)] = []


class ReaderBatch(PostReads):
    """A batch of a reader that is registered. An empty one says that the reader lives."""

    reads: Annotated[list[ReadTag], Meta(max_length=MOST_READS)]


_read_own = msgspec.json.Decoder(ReaderBatch).decode
_read_any = msgspec.json.Decoder().decode
_well_formed_epc = re.compile(r"([0-9A-Fa-f]{4}){1,31}", re.ASCII).fullmatch


def unpack(raw: bytes, encoding: str) -> bytes:
    """A body as it was before gzip. Raises BatchInvalid: also when it is larger than ``MOST_BYTES``, whatever it says."""
    if encoding in ("", "identity"):
        return raw
    if encoding != "gzip":
        raise BatchInvalid("send it plain or as gzip", field="Content-Encoding")
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = unzip.decompress(raw, MOST_BYTES)
    except zlib.error:
        raise BatchInvalid("this is not gzip", field="$") from None
    if unzip.unconsumed_tail or unzip.unused_data or not unzip.eof:
        raise BatchInvalid(f"at most {MOST_BYTES} bytes are taken, whole and in one piece", field="$")
    return plain


def read_batch(plain: bytes) -> ReaderBatch:
    """What a gateway sent, as our own batch. Raises BatchInvalid."""
    try:
        told = _read_any(plain)
        if isinstance(told, dict) and "reads" in told:
            return _read_own(plain)
        events = told if isinstance(told, list) else [told]
        if len(events) > MOST_READS:
            raise BatchInvalid(f"at most {MOST_READS} events are taken", field="$")
        reads = [read for place, event in enumerate(events) if (read := _read_event(event, place)) is not None]
    except msgspec.ValidationError as error:
        raise BatchInvalid(str(error), field="$") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BatchInvalid("this is not JSON", field="$") from None
    return ReaderBatch(reads=reads, boot=VENDOR)


def _read_event(event: Any, place: int) -> ReadTag | None:
    if not isinstance(event, dict):
        raise BatchInvalid("an event is an object", field=f"$[{place}]")
    try:
        if isinstance(told := event.get("tagInventoryEvent"), dict):
            return _read_impinj(event, told)
        if isinstance(told := event.get("data"), dict) and "idHex" in told:
            return _read_zebra(event, told)
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise BatchInvalid(f"an event of a reader is not as it should be: {error!r}", field=f"$[{place}]") from None
    if "eventType" in event or "type" in event:
        return None
    raise BatchInvalid("neither our own batch nor one of Impinj's or Zebra's", field=f"$[{place}]")


def _read_impinj(event: dict[str, Any], told: dict[str, Any]) -> ReadTag:
    epc = told.get("epcHex") or base64.b64decode(str(told["epc"]), altchars=b"-_", validate=True).hex()
    rssi = told.get("peakRssiCdbm")
    return _make_read(
        epc=epc,
        antenna=told.get("antennaPort", 0),
        rssi_dbm=UNKNOWN_RSSI_DBM if rssi is None else int(rssi) / 100,
        at=told.get("lastSeenTime") or event["timestamp"],
        number="",
    )


def _read_zebra(event: dict[str, Any], told: dict[str, Any]) -> ReadTag:
    rssi = told.get("peakRssi")
    return _make_read(
        epc=told["idHex"],
        antenna=told.get("antenna", 0),
        rssi_dbm=UNKNOWN_RSSI_DBM if rssi is None else float(rssi),
        at=event["timestamp"],
        number=str(told.get("eventNum", "")),
        count=told.get("reads", 1),
    )


def _make_read(*, epc: Any, antenna: Any, rssi_dbm: float, at: Any, number: str, count: Any = 1) -> ReadTag:
    """A read that the vendor gives no number of its own: antenna, EPC and time name it (RFID.md 4.1)."""
    if not isinstance(epc, str) or not _well_formed_epc(epc):
        raise ValueError("the EPC is not in hex digits")
    seen_at = _read_time(at)
    named = f"{antenna}|{epc.upper()}|{seen_at.isoformat()}|{number}".encode()
    sequence = int.from_bytes(hashlib.blake2b(named, digest_size=8).digest()) & (2**63 - 1)
    read = {"sequence": sequence, "epc": epc, "antenna": antenna, "rssi_dbm": rssi_dbm, "count": count}
    return msgspec.convert({**read, "at": seen_at}, ReadTag)


def _read_time(told: Any) -> datetime:
    """RFC 3339, or as Zebra writes it, with an offset without its colon. Without any it is UTC."""
    at = datetime.fromisoformat(str(told))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
