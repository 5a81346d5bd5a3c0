"""Asks a scanner for viruses about a stored file: clamd by its own protocol, or any service that takes the bytes over HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import Request, urlopen

from sqlalchemy import select

from chassis.database import Database
from chassis.settings import BadSetting, Settings
from services.catalog.documents.model import StoredFile

TIMEOUT_S = 30
CLAMD_PORT = 3310
_CHUNK = 1 << 16
_MOST_ANSWER = 4_096


class ScannerConfused(Exception):
    """The scanner has answered something that is not a verdict."""


def scan_file(settings: Settings, payload: dict[str, Any], attempt: int) -> dict[str, Any]:
    """Ask about a file: ``found`` names what is in it or is empty; nothing is answered where no scanner is set.

    Raises OSError or ScannerConfused, and is asked again then.
    """
    if not settings.scanner:
        return {}
    return {"found": ask_scanner(settings.scanner, _read_file(settings, payload["file_id"]))}


def ask_scanner(address: str, body: bytes) -> str:
    """What a scanner finds in a file, empty where that is nothing. ``address`` is clamd://host:port or an HTTP URL."""
    parts = urlsplit(address)
    if parts.scheme == "clamd":
        return read_clamd(_ask_clamd(parts, body))
    if parts.scheme in ("http", "https"):
        return _ask_http(address, body)
    raise BadSetting(f"HAIHE_SCANNER: no scanner is asked by {parts.scheme!r}")


def _read_file(settings: Settings, file_id: str) -> bytes:
    database = Database(settings.database, pool_size=1)
    try:
        return database.look(
            lambda session: session.scalars(select(StoredFile.body).where(StoredFile.id == file_id)).one()
        )
    finally:
        database.close()


def _ask_clamd(parts: SplitResult, body: bytes) -> str:
    """INSTREAM of clamd: chunks with their length before each, none at the end; the answer ends with a nought."""
    with socket.create_connection((parts.hostname, parts.port or CLAMD_PORT), timeout=TIMEOUT_S) as peer:
        peer.sendall(b"zINSTREAM\0")
        for chunk in _chunks(body):
            peer.sendall(len(chunk).to_bytes(4) + chunk)
        peer.sendall(bytes(4))
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < _MOST_ANSWER and (part := peer.recv(_MOST_ANSWER)):
            answer += part
    return answer.rstrip(b"\0\n").decode(errors="replace")


def _chunks(body: bytes) -> Iterator[bytes]:
    for at in range(0, len(body), _CHUNK):
        yield body[at : at + _CHUNK]


def read_clamd(answer: str) -> str:
    """What clamd has found, empty where that is nothing. Raises ScannerConfused."""
    verdict = answer.removeprefix("stream: ")
    if verdict == "OK":
        return ""
    if verdict.endswith(" FOUND"):
        return verdict.removesuffix(" FOUND")
    raise ScannerConfused(f"clamd answers {answer[:200]!r}")


def _ask_http(address: str, body: bytes) -> str:
    """The answer is JSON with ``found``: what is in the file, or empty or null."""
    request = Request(address, data=body, headers={"Content-Type": "application/octet-stream"})
    with urlopen(request, timeout=TIMEOUT_S) as response:
        answer = response.read(_MOST_ANSWER)
    try:
        return str(json.loads(answer)["found"] or "")
    except (ValueError, KeyError, TypeError) as error:
        raise ScannerConfused(f"the scanner answers {answer[:200]!r}") from error
