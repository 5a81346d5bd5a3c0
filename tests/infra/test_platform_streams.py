"""Streams of the running platform: found from its own port, opened with a ticket, and there again after kill -9."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websocket import create_connection

from chassis.brokers.opening import open_broker
from chassis.messages import wrap
from events.logistics import GateJudged
from infra.cluster import Cluster
from infra.environment import platform_environment
from infra.folder import DataFolder
from tests.infra.place import Place, free_port, wait_until

pytestmark = pytest.mark.xdist_group("platform")


class Desk:
    """Somebody of the warehouse of the demo."""

    def __init__(self, up: Place) -> None:
        self.up = up
        samples = json.loads((up.data / "sample.json").read_text())
        who = [user for user in samples["users"] if self._sign_in(user) and self.gates()]
        assert who, "a company of the demo has a gate"
        self._sign_in(who[0])

    def _sign_in(self, user: dict[str, Any]) -> bool:
        self.token = ""
        told = {"email": user["email"], "password": user["password"]}
        self.token = self.ask("POST", "/v1/sessions", told)["access_token"]
        return True

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of a route; empty for a refusal."""
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        raw = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.up.url + path, raw, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError:
            return {}

    def gates(self) -> list[dict[str, Any]]:
        """The gates of the company."""
        return self.ask("GET", "/v1/gates").get("items", [])

    def ticket(self) -> str:
        """A ticket."""
        return self.ask("POST", "/v1/tickets")["ticket"]


@contextmanager
def listening(url: str, last_id: str = "") -> Iterator[Iterator[dict[str, str]]]:
    """The events of a stream of server-sent events."""
    asked = urllib.request.Request(url, headers={"Last-Event-ID": last_id} if last_id else {})
    with urllib.request.urlopen(asked, timeout=30) as answer:

        def read() -> Iterator[dict[str, str]]:
            fields: dict[str, str] = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "event" in fields:
                    yield fields
                    fields = {}

        yield read()


def say(up: Place, gate: dict[str, Any], passage_id: str) -> str:
    """What a gate says, as the relay of logistics publishes it."""
    broker = open_broker(platform_environment(DataFolder(up.data), Cluster(up.data), port=up.port)["HAIHE_BROKER"])
    judged = GateJudged(
        gate_id=gate["id"], warehouse_id=gate["party_id"], passage_id=passage_id, at=datetime.now(UTC), verdict="stop"
    )
    message = wrap(judged, "logistics")
    broker.publish([message])
    broker.close()
    return message.headers["ce_id"]


def test_a_display_finds_its_stream_and_hears_its_gate_also_after_kill_9(up: Place) -> None:
    desk = Desk(up)
    (gate, *_) = desk.gates()
    path = f"/v1/streams/gates/{gate['id']}"
    with listening(f"{up.url}{path}?ticket={desk.ticket()}") as events:
        assert json.loads(next(events)["data"]) == {"state": "up"}
        first = say(up, gate, "passage_1")
        heard = next(events)
        assert (heard["event"], heard["id"]) == ("gate_judged", first)
        assert json.loads(heard["data"])["passage_id"] == "passage_1"
        before = up.pid("streams")
        os.kill(before, signal.SIGKILL)
        with pytest.raises(StopIteration):
            next(events)
    wait_until(lambda: up.restarted("streams", before), "the streams to come back")
    with listening(f"{up.url}{path}?ticket={desk.ticket()}", last_id=first) as events:
        assert next(events)["event"] == "feed"
        assert next(events)["event"] == "gap"
        say(up, gate, "passage_2")
        assert json.loads(next(events)["data"])["passage_id"] == "passage_2"


def test_a_websocket_is_sent_on_and_hears_what_is_captured(up: Place) -> None:
    desk = Desk(up)
    path = f"/epcis/v2/events?stream=true&ticket={desk.ticket()}"
    asked = HTTPConnection("127.0.0.1", up.port, timeout=10)
    asked.request("GET", path, headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    sent_on = asked.getresponse()
    streams = DataFolder(up.data).read_state()["streams"]
    assert (sent_on.status, sent_on.headers["Location"]) == (307, streams.replace("http", "ws") + path)
    asked.close()
    socket = create_connection(f"ws://127.0.0.1:{up.port}{path}", timeout=30)
    event = {
        "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T07:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [f"https://id.gs1.org/01/09521321100008/21/{time.time_ns()}"],
        "action": "OBSERVE",
        "bizStep": "storing",
    }
    assert desk.ask("POST", "/epcis/v2/events", event)
    told = json.loads(socket.recv())
    (heard,) = told["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert heard["epcList"] == event["epcList"]
    socket.close()


def test_a_port_for_streams_that_is_taken_is_named(up: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", free_port())
    refused = other.haihe("up", "--streams-port", str(up.port))
    assert refused.code == 3 and "--streams-port" in refused.err
    assert not (other.data / "postgres").exists()
