"""Server-sent events of one gate: what it said of each truck that passed. Whoever loses the stream shows *check*."""

from __future__ import annotations

import asyncio
import re
from collections import deque

import msgspec
from aiohttp import web
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.brokers import Message
from chassis.problems import NotFound
from events.logistics import GateJudged
from gateway.streams.limits import Limits
from gateway.streams.listeners import REASONS, SENT, Listener
from services.logistics.warehouses.queries import see_gate

KIND = "gate"
RETRY_MS = 2_000
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    # There is nothing here that a browser would send by itself, so any page may listen that was given a ticket.
    "Access-Control-Allow-Origin": "*",
}
_well_formed_id = re.compile(r"[A-Za-z0-9_.:\-]{1,64}", re.ASCII).fullmatch


class GateStreams:
    """The last verdicts, by which a listener that was cut off goes on where it was."""

    def __init__(self, limits: Limits) -> None:
        self._last: deque[tuple[str, str, bytes]] = deque(maxlen=limits.remembered)

    def remember(self, message: Message) -> tuple[str, bytes]:
        """The gate of a message and the message as it goes to listeners."""
        id = message.headers["ce_id"]
        told = write_sse("gate_judged", message.value, id=id)
        self._last.append((message.key, id, told))
        return message.key, told

    def since(self, gate_id: str, last_id: str) -> list[bytes]:
        """What a gate said after a message, or that it is not known any more what it was."""
        ids = [id for _, id, _ in self._last]
        if last_id not in ids:
            return [write_sse("gap", msgspec.json.encode({"last_event_id": last_id}))]
        later = list(self._last)[ids.index(last_id) + 1 :]
        return [told for gate, _, told in later if gate == gate_id]


def is_judgement(message: Message) -> bool:
    """Whether a message of logistics' topic is what a gate said."""
    return message.headers.get("ce_type") == GateJudged.type


def check_gate(session: Session, gate_id: str, caller: Caller) -> None:
    """Raises NotFound unless the gate is the caller's company's, or the caller its device."""
    if not _well_formed_id(gate_id):
        raise NotFound("no id looks like this")
    see_gate(session, gate_id, caller)
    if caller.device not in (None, gate_id):
        raise NotFound(f"no gate {gate_id!r}")


async def send_verdicts(
    request: web.Request, listener: Listener, first: list[bytes], *, limits: Limits
) -> web.StreamResponse:
    """Write to one listener until it goes away or is dropped, beginning with what it missed."""
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    try:
        async with asyncio.timeout(limits.life_s):
            told = [b"retry: %d\n\n" % RETRY_MS, *first]
            while not listener.reason:
                await _write(response, listener, b"".join(told) or b": ping\n\n", limits.write_s)
                SENT.labels(KIND).inc(len(told))
                told = await listener.next(limits.batch, limits.ping_s)
    except TimeoutError:
        listener.drop("too_old")
    await _say_goodbye(request, response, listener, limits.leave_s)
    return response


async def _write(response: web.StreamResponse, listener: Listener, data: bytes, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await response.write(data)
    except TimeoutError:
        listener.drop("slow")


async def _say_goodbye(request: web.Request, response: web.StreamResponse, listener: Listener, within_s: float) -> None:
    """The reason goes behind what the connection still holds; a reader that does not come for it is cut off."""
    body = msgspec.json.encode({"reason": listener.reason, "detail": REASONS[listener.reason]})
    try:
        async with asyncio.timeout(within_s):
            await response.write(write_sse("dropped", body))
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()


def write_feed(is_live: bool) -> bytes:
    """Whether the platform hears the gates: while it does not, a display shows *check*."""
    return write_sse("feed", msgspec.json.encode({"state": "up" if is_live else "down"}))


def write_sse(event: str, data: bytes, *, id: str = "") -> bytes:
    """One server-sent event; ``data`` is JSON on one line."""
    named = f"id: {id}\n" if id else ""
    return f"{named}event: {event}\ndata: ".encode() + data + b"\n\n"
