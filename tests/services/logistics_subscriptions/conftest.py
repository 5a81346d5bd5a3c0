"""Subscribers: a receiver on a real socket that answers as it is told, and companies that capture and subscribe."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.world import Answer, Client, World

PATH = "/epcis/v2/queries/all/subscriptions"


@dataclass
class Push:
    """What the receiver was sent."""

    path: str
    headers: dict[str, str]
    raw: bytes
    body: Any = field(init=False)

    def __post_init__(self) -> None:
        self.body = json.loads(self.raw)

    @property
    def results(self) -> dict[str, Any]:
        """The query's results."""
        return self.body["epcisBody"]["queryResults"]

    @property
    def serials(self) -> list[int]:
        """The serial numbers of the things in its events, in order."""
        events = self.results["resultsBody"]["eventList"]
        return [int(event["epcList"][0].rpartition("/")[2]) for event in events]


class Receiver:
    """A web server; ``answers`` are used up one a push: a status, or what is called with the handler. 200 after them."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.pushes.append(Push(self.path, {k.lower(): v for k, v in self.headers.items()}, raw))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def serials(self) -> list[list[int]]:
        """What each push held."""
        return [push.serials for push in self.pushes]

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()


def redirect(url: str, status: int = 307) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that sends on."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def drip(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer of one byte after another, never complete."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        until = time.monotonic() + seconds
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while time.monotonic() < until:
            try:
                handler.wfile.write(b"x")
            except OSError:
                return
            time.sleep(0.05)

    return answer


@dataclass
class Company:
    """A company that captures events, asks and subscribes."""

    client: Client

    @property
    def world(self) -> World:
        """Where it lives."""
        return self.client.world

    def wait(self, **time: float) -> None:
        """Let time pass, with all that it makes due; tokens are got anew."""
        self.world.advance(timedelta(**time))
        self.client.token = token_of(self.world, self.client.name)

    def capture(self, *serials: int, **changed: Any) -> None:
        """Capture one event a serial number."""
        for serial in serials:
            assert self.client.post("/epcis/v2/events", event(serial, **changed), key="").status == 201

    def name_query(self, name: str = "all", **query: Any) -> None:
        """Keep a query."""
        kept = self.client.post(
            "/epcis/v2/queries", {"name": name, "query": query or {"eventType": ["ObjectEvent"]}}, key=""
        )
        assert kept.status == 201, kept.body

    def try_to_subscribe(self, dest: str, *, query: str = "all", **controls: Any) -> Answer:
        """Subscribe, by default to a stream."""
        body = {"dest": dest, **(controls or {"stream": True})}
        return self.client.post(f"/epcis/v2/queries/{query}/subscriptions", body, key="")

    def subscribe(self, dest: str, **controls: Any) -> dict[str, Any]:
        """A subscription."""
        return self.try_to_subscribe(dest, **controls).ok()

    def show(self, subscription: dict[str, Any]) -> dict[str, Any]:
        """How a subscription stands."""
        return self.client.get(f"{PATH}/{subscription['subscriptionID']}").ok()


def event(serial: int, **changed: Any) -> dict[str, Any]:
    """An ObjectEvent about one thing."""
    return {
        "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T07:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [f"https://id.gs1.org/01/09521321100008/21/{serial}"],
        "action": "OBSERVE",
        "bizStep": "shipping",
        **changed,
    }


def admit(world: World, name: str) -> Company:
    """A company that the operator admitted, so that others can share with it."""
    operator = world.client(world.token("operator", party_id="platform", user_id="user_operator", kind="operator"))
    said = {
        "name": name,
        "country": "CN",
        "identifiers": [{"scheme": "lei", "value": "529900T8BM49AURSDO55"}],
        "admin": {"email": f"admin@{name}.example", "name": name},
    }
    party_id = operator.post("/v1/parties", said).ok()["id"]
    world.settle()
    token = world.token("warehouse", "seller", "admin", "reader", party_id=party_id, user_id=f"user_{name}")
    return Company(world.client(token, name=name, party_id=party_id))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A subscriber's server."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    """A world whose webhooks may go to this machine."""
    world.webhooks_private = True
    world.start(world.broker)
    yield world
    world.webhooks_private = False


def token_of(world: World, name: str) -> str:
    """A token of somebody of a company."""
    return world.token("warehouse", "seller", "admin", "reader", party_id=f"party_{name}", user_id=f"user_{name}")


def found_company(world: World, name: str) -> Company:
    """A company with a token of its own."""
    return Company(world.client(token_of(world, name), name=name))


@pytest.fixture
def company(open_world: World) -> Company:
    """A company with a query by the name of ``all``."""
    made = found_company(open_world, "one")
    made.name_query()
    return made
