"""A process of streams on real sockets: a world's services over HTTP, the embedded broker, and listeners of all kinds."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.serving import make_server

from chassis.access import make_verifier
from chassis.brokers import Broker
from chassis.envelope import Event
from chassis.messages import wrap
from events.logistics import GateJudged
from gateway.streams.app import Streams, serve
from gateway.streams.entrance import redeem_at
from gateway.streams.limits import Limits
from infra.cluster import Cluster
from infra.streams import listen
from tests.brokers.stands import PostgresStand, Stand, make_postgres_name
from tests.world import BEGINNING, Client, World

PATIENCE_S = 20.0


@dataclass
class Heard:
    """One server-sent event, or a comment."""

    event: str
    data: Any = None
    id: str = ""


class Listener:
    """Somebody who opened a stream of server-sent events."""

    def __init__(self, port: int, path: str, *, headers: dict[str, str], receive_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: streams\r\n{lines}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value
        self._buffer = b""

    def body(self) -> Any:
        """The problem of a refusal."""
        return json.loads(self.file.read(int(self.headers["content-length"])))

    def next(self) -> Heard | None:
        """The next event; None at the end of the stream."""
        while b"\n\n" not in self._buffer:
            size = int(self.file.readline() or b"0", 16)
            if not size:
                return None
            self._buffer += self.file.read(size + 2)[:size]
        block, _, self._buffer = self._buffer.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
        if "" in fields or "retry" in fields:
            return Heard("ping" if "" in fields else "retry")
        return Heard(fields["event"], json.loads(fields["data"]), fields.get("id", ""))

    def next_of(self, kind: str) -> Heard:
        """The next event of a kind, whatever comes before it."""
        while (heard := self.next()) is not None:
            if heard.event == kind:
                return heard
        raise AssertionError(f"the stream ended without {kind}")

    def close(self) -> None:
        """Go away."""
        self.file.close()
        self.socket.close()


@dataclass
class Process:
    """The process of streams with what it stands on."""

    world: World
    stand: Stand
    identity_url: str
    port: int = 0
    streams: Streams = field(init=False)
    _listeners: list[Listener] = field(default_factory=list)

    @contextmanager
    def running(self, limits: Limits) -> Iterator[Process]:
        """A process that serves with these limits."""
        broker, database = self.stand.open(), self.world.databases["logistics"]
        verifier = make_verifier(database, self.world.settings("logistics"))
        self.streams = Streams(broker, database, verifier, redeem_at(self.identity_url), limits)
        listener = listen("127.0.0.1", self.port)
        self.port = listener.getsockname()[1]
        told: list[Callable[[], None]] = []

        async def run() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            told.append(lambda: loop.call_soon_threadsafe(stop.set))
            await serve(self.streams, listener, stop)

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        self.await_ready()
        try:
            yield self
        finally:
            told[0]()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def close(self) -> None:
        """Let every listener go."""
        for one in self._listeners:
            one.close()

    def await_ready(self) -> None:
        """Until the process has found the ends of its topics."""
        wait_until(lambda: self.get("/ready")[0] == 200)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body of a plain request; (0, "") when nobody answers."""
        try:
            found = Listener(self.port, path, headers={})
        except OSError:
            return 0, ""
        body = found.file.read(int(found.headers["content-length"]))
        found.close()
        return found.status, body

    def listen(self, path: str, by: Client | None = None, *, receive_bytes: int = 0, **headers: str) -> Listener:
        """Somebody opens a stream."""
        sent = {"Authorization": f"Bearer {by.token}"} if by else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self._listeners.append(Listener(self.port, path, headers=sent, receive_bytes=receive_bytes))
        return self._listeners[-1]

    def say(self, *events: Event, broker: Broker | None = None) -> list[str]:
        """Publish events as logistics' relay would; their ids."""
        messages = [wrap(event, "logistics") for event in events]
        (broker or self.stand.broker).publish(messages)
        return [message.headers["ce_id"] for message in messages]


def wait_until(holds: Callable[[], bool]) -> None:
    """Until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def judged(gate: dict[str, Any], number: int, verdict: str = "release", **changed: Any) -> GateJudged:
    """What a gate says of a truck."""
    return GateJudged(
        gate_id=gate["id"],
        warehouse_id=gate["party_id"],
        passage_id=f"passage_{number}",
        at=BEGINNING,
        verdict=verdict,
        plate="津A·12345",
        **changed,
    )


@pytest.fixture(scope="module")
def broker_database(cluster: Cluster) -> Iterator[str]:
    """A database for the broker."""
    name = make_postgres_name()
    cluster.create_database(name)
    yield name
    cluster.drop_database(name)


@pytest.fixture
def stand(cluster: Cluster, broker_database: str) -> Iterator[Stand]:
    """The broker."""
    stand = PostgresStand(cluster, broker_database)
    yield stand
    stand.close()


@pytest.fixture
def stopped(world: World, stand: Stand) -> Iterator[Process]:
    """Everything but the process itself."""
    server = make_server("127.0.0.1", 0, world.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    process = Process(world, stand, f"http://127.0.0.1:{server.server_port}")
    yield process
    process.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def process(stopped: Process) -> Iterator[Process]:
    """A process of streams with usual limits."""
    with stopped.running(Limits()):
        yield stopped


def admit(world: World, name: str, identifier: str) -> Client:
    """Somebody of a company that the operator admitted."""
    operator = world.client(world.token("operator", party_id="platform", user_id="user_operator", kind="operator"))
    company = {
        "name": name,
        "country": "CN",
        "identifiers": [{"scheme": "lei", "value": identifier}],
        "admin": {"email": f"admin@{name}.example", "name": name},
    }
    party_id = operator.post("/v1/parties", company).ok()["id"]
    token = world.token("warehouse", "reader", party_id=party_id, user_id=f"user_{name}")
    return world.client(token, party_id=party_id)


@pytest.fixture
def warehouse(world: World) -> Client:
    """A warehouse."""
    return admit(world, "warehouse", "213800KUD8LAJWSQ9D15")


@pytest.fixture
def stranger(world: World) -> Client:
    """Another warehouse."""
    return admit(world, "stranger", "529900T8BM49AURSDO55")


@pytest.fixture
def gate(warehouse: Client) -> dict[str, Any]:
    """A gate of the warehouse."""
    return warehouse.post("/v1/gates", {"name": "Gate 3", "place": "Xingang, yard 2"}).ok()
