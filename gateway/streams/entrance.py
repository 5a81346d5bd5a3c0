"""Who asks for a stream: a bearer token in the header, or a ticket in the address where a browser can send no header."""

from __future__ import annotations

import asyncio
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException

import msgspec
from aiohttp import web

from chassis.auth import Caller, NotSignedIn, Verifier
from chassis.problems import Unauthorized, Unavailable

TICKET = "ticket"
ASKED_AT_ONCE = 2
"""Tickets that identity is asked about at a time: who comes with made-up ones keeps neither it nor our threads busy."""
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 16 * 1024
Redeem = Callable[[str], Caller]
_looks_like_one = re.compile(r"[A-Za-z0-9_\-]{1,100}\.[A-Za-z0-9_\-]{43}", re.ASCII).fullmatch


class TicketRefused(Unauthorized):
    """The ticket is unknown, was used, or is past its end."""


class TicketsAway(Unavailable):
    """Nobody can say for now whether the ticket is a good one."""


async def find_caller(request: web.Request, verifier: Verifier, redeem: Redeem, room: asyncio.Semaphore) -> Caller:
    """The caller of a request; ``room`` has ASKED_AT_ONCE places.

    Raises Unauthorized, or Unavailable when identity cannot be asked.
    """
    ticket = request.query.get(TICKET)
    if ticket is None:
        return await asyncio.to_thread(verifier.caller, request.headers.get("Authorization"))
    if "Authorization" in request.headers:
        raise NotSignedIn("send a token or a ticket, not both")
    if not _looks_like_one(ticket):
        raise TicketRefused()
    caller = await _ask(redeem, ticket, room)
    await asyncio.to_thread(verifier.refresh)
    verifier.check_access(caller)
    return caller


async def _ask(redeem: Redeem, ticket: str, room: asyncio.Semaphore) -> Caller:
    try:
        await asyncio.wait_for(room.acquire(), TIMEOUT_S)
    except TimeoutError:
        raise TicketsAway("too many tickets wait to be looked at") from None
    try:
        return await asyncio.to_thread(redeem, ticket)
    finally:
        room.release()


class _Bearer(msgspec.Struct):
    user_id: str
    party_id: str
    roles: frozenset[str]
    kind: str


def redeem_at(identity_url: str) -> Redeem:
    """Takes tickets to identity, where each is good once."""

    def redeem(ticket: str) -> Caller:
        body = msgspec.json.encode({"ticket": ticket})
        asked = urllib.request.Request(
            f"{identity_url}/v1/tickets/redeem", body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
                bearer = msgspec.json.decode(answer.read(MAX_ANSWER_BYTES), type=_Bearer)
        except urllib.error.HTTPError as refused:
            if refused.code in (401, 422):
                raise TicketRefused() from None
            raise TicketsAway(f"identity answered {refused.code}") from None
        except (OSError, HTTPException, msgspec.DecodeError):
            raise TicketsAway() from None
        return Caller(bearer.user_id, bearer.party_id, bearer.roles, bearer.kind)

    return redeem
