"""EPCIS events over a WebSocket, as the REST binding says: as they come, or when a schedule says so.

The feed says that an event has come; whether it fits the question and may be seen by who asks is asked of the repository then,
for many events at a time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.brokers import Message
from chassis.database import Database
from chassis.http import Headers
from chassis.problems import Unavailable
from chassis.refusals import DeviceOnly
from events.logistics import EpcisEventCaptured
from gateway.streams.entrance import TICKET
from gateway.streams.limits import Limits
from gateway.streams.listeners import REASONS, SENT, Listener
from services.logistics.epcis.dialect import EPCIS, VERSION_HEADERS, read_format, write_events
from services.logistics.epcis.exceptions import EpcisProblem
from services.logistics.epcis.fields import Event
from services.logistics.epcis.kept import show_kept
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.object_event import write_time
from services.logistics.epcis.query.conditions import Query
from services.logistics.epcis.query.names import read_extensions
from services.logistics.epcis.query.parameters import parse_body, parse_pairs
from services.logistics.epcis.query.queries import list_recorded, load_events, match_events, see_named_query
from services.logistics.epcis.query.refusing import refuse
from services.logistics.epcis.subscriptions.controls import Controls, check_standing, read_control_pairs
from services.logistics.epcis.subscriptions.schedule import find_next
from services.logistics.epcis.translate import EpcFormat

KIND, SCHEDULED = "events", "schedule"
SIMPLE = "SimpleEventQuery"
OVERLAP = timedelta(seconds=60)
"""A transaction may commit this long after the record time of its events; what was told already is left out."""
REMEMBERED_IDS = 10_000
RETRY_S = 1.0
CODES = {"slow": WSCloseCode.TRY_AGAIN_LATER, "access_ended": WSCloseCode.POLICY_VIOLATION}
T = TypeVar("T")
Look = Callable[[Callable[[Session], T]], Awaitable[T]]


class Captured(msgspec.Struct, frozen=True):
    """What of the news is needed here: the event's row, and who may see it."""

    id: str
    owner_id: str
    party_ids: list[str]


class Asked(msgspec.Struct, frozen=True):
    """What a listener wants to hear, and how."""

    caller: Caller
    query: Query
    query_name: str
    controls: Controls
    format: EpcFormat
    opened_at: datetime

    @property
    def kind(self) -> str:
        """Of which kind its listener is: those with a schedule need not be told of each event."""
        return KIND if self.controls.schedule is None else SCHEDULED

    @property
    def since(self) -> datetime:
        """From which record time on events are wanted."""
        return self.controls.initial_record_time or self.opened_at


_decode = msgspec.json.Decoder(Captured).decode


def read_captured(message: Message) -> Captured | None:
    """The event that a message tells of; None for a message that tells of something else."""
    return _decode(message.value) if message.headers.get("ce_type") == EpcisEventCaptured.type else None


def may_concern(caller: Caller, captured: Captured) -> bool:
    """Whether it is worth asking whether a caller may see an event."""
    return caller.is_operator or caller.party_id == captured.owner_id or caller.party_id in captured.party_ids


def read_asked(session: Session, request: web.Request, caller: Caller) -> Asked:
    """What a request asks for. Raises EpcisProblem or DeviceOnly."""
    if caller.device is not None:
        raise DeviceOnly(f"the key of {caller.device} does nothing else")
    now = clock.now()
    pairs = [(name, value) for name, value in request.query.items() if name != TICKET]
    controls, rest = read_control_pairs(pairs, now)
    headers = Headers(list(request.headers.items()))
    if EPCIS.admit is not None:
        EPCIS.admit(headers)
    name = request.match_info.get("query_name")
    if name is None:
        query = parse_pairs(rest, prefixes=read_extensions(headers.get("GS1-Extensions")))
    else:
        for parameter, _ in rest:
            refuse(parameter, "is no parameter here")
        query = parse_body(see_named_query(session, name, caller).query)
    check_standing(query)
    return Asked(caller, query, name or SIMPLE, controls, read_format(headers), now)


async def send_events(
    request: web.Request, listener: Listener, asked: Asked, look: Look, *, limits: Limits
) -> web.StreamResponse:
    """Write to one listener until it goes away, is dropped or is too old."""
    headers = {**dict(VERSION_HEADERS), "GS1-Query-Min-Record-Time": write_time(asked.since)}
    connection = web.WebSocketResponse(heartbeat=limits.ping_s, max_msg_size=limits.received_bytes)
    connection.headers.update(headers)
    await connection.prepare(request)
    telling = _Telling(connection, listener, asked, look, limits)
    tasks = {asyncio.create_task(_hear(connection)), asyncio.create_task(telling.run())}
    try:
        done, _ = await asyncio.wait(tasks, timeout=limits.life_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            listener.drop("too_old")
        for task in done:
            task.result()
    except EpcisProblem as problem:
        await _write(connection, listener, msgspec.json.encode(problem.document()).decode(), limits.leave_s)
        listener.drop("failed")
    finally:
        for task in tasks:
            task.cancel()
    await _say_goodbye(request, connection, listener, limits.leave_s)
    return connection


class _Telling:
    """One listener's events: what was recorded before he came first, then what comes."""

    def __init__(
        self, connection: web.WebSocketResponse, listener: Listener, asked: Asked, look: Look, limits: Limits
    ) -> None:
        self._connection = connection
        self._listener = listener
        self._asked = asked
        self._look = look
        self._limits = limits
        self._told: OrderedDict[str, None] = OrderedDict()

    async def run(self) -> None:
        if self._asked.controls.schedule is not None:
            await self._tell_by_schedule()
        else:
            # Up to now and not to the opening: what came in between may have been told before anybody was listening.
            await self._tell_recorded(self._asked.since, clock.now())
            await self._tell_as_they_come()

    async def _tell_as_they_come(self) -> None:
        while not self._listener.reason:
            if ids := await self._listener.next(self._limits.batch, self._limits.ping_s):
                await self._tell_fitting(ids)

    async def _tell_fitting(self, ids: list[str]) -> None:
        asked = self._asked
        fits = await self._ask(lambda session: match_events(session, asked.query, asked.caller, ids))
        while fits and not self._listener.reason:
            rows = await self._ask(lambda session, fits=fits: load_events(session, fits))
            await self._tell(rows)
            fits = fits[len(rows) :]

    async def _tell_by_schedule(self) -> None:
        since = self._asked.since
        while not self._listener.reason:
            run_at = find_next(self._asked.controls.schedule, clock.now())
            while not self._listener.reason and (left_s := (run_at - clock.now()).total_seconds()) > 0:
                await self._listener.next(1, min(left_s, self._limits.ping_s))
            if self._listener.reason:
                return
            if not await self._tell_recorded(since, run_at) and self._asked.controls.report_if_empty:
                await self._write([])
            since = max(self._asked.since, run_at - OVERLAP)

    async def _tell_recorded(self, since: datetime, until: datetime) -> int:
        """Tell what was recorded within a time and was not told yet; how many events it was."""
        after, told = None, 0
        while since < until and not self._listener.reason:
            rows = await self._ask(lambda session, after=after: self._list(session, since, until, after))
            if not rows:
                break
            after = (rows[-1].record_time, rows[-1].sequence)
            told += await self._tell(rows)
        return told

    def _list(
        self, session: Session, since: datetime, until: datetime, after: tuple[datetime, int] | None
    ) -> list[EpcisEvent]:
        asked = self._asked
        window = {"since": since, "until": until, "after": after, "limit": self._limits.batch}
        return list_recorded(session, asked.query, asked.caller, **window)

    async def _tell(self, rows: Sequence[EpcisEvent]) -> int:
        new = [row for row in rows if row.id not in self._told]
        for row in new:
            self._told[row.id] = None
        while len(self._told) > REMEMBERED_IDS:
            self._told.popitem(last=False)
        if new:
            await self._write(new)
        return len(new)

    async def _write(self, rows: Sequence[EpcisEvent]) -> None:
        shown = await self._ask(lambda session: show_kept(session, rows, self._asked.format))
        if len(shown) < len(rows):  # it was ended meanwhile
            return
        text = await asyncio.to_thread(_write_document, self._asked, shown)
        await _write(self._connection, self._listener, text, self._limits.write_s)
        SENT.labels(self._asked.kind).inc(len(rows))

    async def _ask(self, work: Callable[[Session], list[T]]) -> list[T]:
        """Ask the repository, again and again while it cannot answer: what waits meanwhile is bounded."""
        while not self._listener.reason:
            try:
                return await self._look(work)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
        return []


def _write_document(asked: Asked, events: Sequence[Event]) -> str:
    return write_events(Headers(), events, query_name=asked.query_name).body.decode()


async def _hear(connection: web.WebSocketResponse) -> None:
    """Answer pings and notice the end; whoever says anything else is told that nothing is to be said here."""
    async for message in connection:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await connection.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"nothing is to be sent here")


async def _write(connection: web.WebSocketResponse, listener: Listener, text: str, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await connection.send_str(text)
    except TimeoutError:
        listener.drop("slow")


async def _say_goodbye(
    request: web.Request, connection: web.WebSocketResponse, listener: Listener, within_s: float
) -> None:
    if connection.closed:
        return
    reason = listener.reason or "stopping"
    code = CODES.get(reason, WSCloseCode.GOING_AWAY)
    try:
        async with asyncio.timeout(within_s):
            await connection.close(code=code, message=f"{reason}: {REASONS[reason]}".encode())
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()


def keep_database(database: Database, most: int) -> Look:
    """What looks into the database from the event loop: in threads, as many at a time as there are connections."""
    room = asyncio.Semaphore(most)

    async def look(work: Callable[[Session], T]) -> T:
        async with room:
            return await asyncio.to_thread(database.look, work)

    return look
