"""What `haihe simulate` shows: truth beside what the platform says, for passages as its API gives them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.cli.simulate import simulate as command
from infra.simulation.comparing import compare, write_table
from infra.simulation.setting_up import write_paper
from services.logistics.epcis.checks import check_event
from services.logistics.epcis.read_json import read_event
from services.logistics.rfid import tds
from services.logistics.rfid.simulator.noise import QUIET
from services.logistics.rfid.simulator.traffic import Traffic
from services.logistics.rfid.simulator.world import Plan, Simulation, simulate

PLACED = {"gate-1": "gate_a", "gate-2": "gate_b"}


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    traffic = Traffic(waits=0, turns=0, wrong=0, follows=0)
    return simulate(Plan(seed=4, gates=2, trips=2, traffic=traffic, noise=QUIET))


def _passages(simulation: Simulation, direction: str = "") -> list[dict[str, Any]]:
    """A passage a trip, with every tag, going as it did or as is said here."""
    return [
        {
            "id": f"passage_{trip.id}",
            "gate_id": PLACED[simulation.site.gates[trip.gate].id],
            "state": "closed",
            "verdict": "release",
            "first_seen": _write(trip.first_us),
            "last_seen": _write(trip.last_us),
            "sightings": [
                {
                    "epc": tag.epc,
                    "is_ghost": False,
                    "by": "sides",
                    "lost_to": None,
                    "direction": direction or trip.going,
                }
                for pallet in trip.pallets
                for tag in pallet.tags
            ],
        }
        for trip in simulation.trips
    ]


def _write(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


def test_a_platform_that_is_right_is_shown_to_be(simulation: Simulation) -> None:
    compared = compare(simulation, PLACED, _passages(simulation), shift_us=0)
    assert (compared.presence_f1, compared.direction, compared.passages) == (1.0, 1.0, 4)
    assert [(row.trip, row.truth, row.said, row.found) for row in compared.rows] == [
        (trip.id, trip.going, trip.going, sum(len(one.tags) for one in trip.pallets)) for trip in simulation.trips
    ]
    assert "presence F1 1.0000" in write_table(compared)


def test_wrong_ways_strays_and_what_is_missing_are_shown(simulation: Simulation) -> None:
    passages = _passages(simulation, direction="unknown")
    passages[0]["sightings"].append(
        {"epc": "30" + "0" * 22, "is_ghost": False, "by": "sides", "lost_to": None, "direction": "in"}
    )
    del passages[1]
    passages[-1]["state"] = "taken_back"
    compared = compare(simulation, PLACED, passages, shift_us=0)
    assert compared.direction == 0.0
    assert compared.presence_f1 < 0.9
    assert [row.said for row in compared.rows].count("nothing") == 2
    assert compared.passages == 2


def test_ghosts_and_tags_that_only_came_near_are_not_said_to_have_passed(simulation: Simulation) -> None:
    passages = _passages(simulation)
    for each in (one for passage in passages for one in passage["sightings"]):
        each |= {"is_ghost": True}
    assert compare(simulation, PLACED, passages, shift_us=0).presence_f1 == 0.0


def test_the_papers_of_a_pallet_are_an_event_that_is_taken(simulation: Simulation) -> None:
    pallet = next(one for trip in simulation.trips for one in trip.pallets if one.parent)
    paper = write_paper(pallet, datetime(2026, 3, 2, 8, tzinfo=UTC))
    event = read_event(paper, {}, "$")
    assert list(check_event(event)) == []
    assert paper["parentID"] == tds.decode(pallet.parent).link
    assert len(paper["childEPCs"]) == len(pallet.booked)


def test_without_a_password_or_sample_users_nothing_is_begun(tmp_path: Path) -> None:
    runner, data = CliRunner(), ["--data", str(tmp_path)]
    given = runner.invoke(command, [*data, "--email", "someone@example.com"], standalone_mode=False)
    assert "password" in str(given.exception)
    none = runner.invoke(command, data, standalone_mode=False)
    assert "sample data" in str(none.exception)
    assert "haihe simulate --trucks 4" in runner.invoke(command, ["--help"]).output
