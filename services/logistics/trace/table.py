"""A trace as a table: one row for each event of each thing, in order of time, to sort and filter in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from chassis.uploads.writers import MEDIA_TYPES, Format, write_table
from chassis.wire import Streamed
from services.logistics.trace.facts import Fact
from services.logistics.trace.tracing import Trace, Traced

HEADINGS = (
    "level",
    "role",
    "kind",
    "thing",
    "label",
    "event_time",
    "event_type",
    "action",
    "business_step",
    "disposition",
    "place",
    "place_name",
    "country",
    "latitude",
    "longitude",
    "inside",
    "made_from",
    "made_into",
    "papers",
    "captured_by",
    "event_id",
)
_NUMBERS = tuple(name in ("level", "latitude", "longitude") for name in HEADINGS)


def write_trace_table(trace: Trace, format: Format) -> Streamed:
    """The table as a file; nothing is asked of the database while it is sent."""
    rows = list(_rows(trace))
    return Streamed(
        MEDIA_TYPES[format], f"trace.{format}", lambda look: write_table(format, HEADINGS, rows, numbers=_NUMBERS)
    )


def _rows(trace: Trace) -> Iterator[list[str]]:
    parents: dict[tuple[str, str], list[str]] = {}
    for step in trace.steps:
        if step.relation in ("inside", "attached"):
            for id in step.by[:1]:
                parents.setdefault((step.source, id), []).append(step.target)
    for node in trace.nodes:
        facts = [trace.facts[id] for id in node.by if id in trace.facts]
        for fact in sorted(facts, key=lambda one: one.order):
            yield _row(trace, node, fact, parents.get((node.id, fact.id), []))
        if not facts:
            yield [str(node.level), node.role, node.kind, node.id, node.label, *[""] * (len(HEADINGS) - 5)]


def _row(trace: Trace, node: Traced, fact: Fact, inside: list[str]) -> list[str]:
    place = trace.places.get(fact.place or "")
    is_output, is_input = node.id in fact.produced, node.id in fact.consumed
    return [
        str(node.level),
        node.role,
        node.kind,
        node.id,
        node.label,
        fact.at.isoformat(),
        fact.type,
        fact.action or "",
        fact.biz_step or "",
        fact.disposition or "",
        fact.place or "",
        (place.name if place else None) or "",
        (place.country if place else None) or "",
        _degrees(place.latitude if place else None),
        _degrees(place.longitude if place else None),
        _join(inside),
        _join(fact.consumed) if is_output else "",
        _join(fact.produced) if is_input else "",
        _join([uri for _, uri in fact.papers]),
        fact.owner_id,
        fact.event_id,
    ]


def _degrees(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


_MOST_NAMES = 50


def _join(names: list[str]) -> str:
    """At most fifty names in a cell, then how many more there are."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return " ".join(names[:_MOST_NAMES]) + more
