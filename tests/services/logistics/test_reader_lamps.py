"""The lamp of a gate at an LLRP reader: the gate's word while it is fresh, and *check* in any doubt."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from typing import Any

import pytest
from llrpkit.emulator import LLRPEmulator

from chassis import clock
from events.logistics import GateJudged
from services.logistics.rfid.llrp import session as llrp
from tests.conformance.llrp.readers import HoldingReader, Reads, cut, emulator, holding, reads
from tests.services.logistics.conftest import Stand
from tests.services.logistics.reader_stand import Shaky, is_ready, make_loop, register, stand, until

__all__ = ["emulator", "holding", "reads", "stand"]
LAMP = {"release": [1], "stop": [2], "check": [3], "lasts_s": 60}
RELEASE, STOP, CHECK = ({1: one == 1, 2: one == 2, 3: one == 3, 4: False} for one in (1, 2, 3))


def judge(stand: Stand, gate: dict[str, Any], verdict: str) -> None:
    """The gate says something of a passage that was just now."""
    word = {"gate_id": gate["id"], "warehouse_id": "warehouse", "passage_id": clock.new_id("passage")}
    stand.hear(GateJudged(**word, at=clock.now(), verdict=verdict))


def test_the_lamp_shows_the_word_of_the_gate_and_falls_back_to_check(
    stand: Stand, emulator: LLRPEmulator, reads: Reads
) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate, emulator, lamp=LAMP | {"lasts_s": 2})
    broker = Shaky(stand.broker)
    shows = lambda states: lambda: emulator._gpo_states == states  # noqa: E731
    with closing(make_loop(stand, broker=broker)) as loop:
        until(shows(CHECK), loop)
        judge(stand, gate, "stop")
        until(shows(STOP), loop)
        judge(stand, gate, "release")
        until(shows(RELEASE), loop)
        until(shows(CHECK), loop)
        judge(stand, gate, "release")
        until(shows(RELEASE), loop)
        reads.run(cut(emulator))
        emulator._gpo_states.update(RELEASE)
        until(shows(CHECK), loop)
        stand.send("PUT", f"/v1/gates/{gate['id']}/readers/{reader['id']}", {**setting(reader), "lamp": LAMP}).ok()
        loop._share_at = 0.0
        judge(stand, gate, "release")
        until(shows(RELEASE), loop)
        broker.is_down = True
        until(shows(CHECK), loop)
        broker.is_down = False
        until(shows(RELEASE), loop)
        broker.stuck_until = shows(CHECK)
        until(shows(CHECK), loop)
        broker.stuck_until = lambda: True
        until(shows(RELEASE), loop)
    assert emulator._gpo_states == CHECK, "a worker that stops leaves no gate open"


def setting(reader: dict[str, Any]) -> dict[str, Any]:
    """What a person says about a reader, out of its view."""
    return {name: reader[name] for name in ("name", "host", "port", "antennas", "lamp")}


def test_a_lamp_falls_back_when_the_database_is_lost(
    stand: Stand, emulator: LLRPEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = stand.make_gate()
    register(stand, gate, emulator, lamp=LAMP)
    with closing(make_loop(stand)) as loop:
        judge(stand, gate, "release")
        until(lambda: emulator._gpo_states == RELEASE, loop)

        def fail(*_: Any) -> None:
            raise ConnectionError("no database")

        with monkeypatch.context() as patched:
            patched.setattr(loop.context.database, "look", fail)
            until(lambda: emulator._gpo_states == CHECK, loop)
        until(lambda: emulator._gpo_states == RELEASE, loop)


def test_a_retired_reader_is_left_at_check_and_its_operation_of_another_program_is_left_alone(
    stand: Stand, holding: HoldingReader, reads: Reads
) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate, holding, lamp=LAMP)
    with closing(make_loop(stand)) as loop:
        judge(stand, gate, "release")
        until(lambda: holding._gpo_states == RELEASE, loop)
        (ours,) = holding._rospecs
        stand.send("POST", f"/v1/gates/{gate['id']}/readers/{reader['id']}/retire").ok()
        loop._share_at = 0.0
        until(lambda: loop._held == {}, loop)
        assert holding._gpo_states == CHECK
    spec, _ = holding._rospecs[ours]
    holding._rospecs[7] = (dataclasses.replace(spec, ro_spec_id=7), "Disabled")
    register(stand, gate, holding, antennas=[{"number": 1, "label": "in", "power_dbm": None}])
    with closing(make_loop(stand, "two")) as loop:
        until(lambda: is_ready(loop), loop)
    assert 7 in holding._rospecs and len(holding._rospecs) == 2, "ours is replaced by that of the new setting"
    assert llrp.is_ours(max(holding._rospecs)) and ours not in holding._rospecs
