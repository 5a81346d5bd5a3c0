"""Writes what was said over HTTP in a journey as a page of ``docs/journeys/``, so that the examples of the API are always true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "journeys"
SECRETS = {"access_token", "refresh_token", "invitation", "secret", "api_key", "token", "password", "prefix"}
LONGEST_LIST = 3


class Transcript:
    """Collects requests and answers under headings."""

    def __init__(self, title: str, introduction: str) -> None:
        self.lines = [f"# {title}", "", introduction, ""]

    def head(self, words: str) -> None:
        """Begin a section."""
        self.lines += [f"## {words}", ""]

    def see(self, method: str, path: str, body: Any, status: int, answer: Any) -> None:
        """One request and its answer."""
        self.lines += ["```http", f"{method} {path}"]
        if body is not None:
            self.lines += ["", body.decode().rstrip() if isinstance(body, bytes) else _write(body)]
        self.lines += ["```", "", "```http", f"HTTP {status}"]
        if answer is not None:
            self.lines += ["", _write(answer)]
        self.lines += ["```", ""]

    def text(self) -> str:
        """The whole page."""
        return "\n".join(self.lines).rstrip() + "\n"


def _write(value: Any) -> str:
    return json.dumps(_shorten(value), ensure_ascii=False, indent=2)


def _shorten(value: Any, name: str = "") -> Any:
    """Secrets are left out, long lists cut."""
    if name in SECRETS and isinstance(value, str):
        return "…"
    if isinstance(value, dict):
        return {key: _shorten(each, key) for key, each in value.items()}
    if isinstance(value, list) and len(value) > LONGEST_LIST:
        return [*(_shorten(each) for each in value[:2]), f"… {len(value) - 2} more"]
    if isinstance(value, list):
        return [_shorten(each) for each in value]
    return value
