"""Is whoever asks the web for a stream told where it is, and everybody else answered as ever?"""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from gateway.streams.pointing import point_to_streams

ASKED = Client(point_to_streams(Response("the web"), "http://127.0.0.1:8081"))
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}


@pytest.mark.parametrize(
    ("path", "headers", "location"),
    [
        ("/v1/streams/gates/gate_1", {}, "http://127.0.0.1:8081/v1/streams/gates/gate_1"),
        ("/v1/streams/gates/gate_1?ticket=a.b", {}, "http://127.0.0.1:8081/v1/streams/gates/gate_1?ticket=a.b"),
        ("/epcis/v2/events?stream=true", UPGRADE, "ws://127.0.0.1:8081/epcis/v2/events?stream=true"),
        ("/epcis/v2/queries/q/events?minute=5", {"Upgrade": "WebSocket"}, "ws://127.0.0.1:8081/epcis/v2/queries/q/events?minute=5"),
    ],
)  # fmt: skip
def test_a_stream_is_pointed_to(path: str, headers: dict[str, str], location: str) -> None:
    answer: Any = ASKED.get(path, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (307, location)
    assert answer.content_type == "application/problem+json" and answer.json["location"] == location


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/epcis/v2/events", {}), ("/v1/streams", {}), ("/v1/offers", UPGRADE), ("/", UPGRADE), ("/v1/streamsx/", {})],
)
def test_anything_else_is_answered(path: str, headers: dict[str, str]) -> None:
    assert ASKED.get(path, headers=headers).text == "the web"
