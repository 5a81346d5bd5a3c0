"""JSON Schemas of all events: generated from the classes, committed, and never changed but by adding an optional field or a word
to a vocabulary (a hearer that does not know the word yet parks the message until it is upgraded, so hearers are upgraded first).

``python -m events.schema`` writes them into ``events/schemas/``.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import msgspec

from chassis.envelope import Event
from chassis.values import describe_wire

FOLDER = Path(__file__).resolve().parent / "schemas"
SPEAKERS = tuple(
    sorted(path.stem for path in FOLDER.parent.glob("*.py") if path.stem not in ("__init__", "access", "schema"))
)


def all_events() -> list[type[Event]]:
    """Every event class, by wire name."""
    found = []
    for speaker in SPEAKERS:
        module = importlib.import_module(f"events.{speaker}")
        found += [
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, Event) and each is not Event
        ]
    return sorted(found, key=lambda event: event.type)


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's data."""
    (reference,), components = msgspec.json.schema_components([event], schema_hook=describe_wire)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:haihe:event:{event.type}",
        **reference,
        "$defs": components,
    }


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a hearer of the old schema would trip over in the new one: anything but a new optional field or a new word."""
    found = []
    for name, before in old["$defs"].items():
        after = new["$defs"].get(name)
        if after is None:
            found.append(f"{name} is gone")
            continue
        if "properties" not in before:
            found += [] if _bare(before) == _bare(after) else [f"{name} has changed"]
            continue
        for field, kind in before["properties"].items():
            if not _keeps(_bare(kind), _bare(after["properties"].get(field))):
                found.append(f"{name}.{field} has changed")
        if added := set(after.get("required", ())) - set(before.get("required", ())):
            found.append(f"{name} requires {', '.join(sorted(added))}")
        if dropped := set(before.get("required", ())) - set(after.get("required", ())):
            found.append(f"{name} no longer promises {', '.join(sorted(dropped))}")
    return found


def _keeps(before: Any, after: Any) -> bool:
    """Whether a field is what it was, or a vocabulary that has only gained words."""
    if isinstance(before, dict) and isinstance(after, dict) and "enum" in before and "enum" in after:
        rest = [{name: value for name, value in each.items() if name != "enum"} for each in (before, after)]
        return rest[0] == rest[1] and set(before["enum"]) <= set(after["enum"])
    return before == after


def _bare(schema: Any) -> Any:
    return {key: value for key, value in schema.items() if key != "description"} if isinstance(schema, dict) else schema


def write_schemas() -> None:
    """Write every schema. Raises ValueError when one that is committed would change for its hearers."""
    FOLDER.mkdir(exist_ok=True)
    for event in all_events():
        path, schema = FOLDER / f"{event.type}.json", schema_of(event)
        if path.exists() and (broken := breaks(json.loads(path.read_text()), schema)):
            raise ValueError(f"{event.type}: {'; '.join(broken)}: make a new class with the next version")
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write_schemas()
