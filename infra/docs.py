"""Writes the generated pages of ``docs/``: events, states, problems, settings, and the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from chassis.database import Model
from chassis.openapi import write_document
from chassis.problems import Problem
from chassis.settings import PREFIX, Settings
from chassis.states import Stateful, draw
from events.schema import all_events, write_schemas
from infra.assembly import load_services

FOLDER = Path(__file__).resolve().parent.parent / "docs"
VERSION = "0.1.0"


def _below(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def write_events() -> str:
    """Who says what, and who hears it."""
    hearers: dict[str, list[str]] = {}
    for service in load_services():
        loops = {event for loop in service.loops.values() for event in getattr(loop, "hears", ())}
        for event in {*service.handlers, *loops}:
            hearers.setdefault(event.type, []).append(service.name)
    lines = ["# Events", "", "What the services tell each other. The schemas are in `events/schemas/`.", ""]
    lines += ["| event | says | heard by | key |", "|---|---|---|---|"]
    for event in all_events():
        says = " ".join((event.__doc__ or "").split())
        lines.append(f"| `{event.type}` | {says} | {', '.join(sorted(hearers.get(event.type, [])))} | `{event.key}` |")
    return "\n".join(lines) + "\n"


def write_states() -> str:
    """Every state machine, drawn."""
    load_services()
    lines = ["# States", "", "Drawn from the tables of moves on the models."]
    ours = ("chassis.", "services.")
    machines = {m for m in _below(Model) if issubclass(m, Stateful) and m.__module__.startswith(ours)}
    for machine in sorted(machines, key=lambda m: (m.__module__, m.__name__)):
        service = machine.__module__.split(".")[1]
        lines += ["", f"## {machine.__name__} ({service})", "", " ".join((machine.__doc__ or "").split()), ""]
        lines += ["```mermaid", *draw(machine), "```"]
        if machine.waits:
            lines += ["", f"Has a deadline while {', '.join(sorted(machine.waits))}."]
    return "\n".join(lines) + "\n"


def write_problems() -> str:
    """Every way to fail."""
    load_services()
    lines = ["# Problems", "", "Documents of RFC 9457 (`application/problem+json`).", ""]
    lines += ["| status | type | title |", "|---|---|---|"]
    known = (p for p in _below(Problem) if p.__module__.split(".")[0] in ("chassis", "services"))
    # Two services may mean the same by a name and say it in their own words: each has its line.
    for status, name, title in sorted({(p.status, p.type_name(), p.title()) for p in known}):
        lines.append(f"| {status} | `{name}` | {title} |")
    return "\n".join(lines) + "\n"


def write_settings() -> str:
    """Every setting."""
    lines = [
        "# Settings",
        "",
        "Read from the environment; a secret may be given as a file with the suffix `_FILE`.",
        "",
    ]
    lines += ["| variable | default | meaning |", "|---|---|---|"]
    for each in fields(Settings):
        if not each.metadata:
            continue
        name = (
            f"{PREFIX}<SERVICE>_{each.name.upper()}"
            if each.metadata["each_service"]
            else f"{PREFIX}{each.name.upper()}"
        )
        default = "" if each.default in (MISSING, "") else f"`{each.default}`"
        lines.append(f"| `{name}` | {default} | {each.metadata['sentence']} |")
    return "\n".join(lines) + "\n"


def write_openapi() -> str:
    """The public API, as OpenAPI 3.1: an operation or a schema a line, so that changes are seen and the file stays small."""
    return _write_lines(write_document(load_services(), version=VERSION), depth=3) + "\n"


def _write_lines(value: Any, *, depth: int) -> str:
    if not depth or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    lines = (f"{json.dumps(name)}:{_write_lines(value[name], depth=depth - 1)}" for name in sorted(value))
    return "{\n" + ",\n".join(lines) + "\n}"


PAGES = {
    "events.md": write_events,
    "states.md": write_states,
    "problems.md": write_problems,
    "settings.md": write_settings,
    "openapi.json": write_openapi,
}


def main() -> None:
    """Write every page and schema."""
    FOLDER.mkdir(exist_ok=True)
    write_schemas()
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write())


if __name__ == "__main__":
    main()
