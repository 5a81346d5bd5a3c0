"""Carries the calls of a journey over a Locust client and tells Locust what became of each.

A request is named by its route, so that figures group. A refusal that belongs to trading is counted under a name of
its own, apart from errors; every other answer of 400 or more is an error.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from loadtests.journeys.refusals import is_expected

REFUSED = "REFUSED"
_WORDS = frozenset({
    "compare", "dscsa", "equivalents", "export", "fields", "file", "files", "fmd", "forgotten", "fsma-204", "imports", "logout",
    "picture", "redeem", "refresh", "retire", "suggest", "table", "try", "versions",
})  # fmt: skip


class ConnectionLost(ConnectionError):
    """No answer came; the same request may be sent again, for every command carries its key."""


def route_of(path: str) -> str:
    """The route of a path, without its query: every second part after the noun is an id, but for a few words."""
    parts = urlsplit(path).path.split("/")
    return "/".join("{id}" if n >= 3 and n % 2 and part not in _WORDS else part for n, part in enumerate(parts))


class LocustCarrier:
    """Sends over the client of a FastHttpUser; a request without an answer is an error, and is sent once more."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        try:
            return self._send(method, path, headers, body)
        except ConnectionLost:
            return self._send(method, path, headers, body)

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        route = route_of(path)
        sent = self.client.request(method, path, name=route, data=body, headers=headers, catch_response=True)
        with sent as response:
            status, answer = response.status_code, read_answer(response)
            if status >= 400:
                _judge(response, method, route, status, answer)
        if not status:
            raise ConnectionLost(f"{method} {route}: {response.error!r}")
        return status, answer


def read_answer(response: Any) -> Any:
    """The JSON of an answer, or its bytes."""
    raw, media_type = response.content, (response.headers or {}).get("Content-Type") or ""
    return json.loads(raw) if raw and "json" in media_type else raw


def _judge(response: Any, method: str, route: str, status: int, answer: Any) -> None:
    said = answer if isinstance(answer, dict) else {}
    problem = str(said.get("type", "")).removeprefix("urn:haihe:problem:")
    if is_expected(method, route, problem):
        response.request_meta |= {"request_type": REFUSED, "name": f"{method} {route}: {problem}"}
        response.success()
    else:
        response.failure(f"{status} {problem or 'without a problem'}: {said.get('detail', '')}"[:200])
