"""Writes what was said over HTTP in a journey as a page of ``docs/journeys/``, so that the examples of the API are always true."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "journeys"
WRITE = bool(os.environ.get("HAIHE_WRITE_DOCS"))
ID = re.compile(r"\b([a-z]+)_[0-9a-hjkmnp-tv-z]{26}\b")
SECRETS = {"access_token", "refresh_token", "invitation", "secret", "api_key", "token", "password", "prefix", "code"}
LONGEST_LIST = 3


def check_page(name: str, text: str) -> None:
    """Whether a page of the docs says what was said just now; writes it when it is to be made again."""
    path = FOLDER / name
    if WRITE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text, "run `make docs`"


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


class Summary:
    """The commands of a story in short, with what became of each, and what it moved in the end."""

    UNSAID = ("/v1/certificates", "/v1/gates", "/v1/sessions")
    """What a town does now and then, whichever story it is."""

    def __init__(self, name: str, told: str | None, moves: dict[str, int]) -> None:
        title = name.replace("_", " ")
        self.lines = [f"# {title[0].upper()}{title[1:]}", "", *([_unwrap(told), ""] if told else [])]
        self.moves = moves
        self.count = 0

    def see(self, method: str, path: str, body: Any, status: int, answer: Any) -> None:
        """One request and its answer; queries and what is only asked again are left out."""
        if method == "GET" or status in (401, 503) or path.startswith(self.UNSAID):
            return
        self.count += 1
        said = answer if isinstance(answer, dict) else {}
        outcome = said.get("state") or said.get("type", "").removeprefix("urn:haihe:problem:")
        route = ID.sub(r"{\1}", path)
        self.lines.append(f"{self.count}. `{method} {route}` {status} {outcome}".rstrip())

    def text(self) -> str:
        """The whole page."""
        moved = [
            f"| {name.partition('_')[0]} | {name.partition('_')[2]} | {amount / 100:+,.2f} |"
            for name, amount in sorted(self.moves.items())
            if amount
        ]
        table = ["| whose | account | yuan |", "|---|---|---|", *moved] if moved else ["No money has moved in the end."]
        return "\n".join([*self.lines, "", *table]) + "\n"


def _unwrap(text: str) -> str:
    return " ".join(text.split())
