"""The process of streams as an aiohttp application: its routes, who may open them, and its end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec
import structlog
from aiohttp import web

from chassis.auth import AccessEnded, Verifier
from chassis.brokers import Broker, Message
from chassis.database import Database
from chassis.metrics import write_metrics
from chassis.problems import NotFound, Problem
from chassis.refusals import BadRequest, InternalError, MethodNotAllowed, NoRoute, write_refusal
from chassis.telemetry import Trace
from chassis.wire import HOUSE_DIALECT
from events.logistics import EpcisEventCaptured, GateJudged
from gateway.readiness import Readiness
from gateway.streams import events, gates
from gateway.streams.entrance import ASKED_AT_ONCE, Redeem, find_caller
from gateway.streams.feed import Feed
from gateway.streams.limits import Limits
from gateway.streams.listeners import Listeners
from services.logistics.epcis.dialect import EPCIS

SERVICE = "streams"
TOPICS = (GateJudged.topic, EpcisEventCaptured.topic)
LOOKS, GATE_LOOKS = 3, 1
"""Connections to the database: a question about events that takes long keeps no gate's display from being opened."""
THREADS = LOOKS + GATE_LOOKS + ASKED_AT_ONCE + 4
"""While all those wait for others, four are left for what waits for nobody: tokens to check, documents to write."""
log = structlog.get_logger(__name__)


@dataclass
class Streams:
    """One process of streams. ``database`` is that of logistics, and is only looked into."""

    broker: Broker
    database: Database
    verifier: Verifier
    redeem: Redeem
    limits: Limits = field(default_factory=Limits)
    member: str = SERVICE

    def __post_init__(self) -> None:
        self.listeners = Listeners(self.limits)
        self.gates = gates.GateStreams(self.limits)
        self.look = events.keep_database(self.database, LOOKS)
        self.look_at_gates = events.keep_database(self.database, GATE_LOOKS)
        self.room = asyncio.Semaphore(ASKED_AT_ONCE)
        self.is_heard = False
        self.feed = Feed(self.broker, TOPICS, self.member, take=self.take, tell=self.tell)

    def take(self, messages: list[Message]) -> None:
        """Give each listener what is for him. A message that cannot be read is passed over, as every other follower may read it."""
        self.tell(True)
        for message in messages:
            try:
                self._give(message)
            except Exception:
                log.exception("bug")

    def _give(self, message: Message) -> None:
        if gates.is_judgement(message):
            gate_id, told = self.gates.remember(message)
            for listener in self.listeners.of(gates.KIND, gate_id):
                listener.offer(told)
        elif (following := self.listeners.of(events.KIND)) and (captured := events.read_captured(message)):
            for listener in following:
                if events.may_concern(listener.caller, captured):
                    listener.offer(captured.id)

    def tell(self, is_heard: bool) -> None:
        """Let displays know that verdicts may be missing, or that they come again."""
        if is_heard != self.is_heard:
            self.is_heard = is_heard
            for listener in self.listeners.of(gates.KIND):
                listener.offer(gates.write_feed(is_heard))

    def readiness(self) -> Readiness:
        """As a service tells it of its loops."""
        said = self.feed.problem() or "ok"
        return Readiness(SERVICE, said == "ok", None, {"feed": said})

    async def open_gate(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/streams/gates/{gate_id}``."""
        caller = await find_caller(request, self.verifier, self.redeem, self.room)
        gate_id = request.match_info["gate_id"]
        await self.look_at_gates(lambda session: gates.check_gate(session, gate_id, caller))
        limit_send_buffer(request, self.limits.send_buffer_bytes)
        with self.listeners.joined(caller, gates.KIND, gate_id, queue=self.limits.queue) as listener:
            last_id = request.headers.get("Last-Event-ID") or request.query.get("last_event_id")
            missed = self.gates.since(gate_id, last_id) if last_id else []
            first = [gates.write_feed(self.is_heard), *missed]
            return await gates.send_verdicts(request, listener, first, limits=self.limits)

    async def open_events(self, request: web.Request) -> web.StreamResponse:
        """``GET /epcis/v2/events`` and ``GET /epcis/v2/queries/{query_name}/events`` with ``Upgrade: websocket``."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise NotFound("over this address there are WebSockets alone")
        caller = await find_caller(request, self.verifier, self.redeem, self.room)
        asked = await self.look(lambda session: events.read_asked(session, request, caller))
        limit_send_buffer(request, self.limits.send_buffer_bytes)
        with self.listeners.joined(caller, asked.kind, queue=self.limits.queue_events) as listener:
            return await events.send_events(request, listener, asked, self.look, limits=self.limits)

    async def recheck(self) -> None:
        """End the streams of those who may no longer act, and notice a feed that hangs."""
        while True:
            await asyncio.sleep(self.limits.recheck_s)
            self.tell(not self.feed.problem())
            await asyncio.to_thread(self.verifier.refresh)
            for listener in list(self.listeners.open):
                try:
                    self.verifier.check_access(listener.caller)
                except AccessEnded:
                    listener.drop("access_ended")


def make_app(streams: Streams) -> web.Application:
    """The routes of one process."""
    app = web.Application(middlewares=[answer_problems], client_max_size=0)

    async def tell_health(_request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def tell_readiness(_request: web.Request) -> web.Response:
        found = streams.readiness()
        return _json({"ready": found.ready, "services": [found]}, 200 if found.ready else 503)

    async def tell_metrics(_request: web.Request) -> web.Response:
        page, media_type = await asyncio.to_thread(write_metrics)
        return web.Response(body=page, headers={"Content-Type": media_type})

    app.router.add_get("/health", tell_health)
    app.router.add_get("/ready", tell_readiness)
    app.router.add_get("/metrics", tell_metrics)
    app.router.add_get("/v1/streams/gates/{gate_id}", streams.open_gate, allow_head=False)
    app.router.add_get(f"{EPCIS.prefix}/events", streams.open_events, allow_head=False)
    app.router.add_get(f"{EPCIS.prefix}/queries/{{query_name}}/events", streams.open_events, allow_head=False)
    return app


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what is raised before a stream has begun into a problem document."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        problem: Problem = NoRoute()
    except web.HTTPMethodNotAllowed:
        problem = MethodNotAllowed()
    except web.HTTPException as error:
        problem = BadRequest(error.text or error.reason)
    except Problem as raised:
        problem = raised
    except ConnectionError:
        raise
    except Exception:
        log.exception("bug")
        problem = InternalError()
    trace = Trace(request.headers.get("X-Request-Id"), None)
    dialect = EPCIS if request.path.startswith(f"{EPCIS.prefix}/") else HOUSE_DIALECT
    status, headers, body = write_refusal(problem, dialect, trace.request_id, request.headers.get("Accept", ""))
    return web.Response(status=status, body=body, headers=[*headers, ("X-Request-Id", trace.request_id)])


def limit_send_buffer(request: web.Request, size: int) -> None:
    """What the kernel holds for a reader that is slow; beyond it he is found to be."""
    if request.transport is not None and (connection := request.transport.get_extra_info("socket")) is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)


async def serve(streams: Streams, listener: socket.socket, told_to_stop: asyncio.Event) -> None:
    """Serve on a listening socket until told to stop; then tell every listener to come again, and close."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, SERVICE))
    streams.feed.start(loop)
    checking = asyncio.create_task(streams.recheck())
    patience_s = streams.limits.leave_s
    runner = web.AppRunner(make_app(streams), access_log=None, handler_cancellation=True, shutdown_timeout=patience_s)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    await told_to_stop.wait()
    streams.listeners.drop_all("stopping")
    checking.cancel()
    await runner.cleanup()
    await streams.feed.stop()


def _json(answer: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")
