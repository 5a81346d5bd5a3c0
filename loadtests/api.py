"""The public API as a client sees it: one way to call it, whatever carries the calls (a test's world, HTTP, Locust)."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit


class ApiRefused(Exception):
    """The platform answered with a problem where a success was needed."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        super().__init__(f"{method} {path}: {status} {json.dumps(body, ensure_ascii=False) if body else ''}")
        self.status, self.body = status, body

    @property
    def problem(self) -> str:
        """The short name of the problem."""
        return str((self.body or {}).get("type", "")).removeprefix("urn:haihe:problem:")


class Carrier(Protocol):
    """What sends a request and brings the answer."""

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        """Status and decoded JSON (or bytes) of the answer."""


class HttpCarrier:
    """One kept-alive HTTP connection; a broken one is opened again."""

    def __init__(self, base_url: str, timeout_s: float = 30.0) -> None:
        parts = urlsplit(base_url)
        self._make = lambda: (
            http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s)
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
        )
        self._connection = self._make()

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        try:
            return self._send(method, path, headers, body)
        except (http.client.HTTPException, ConnectionError):
            # Every command carries its key, so that sending it again is safe.
            self._connection.close()
            self._connection = self._make()
            return self._send(method, path, headers, body)

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        raw = response.read()
        if "json" in (response.getheader("Content-Type") or ""):
            return response.status, json.loads(raw) if raw else None
        return response.status, raw


def new_key() -> str:
    """A fresh idempotency key; processes that were forked from one have keys of their own."""
    return f"key-{os.urandom(12).hex()}"


@dataclass
class Api:
    """Calls made by nobody yet; ``seen`` is told of each call (for transcripts)."""

    carrier: Carrier
    seen: Callable[[str, str, Any, int, Any], None] | None = None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        key: str = "",
        content_type: str = "application/json",
    ) -> Any:
        """The body of a success. Raises ApiRefused on a problem."""
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["Idempotency-Key"] = key
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body, ensure_ascii=False).encode()
        if raw is not None:
            headers["Content-Type"] = content_type
        status, answer = self.carrier(method, path, headers, raw)
        if self.seen:
            self.seen(method, path, body, status, answer)
        if status >= 400:
            raise ApiRefused(method, path, status, answer)
        return answer


@dataclass
class Actor:
    """Somebody with a token; the token is fetched anew by ``sign_in`` when it has run out."""

    api: Api
    name: str
    sign_in: Callable[[], str]
    party_id: str = ""
    known: dict[str, Any] = field(default_factory=dict)
    _token: str = ""

    def get(self, path: str, **params: Any) -> Any:
        """Ask a query."""
        query = urlencode({name: value for name, value in params.items() if value is not None})
        return self._call("GET", f"{path}?{query}" if query else path)

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, content_type: str = "application/json"
    ) -> Any:
        """Give a command."""
        return self._call("POST", path, body, key=new_key() if key is None else key, content_type=content_type)

    def _call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        token = self._bearer()
        try:
            return self.api.call(method, path, body, token=token, **options)
        except ApiRefused as refused:
            if refused.status != 401:
                raise
            return self.api.call(method, path, body, token=self._bearer(stale=token), **options)

    def _bearer(self, stale: str = "") -> str:
        """A token that is not ``stale``, one that was refused."""
        if self._token in ("", stale):
            self._token = self.sign_in()
        return self._token

    def every(self, path: str, **params: Any) -> list[Any]:
        """All items of a list, page by page."""
        items, cursor = [], None
        while True:
            page = self.get(path, cursor=cursor, **params)
            items += page["items"]
            if (cursor := page.get("next")) is None:
                return items


def session_of(api: Api, email: str, password: str) -> Callable[[], str]:
    """How a user signs in."""
    body = {"email": email, "password": password}
    return lambda: api.call("POST", "/v1/sessions", body)["access_token"]


def token_of(api: Api, api_key: str) -> Callable[[], str]:
    """How a machine gets its token."""
    return lambda: api.call("POST", "/v1/tokens", {"api_key": api_key})["access_token"]


class KeptToken:
    """A token that many share: fetched once, and renewed before its ten minutes are over.

    ``fetch`` asks for the first one; the next come by its refresh token where there is one.
    """

    RENEW_AFTER = 0.8

    def __init__(self, fetch: Callable[[Api], dict[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token = self._refresh_token = ""
        self._renew_at = 0.0

    def token(self, api: Api, stale: str = "") -> str:
        """A token that is not about to end and is not ``stale``; ``api`` is asked for it when there is none."""
        with self._lock:
            if self._token in ("", stale) or self._clock() >= self._renew_at:
                asked_at, answer = self._clock(), self._renew(api)
                self._token, self._refresh_token = answer["access_token"], answer.get("refresh_token", "")
                self._renew_at = asked_at + self.RENEW_AFTER * answer["expires_in"]
            return self._token

    def _renew(self, api: Api) -> dict[str, Any]:
        # A refresh token that comes twice ends its session: whatever becomes of this one, it is never sent again.
        refresh_token, self._refresh_token = self._refresh_token, ""
        if refresh_token:
            try:
                return api.call("POST", "/v1/sessions/refresh", {"refresh_token": refresh_token})
            except ApiRefused:
                pass
        return self._fetch(api)


def keep_session(email: str, password: str) -> KeptToken:
    """The token of a user who signs in once."""
    return KeptToken(lambda api: api.call("POST", "/v1/sessions", {"email": email, "password": password}))


def keep_key(api_key: str) -> KeptToken:
    """The token of a machine."""
    return KeptToken(lambda api: api.call("POST", "/v1/tokens", {"api_key": api_key}))


class SharingActor(Actor):
    """Somebody as whom many act, over connections of their own and with one token between them."""

    def __init__(self, api: Api, name: str, kept: KeptToken, party_id: str = "") -> None:
        super().__init__(api, name, lambda: kept.token(api), party_id)
        self.kept = kept

    def _bearer(self, stale: str = "") -> str:
        return self.kept.token(self.api, stale)

    def over(self, api: Api) -> SharingActor:
        """The same, over another connection."""
        return SharingActor(api, self.name, self.kept, self.party_id)
