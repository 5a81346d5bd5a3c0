"""Sets a simulated site up on a platform over its public API: gates with their rules, readers, and the papers of pallets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from loadtests.api import Actor, new_key, token_of
from services.logistics.rfid import tds
from services.logistics.rfid.simulator.goods import Pallet
from services.logistics.rfid.simulator.sites import GateAt
from services.logistics.rfid.simulator.world import Simulation

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
Wait = Callable[[Callable[[], Any], str], Any]


class Placed(msgspec.Struct):
    """What a simulated site is on the platform: its gates' and readers' ids, and who speaks for each reader (HTTP)."""

    gates: dict[str, str] = {}
    readers: dict[str, str] = {}
    speakers: dict[str, Any] = {}


def place_site(desk: Actor, simulation: Simulation, *, ports: dict[str, int], wait: Wait, name: str) -> Placed:
    """Register all gates with their readers; ``ports`` has the LLRP readers' ports, without one a reader speaks HTTP."""
    placed = Placed()
    for gate in simulation.site.gates:
        body = {"name": f"{name} {gate.id}", "place": name}
        placed.gates[gate.id] = desk.post("/v1/gates", body)["id"]
        for reader in gate.readers:
            _place_reader(desk, placed, gate.id, reader.id, ports.get(reader.id), wait)
    for number, gate in enumerate(simulation.site.gates):
        near = [one.id for at, one in enumerate(simulation.site.gates) if abs(at - number) == 1]
        rules = _rules_of(gate, placed, [placed.gates[id] for id in near])
        desk.api.call(
            "PUT", f"/v1/gates/{placed.gates[gate.id]}/rules", {"rules": rules}, token=desk.sign_in(), key=new_key()
        )
    return placed


def _place_reader(desk: Actor, placed: Placed, gate: str, reader: str, port: int | None, wait: Wait) -> None:
    gate_id = placed.gates[gate]
    path = f"/v1/gates/{gate_id}/readers"
    if port is not None:
        lamp = {"release": [1], "stop": [2], "check": [3]}
        body = {"kind": "llrp", "name": reader, "host": "127.0.0.1", "port": port, "lamp": lamp}
        placed.readers[reader] = desk.post(path, body)["id"]
        return
    id = placed.readers[reader] = desk.post(path, {"kind": "http", "name": reader})["id"]
    key = {"name": reader, "roles": ["warehouse"], "device": id}
    made = wait(lambda: desk.post("/v1/api-keys", key), f"the key of {reader}")
    placed.speakers[reader] = Actor(desk.api, reader, token_of(desk.api, made["api_key"]), desk.party_id)


def _rules_of(gate: GateAt, placed: Placed, neighbours: list[str]) -> dict[str, Any]:
    antennas = [
        {
            "reader_id": placed.readers[reader.id],
            "antenna": one.number,
            "side": "inside" if one.is_inside else "outside",
        }
        for reader in gate.readers
        for one in reader.antennas
    ]
    return {"antennas": antennas, "neighbours": neighbours}


def capture_papers(desk: Actor, simulation: Simulation, at: datetime) -> int:
    """Tell the platform what each pallet was packed with (AggregationEvents); how many pallets."""
    pallets = [one for trip in simulation.trips for one in trip.pallets if one.parent]
    for one in pallets:
        desk.post("/epcis/v2/events", write_paper(one, at), key="")
    return len(pallets)


def write_paper(pallet: Pallet, at: datetime) -> dict[str, Any]:
    """The EPCIS event that says what a pallet holds, as its papers have it."""
    return {
        "@context": [CONTEXT],
        "type": "AggregationEvent",
        "eventTime": at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+00:00",
        "parentID": tds.decode(pallet.parent).link,
        "childEPCs": sorted(tds.decode(epc).link for epc in pallet.booked),
        "action": "ADD",
        "bizStep": "packing",
        "disposition": "in_progress",
    }
