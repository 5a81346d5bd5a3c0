"""What happened beside what the platform says: trip by trip, and in figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

import msgspec

from services.logistics.rfid.simulator.traffic import Going, Trip
from services.logistics.rfid.simulator.world import Simulation

SLACK_US = 3_000_000


class Row(msgspec.Struct, frozen=True):
    """A trip beside the passage that has most of its tags; ``found`` of its tags are said to have passed there."""

    trip: str
    gate: str
    came_at: str
    truth: str
    tags: int
    passage_id: str | None
    said: str
    found: int
    verdict: str


class Compared(msgspec.Struct, frozen=True):
    """All trips, and shares: presence (F1 over passages of tags, those that were inferred from papers included), direction."""

    rows: list[Row]
    presence_f1: float
    direction: float
    passages: int


def compare(
    simulation: Simulation, placed: dict[str, str], passages: list[dict[str, Any]], *, shift_us: int
) -> Compared:
    """Compare; ``passages`` as the API gives them, ``placed`` the platform's gate of each simulated one."""
    standing = [one for one in passages if one["state"] == "closed"]
    said = _list_said(simulation, placed, standing)
    rows, right, ways, due = [], 0, 0, 0
    for trip in simulation.trips:
        gate = simulation.site.gates[trip.gate].id
        own = {tag.epc for pallet in trip.pallets for tag in pallet.tags}
        near = [one for one in said[placed[gate]] if one.epc in own and _is_during(trip, one, shift_us)]
        rows.append(_row(trip, gate, own, near, standing, shift_us))
        if trip.going is not Going.BACK:
            once = {one.epc: one.direction for one in near}
            right, due = right + len(once), due + len(own)
            ways += sum(direction == trip.going for direction in once.values())
    count = sum(map(len, said.values()))
    f1 = 2 * right / (count + due) if count + due else 1.0
    return Compared(rows, round(f1, 4), round(ways / right, 4) if right else 1.0, len(standing))


class _Said(msgspec.Struct, frozen=True):
    epc: str
    direction: str
    passage_id: str
    first_us: int
    last_us: int


def _list_said(
    simulation: Simulation, placed: dict[str, str], passages: list[dict[str, Any]]
) -> dict[str, list[_Said]]:  # fmt: skip
    """Who is said to have passed, by gate: tags that were read, and those of their pallets that were not."""
    parents = {child: parent for parent, children in simulation.booked.items() for child in children}
    said: dict[str, list[_Said]] = defaultdict(list)
    for one in passages:
        span = (_micros(one["first_seen"]), _micros(one["last_seen"]))
        read = {
            each["epc"]: each["direction"] or "unknown"
            for each in one["sightings"]
            if not each["is_ghost"] and each["by"] != "one_side" and not each["lost_to"]
        }
        for parent, children in simulation.booked.items():
            seen = [read[epc] for epc in children if epc in read and parents[epc] == parent]
            if children and (parent in read or len(seen) >= 0.6 * len(children)):
                way = Counter(seen or [read[parent]]).most_common(1)[0][0]
                read |= {epc: way for epc in (*children, parent) if epc not in read}
        said[one["gate_id"]] += [_Said(epc, way, one["id"], *span) for epc, way in read.items()]
    return said


def _is_during(trip: Trip, said: _Said, shift_us: int) -> bool:
    first_us, last_us = trip.first_us + shift_us - SLACK_US, trip.last_us + shift_us + SLACK_US
    return said.first_us <= last_us and said.last_us >= first_us


def _row(
    trip: Trip, gate: str, own: set[str], near: list[_Said], passages: list[dict[str, Any]], shift_us: int
) -> Row:  # fmt: skip
    most = Counter(one.passage_id for one in near).most_common(1)
    passage = next((one for one in passages if most and one["id"] == most[0][0]), None)
    ways = Counter(one.direction for one in near if most and one.passage_id == most[0][0]).most_common(1)
    came = datetime.fromtimestamp((trip.first_us + shift_us) / 1e6).strftime("%H:%M:%S")
    return Row(
        trip=trip.id,
        gate=gate,
        came_at=came,
        truth=trip.going,
        tags=len(own),
        passage_id=passage["id"] if passage else None,
        said=ways[0][0] if ways else "nothing",
        found=len({one.epc for one in near}),
        verdict=(passage or {}).get("verdict") or "-",
    )


def _micros(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1e6)


COLUMNS = "  {:<6} {:<8} {:<9} {:<6} {:>4}   {:<8} {:>5}  {:<8} {}"


def write_table(compared: Compared) -> str:
    """Truth and what the platform says, as text."""
    lines = [
        COLUMNS.format("trip", "gate", "came at", "truth", "tags", "platform", "found", "verdict", "passage"),
        *(
            COLUMNS.format(
                one.trip,
                one.gate,
                one.came_at,
                one.truth,
                one.tags,
                one.said,
                one.found,
                one.verdict,
                one.passage_id or "",
            ).rstrip()
            for one in compared.rows
        ),
        "",
        f"  presence F1 {compared.presence_f1:.4f}, direction {compared.direction:.4f}, {compared.passages} passages",
    ]
    return "\n".join(lines)
