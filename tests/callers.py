"""Who calls the public API in a test, and what they are answered."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client as WerkzeugClient

if TYPE_CHECKING:
    from tests.world import World


@dataclass
class Answer:
    """What a route answered."""

    status: int
    body: Any
    headers: dict[str, str] = field(repr=False, default_factory=dict)

    def ok(self) -> Any:
        """The body of a success; fails the test with the problem otherwise."""
        assert 200 <= self.status < 300, f"{self.status}: {self.body}"
        return self.body

    def problem(self) -> str:
        """The short name of the problem; fails the test when there was none."""
        assert self.status >= 400, f"{self.status}: {self.body}"
        return self.body["type"].removeprefix("urn:haihe:problem:")


class Client:
    """Somebody who calls the public API, with a token or without."""

    _keys = itertools.count(1)

    def __init__(self, world: World, token: str | None = None, **known: Any) -> None:
        self.world = world
        self.token = token
        self.known = known

    def __getattr__(self, name: str) -> Any:
        try:
            return self.known[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, path: str, **params: Any) -> Answer:
        """Ask a query."""
        return self.send("GET", path, params={name: value for name, value in params.items() if value is not None})

    def post(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> Answer:
        """Give a command, under a fresh idempotency key unless one is named ("" sends none)."""
        key = f"test-key-{next(self._keys):08d}" if key is None else key
        return self.send("POST", path, body=body, key=key, **options)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        params: dict[str, Any] | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request as it goes over the wire."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key:
            sent["Idempotency-Key"] = key
        raw = body if isinstance(body, bytes | type(None)) else json.dumps(body, ensure_ascii=False).encode()
        response = WerkzeugClient(self.world.application).open(
            path, method=method, data=raw, query_string=params or None, content_type=content_type if raw is not None else None,
            headers={**sent, **(headers or {})},
        )  # fmt: skip
        is_json = response.is_json
        return Answer(
            response.status_code,
            response.get_json() if is_json and response.get_data() else response.get_data() or None,
            dict(response.headers),
        )
