"""Asks services that run elsewhere how they are."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import msgspec

from gateway.readiness import Readiness

TIMEOUT_S = 3.0
MAX_ANSWER_BYTES = 64 * 1024


class _Answer(msgspec.Struct):
    services: list[Readiness]


def ask_services(upstreams: Mapping[str, str]) -> list[Readiness]:
    """What each service says at its /ready; ``upstreams`` are addresses such as http://orders-web:8000 by name."""
    with ThreadPoolExecutor(max_workers=len(upstreams)) as pool:
        return list(pool.map(_ask, upstreams, upstreams.values()))


def _ask(name: str, address: str) -> Readiness:
    try:
        with urllib.request.urlopen(f"{address}/ready", timeout=TIMEOUT_S) as answer:
            body = answer.read(MAX_ANSWER_BYTES)
    except urllib.error.HTTPError as refused:
        body = refused.read(MAX_ANSWER_BYTES)
    except (OSError, HTTPException) as error:
        return Readiness(name, False, f"{address} does not answer: {error}", {})
    try:
        return msgspec.json.decode(body, type=_Answer).services[0]
    except (msgspec.DecodeError, IndexError):
        return Readiness(name, False, f"{address} gave an answer that is none", {})
