"""Does a WebSocket tell EPCIS events to who may see them, as they come and by a schedule, as the REST binding says?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import aiohttp
import pytest

from chassis.brokers import Message
from events.logistics import EpcisEventCaptured
from gateway.streams.limits import Limits
from tests.services.logistics_subscriptions.conftest import event
from tests.streams.conftest import PATIENCE_S, Process, wait_until
from tests.world import BEGINNING, Client, World

STREAM = "/epcis/v2/events?stream=true"
SECOND = timedelta(seconds=1)


class Sockets:
    """A client of WebSockets on a loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.session = self.call(self._open_session())

    async def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    def call(self, coroutine: Any) -> Any:
        """What a coroutine comes to."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        return future.result(PATIENCE_S)

    def open(self, process: Process, path: str, by: Client | None = None, **headers: str) -> Socket:
        """A WebSocket. Raises WSServerHandshakeError."""
        sent = {"Authorization": f"Bearer {by.token}"} if by else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connecting = self.session.ws_connect(f"http://127.0.0.1:{process.port}{path}", headers=sent)
        return Socket(self, self.call(connecting))

    def close(self) -> None:
        """End."""
        self.call(self.session.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


class Socket:
    """One open WebSocket."""

    def __init__(self, sockets: Sockets, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.sockets = sockets
        self.connection = connection

    def next(self) -> dict[str, Any]:
        """The results in the next message."""
        message = self.sockets.call(self.connection.receive(PATIENCE_S))
        assert message.type is aiohttp.WSMsgType.TEXT, message
        document = json.loads(message.data)
        assert document["type"] == "EPCISQueryDocument"
        return document["epcisBody"]["queryResults"]

    def serials(self, wanted: int) -> list[int]:
        """The things in so many events."""
        found: list[int] = []
        while len(found) < wanted:
            events = self.next()["resultsBody"]["eventList"]
            found += [int(event["epcList"][0].rpartition("/")[2]) for event in events]
        return found

    def end(self) -> tuple[int, str]:
        """How it ended."""
        message = self.sockets.call(self.connection.receive(PATIENCE_S))
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        return message.data, message.extra

    def say(self, text: str) -> None:
        """Send something."""
        self.sockets.call(self.connection.send_str(text))

    def close(self) -> None:
        """Go away."""
        self.sockets.call(self.connection.close())


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    """WebSockets."""
    made = Sockets()
    yield made
    made.close()


@pytest.fixture
def capture(stopped: Process) -> Callable[..., None]:
    """Captures events over the API, and hands what is said of them to the broker as the relay does."""
    world = stopped.world
    tail = world.broker.follow([EpcisEventCaptured.topic], "test")
    tail.poll(1, 0)

    def run(by: Client, *serials: int, **changed: Any) -> None:
        for serial in serials:
            assert by.post("/epcis/v2/events", event(serial, **changed), key="").status == 201
        world.settle()
        stopped.stand.open().publish(tail.poll(10_000, 0))

    return run


def pad(size: int) -> dict[str, Any]:
    """What makes an event large."""
    context = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"example": "https://example.org/"}]
    return {"@context": context, "example:note": "x" * size}


def name_event(owner: Client, number: int) -> EpcisEventCaptured:
    """News of an event that is not there."""
    return EpcisEventCaptured(
        thing=f"thing_{number}",
        id=f"epcis_{number}",
        owner_id=owner.party_id,
        party_ids=[],
        event_id=f"urn:x:{number}",
        is_error=False,
        event_time=BEGINNING,
        record_time=BEGINNING,
    )


def refused(sockets: Sockets, process: Process, path: str, by: Client | None = None) -> int:
    """The status that a handshake is refused with."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        sockets.open(process, path, by)
    return error.value.status


def test_events_come_as_they_are_captured(
    process: Process, sockets: Sockets, warehouse: Client, capture: Callable[..., None]
) -> None:
    capture(warehouse, 1)
    socket = sockets.open(process, STREAM, warehouse)
    capture(warehouse, 2, 3)
    assert socket.serials(2) == [2, 3]
    capture(warehouse, 4)
    told = socket.next()
    assert told["queryName"] == "SimpleEventQuery"
    (one,) = told["resultsBody"]["eventList"]
    assert one["epcList"] == ["https://id.gs1.org/01/09521321100008/21/4"] and one["recordTime"]
    assert one["eventID"].startswith("ni:///sha-256;")


def test_a_question_may_be_asked_and_a_wrong_one_is_refused(
    process: Process, sockets: Sockets, warehouse: Client, capture: Callable[..., None]
) -> None:
    socket = sockets.open(process, f"{STREAM}&EQ_bizStep=receiving", warehouse)
    capture(warehouse, 1)
    capture(warehouse, 2, bizStep="receiving")
    assert socket.serials(1) == [2]
    for wrong in (
        "/epcis/v2/events", f"{STREAM}&nonsense=1", f"{STREAM}&minute=5", "/epcis/v2/events?minute=61",
        f"{STREAM}&orderBy=eventTime", "/epcis/v2/events?stream=yes", f"{STREAM}&initialRecordTime=yesterday",
    ):  # fmt: skip
        assert refused(sockets, process, wrong, warehouse) == 400


def test_a_refusal_is_said_in_the_words_of_the_standard(process: Process, warehouse: Client) -> None:
    found = process.listen(f"{STREAM}&nonsense=1", warehouse, Upgrade="websocket")
    assert (found.status, found.body()["type"]) == (400, "epcisException:QueryParameterException")
    assert found.headers["gs1-epcis-version"] == "2.0.0"
    assert process.listen(STREAM, warehouse).body()["type"] == "epcisException:NoSuchResourceException"
    assert process.listen(STREAM, Upgrade="websocket").body()["type"] == "epcisException:SecurityException"
    assert process.listen(STREAM, warehouse, Upgrade="websocket", GS1_EPCIS_Min="2.1").status == 406


def test_a_named_query_is_followed_by_its_owner_alone(
    process: Process, sockets: Sockets, warehouse: Client, stranger: Client, capture: Callable[..., None]
) -> None:
    made = warehouse.post("/epcis/v2/queries", {"name": "sold", "query": {"EQ_bizStep": ["retail_selling"]}}, key="")
    assert made.status == 201
    path = "/epcis/v2/queries/sold/events?stream=true"
    assert refused(sockets, process, path, stranger) == 404
    assert refused(sockets, process, f"{path}&EQ_bizStep=shipping", warehouse) == 400
    socket = sockets.open(process, path, warehouse)
    capture(warehouse, 1)
    capture(warehouse, 2, bizStep="retail_selling")
    told = socket.next()
    assert told["queryName"] == "sold"
    assert told["resultsBody"]["eventList"][0]["epcList"][0].endswith("/2")


def test_nobody_hears_what_he_may_not_see(
    process: Process, sockets: Sockets, warehouse: Client, stranger: Client, capture: Callable[..., None]
) -> None:
    theirs = sockets.open(process, STREAM, stranger)
    mine = sockets.open(process, STREAM, warehouse)
    capture(warehouse, 1)
    assert mine.serials(1) == [1]
    capture(stranger, 2)
    assert theirs.serials(1) == [2]


def test_a_ticket_opens_it_once(process: Process, sockets: Sockets, warehouse: Client) -> None:
    ticket = warehouse.post("/v1/tickets", key="").ok()["ticket"]
    assert sockets.open(process, f"{STREAM}&ticket={ticket}")
    assert refused(sockets, process, f"{STREAM}&ticket={ticket}") == 401
    assert refused(sockets, process, STREAM) == 401


def test_what_was_recorded_before_comes_first(
    process: Process, sockets: Sockets, warehouse: Client, world: World, capture: Callable[..., None]
) -> None:
    capture(warehouse, *range(1, 121))
    world.clock.advance(SECOND)
    socket = sockets.open(process, f"{STREAM}&initialRecordTime=2026-03-02T09:00:00+01:00", warehouse)
    assert socket.serials(120) == list(range(1, 121))
    capture(warehouse, 121)
    assert socket.serials(1) == [121]


def test_what_is_captured_while_a_stream_is_opened_is_told(
    process: Process, sockets: Sockets, warehouse: Client, world: World, capture: Callable[..., None]
) -> None:
    """The witness hears it before the other one is a listener at all."""
    witness, look = sockets.open(process, STREAM, warehouse), process.streams.look

    def let_something_happen() -> None:
        capture(warehouse, 1)
        assert witness.serials(1) == [1]
        world.clock.advance(SECOND)

    async def look_late(work: Callable[..., Any]) -> Any:
        asked = await look(work)
        process.streams.look = look
        await asyncio.to_thread(let_something_happen)
        return asked

    process.streams.look = look_late
    assert sockets.open(process, STREAM, warehouse).serials(1) == [1]


def test_a_capture_of_many_events_drops_nobody(
    process: Process, sockets: Sockets, warehouse: Client, capture: Callable[..., None]
) -> None:
    """More than verdicts may wait, and more than are told together: large ones come in several messages."""
    socket = sockets.open(process, STREAM, warehouse)
    process.say(*(name_event(warehouse, number) for number in range(2_000)))
    capture(warehouse, 1, 2, **pad(700_000))
    told = [socket.next()["resultsBody"]["eventList"] for _ in range(2)]
    assert {one["epcList"][0].rpartition("/")[2] for (one,) in told} == {"1", "2"}


def test_a_message_that_cannot_be_read_is_passed_over(
    process: Process, sockets: Sockets, warehouse: Client, capture: Callable[..., None]
) -> None:
    socket = sockets.open(process, STREAM, warehouse)
    process.stand.broker.publish([Message(EpcisEventCaptured.topic, "a", b"{", {"ce_type": EpcisEventCaptured.type})])
    capture(warehouse, 1)
    assert socket.serials(1) == [1]


def test_a_schedule_tells_what_came_since_its_last_run(
    process: Process, sockets: Sockets, warehouse: Client, world: World, capture: Callable[..., None]
) -> None:
    socket = sockets.open(process, "/epcis/v2/events?second=*&reportIfEmpty=true", warehouse)
    is_over = Event()

    def let_time_pass() -> None:
        while not is_over.wait(0.1):
            world.clock.advance(SECOND)

    passing = Thread(target=let_time_pass)
    passing.start()
    try:
        assert socket.next()["resultsBody"]["eventList"] == []
        capture(warehouse, 1, 2)
        assert socket.serials(2) == [1, 2]
        assert [socket.next()["resultsBody"]["eventList"] for _ in range(2)] == [[], []]
    finally:
        is_over.set()
        passing.join()


def test_a_slow_reader_is_dropped(
    stopped: Process, sockets: Sockets, warehouse: Client, capture: Callable[..., None]
) -> None:
    limits = Limits(queue_events=10, send_buffer_bytes=4_096, write_s=0.5, leave_s=0.3, batch=1)
    with stopped.running(limits) as process:
        slow = process.listen(
            STREAM, warehouse, receive_bytes=4_096, Upgrade="websocket", Connection="Upgrade",
            Sec_WebSocket_Version="13", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
        )  # fmt: skip
        assert slow.status == 101
        assert slow.headers["gs1-query-min-record-time"] == "2026-03-02T08:00:00.000Z"
        quick = sockets.open(process, STREAM, warehouse)
        serial = 0
        while len(process.streams.listeners.open) == 2:
            serial += 1
            capture(warehouse, serial, **pad(60_000))
            assert quick.serials(1) == [serial]


def test_nothing_is_to_be_sent(process: Process, sockets: Sockets, warehouse: Client) -> None:
    for said in ("hello", "x" * 10_000):
        socket = sockets.open(process, STREAM, warehouse)
        socket.say(said)
        code, _ = socket.end()
        assert code in (1003, 1009)
    wait_until(lambda: not process.streams.listeners.open)


def test_the_end_of_the_process_is_told(stopped: Process, sockets: Sockets, warehouse: Client) -> None:
    with stopped.running(Limits()) as process:
        socket = sockets.open(process, STREAM, warehouse)
    assert socket.end() == (1001, "stopping: this process stops: open the stream again")


def test_an_outage_of_the_broker_loses_nothing(
    process: Process, sockets: Sockets, warehouse: Client, capture: Callable[..., None]
) -> None:
    socket = sockets.open(process, STREAM, warehouse)
    capture(warehouse, 1)
    assert socket.serials(1) == [1]
    with process.stand.outage():
        wait_until(lambda: process.get("/ready")[0] == 503)
    capture(warehouse, 2)
    assert socket.serials(1) == [2]


def test_who_goes_away_is_forgotten(process: Process, sockets: Sockets, warehouse: Client) -> None:
    socket = sockets.open(process, STREAM, warehouse)
    socket.close()
    wait_until(lambda: not process.streams.listeners.open)


def test_a_gates_device_follows_no_events(process: Process, sockets: Sockets, world: World) -> None:
    device = world.client(world.token("warehouse", party_id="party_1", kind="machine", device="gate_1"))
    assert refused(sockets, process, STREAM, device) == 403
