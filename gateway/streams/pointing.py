"""Where no proxy leads to the process of streams, the web sends whoever asks it for a stream to that address."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
DETAIL = "Streams have an address of their own here; in the distributed profile nginx leads there."


def point_to_streams(app: Wsgi, streams_url: str) -> Wsgi:
    """The application, but for streams: these are answered 307 with the same path and query at ``streams_url``."""

    def dispatch(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_stream(environ):
            return app(environ, start_response)
        query = environ.get("QUERY_STRING", "")
        # A client of WebSockets goes on to an address that looks like its own.
        base = streams_url.replace("http", "ws", 1) if _is_websocket(environ) else streams_url
        place = base + environ.get("RAW_URI", environ["PATH_INFO"]).partition("?")[0] + (query and f"?{query}")
        body = {
            "type": "urn:haihe:problem:streams_elsewhere",
            "title": "Streams are served at another address.",
            "status": 307,
            "detail": DETAIL,
            "location": place,
        }
        headers = [("Content-Type", "application/problem+json"), ("Location", place), ("Cache-Control", "no-store")]
        start_response("307 Temporary Redirect", headers)
        return [msgspec.json.encode(body)]

    return dispatch


def is_stream(environ: dict[str, Any]) -> bool:
    """Whether a request is for the process of streams: its own noun, and WebSockets of the EPCIS binding."""
    path = environ.get("PATH_INFO", "")
    if path.startswith("/v1/streams/"):
        return True
    return path.startswith("/epcis/v2/") and _is_websocket(environ)


def _is_websocket(environ: dict[str, Any]) -> bool:
    return environ.get("HTTP_UPGRADE", "").lower() == "websocket"
