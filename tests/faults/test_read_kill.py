"""Kill −9 of every part while tags are read over real processes: the same EPCIS events as if nothing had happened."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from loadtests.api import Actor, Api
from loadtests.steel import SteelTrade
from services.logistics.rfid.epc import decode_epc
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.telling import Passed, tell_passage
from services.logistics.warehouses.rules import GateRules
from tests.faults.conftest import Place

pytestmark = pytest.mark.xdist_group("faults")
PASSAGES, TAGS, TIMES = 60, 12, 5
VICTIMS = ("worker", "postgres/backend", "web/one", "worker", "postgres/backend", "postgres", "worker", "web")


def read_tags(gate_id: str, at: datetime) -> tuple[list[dict[str, Any]], set[str]]:
    """What a gate's reader sees, one passage each four seconds, and the hash ids of what that means."""
    reads, ids = [], set()
    for passage in range(PASSAGES):
        begins = at + timedelta(seconds=4 * passage)
        epcs = [f"3034257BF400B780{passage * 1_000 + tag:08X}" for tag in range(TAGS)]
        for place in range(TAGS * TIMES):
            seen = {
                "antenna": 1 + place % 2,
                "rssi_dbm": -50,
                "at": (begins + timedelta(milliseconds=20 * place)).isoformat(),
            }
            reads.append({"sequence": len(reads), "epc": epcs[place % TAGS], **seen})
        (told,) = tell_passage(
            gate_id=gate_id,
            warehouse_id="",
            at=begins + timedelta(milliseconds=20 * (TAGS * TIMES - 1)),
            rules=GateRules(),
            passed=[Passed(found.link, Direction.UNKNOWN) for epc in epcs if (found := decode_epc(epc))],
            pallets=(),
            kinds={},
        )
        ids.add(told.id)
    return reads, ids


def test_reads_survive_the_death_of_every_part(place: Place, api: Api, operator: Actor) -> None:
    trade = SteelTrade(api, operator, number=9, wait_s=120)
    trade.admit_all()
    gate, reader = trade.open_gate()
    draw = random.Random(3)
    reads, expected = read_tags(gate["id"], trade.now() - timedelta(minutes=8))
    draw.shuffle(reads)
    pages = [reads[start : start + 60] for start in range(0, len(reads), 60)]
    path, victims = f"/v1/gates/{gate['id']}/reads", list(VICTIMS)
    for number, page in enumerate(pages):
        reader.post(path, {"reads": page + draw.sample(reads, 20)}, key="")
        if number % 7 == 3 and victims:
            victim = victims.pop()
            trade.until(lambda victim=victim: place.kill(victim, draw), f"{victim} to be there")
    assert victims == []
    place.wait_until_ready()
    desk = trade.warehouse.desk

    def settled() -> list[dict[str, Any]] | None:
        passages = desk.every("/v1/passages", gate_id=gate["id"])
        is_whole = sum(one["reads"] for one in passages) == len(reads) and {one["state"] for one in passages} == {
            "closed"
        }
        return passages if is_whole else None

    passages = trade.until(settled, "every read to be in a passage")
    assert {id for one in passages for id in one["epcis_event_ids"]} == expected
    assert len(passages) == PASSAGES
    assert place.haihe("check", "--settled")["broken"] == []
