"""What is in a zone that readers hear: it enters, stays while it is read, moves, and leaves when it is silent or elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chassis import clock
from chassis.auth import Caller
from services.logistics.rfid.stages.reads import Read
from services.logistics.zones.commands import follow_zones
from services.logistics.zones.presence import to_us
from tests.services.logistics.conftest import Stand, describe_piece, tag

OBSERVATIONS = "logistics.rfid.observations.v1"


def make_zones(stand: Stand) -> tuple[dict[str, Any], str, str]:
    """A gate whose antennas 1 and 2 hear bays A and B."""
    gate = stand.make_gate()
    bays = [
        stand.send("POST", "/v1/zones", {"name": name, "gate_id": gate["id"], "antennas": [{"antenna": antenna}]}).ok()
        for name, antenna in (("A", 1), ("B", 2))
    ]
    return gate, bays[0]["id"], bays[1]["id"]


def hear(
    stand: Stand, gate: dict[str, Any], number: int, antenna: int, *, times: int = 3, rssi_dbm: float = -50
) -> None:
    """A coil is read so often within a second, by now."""
    now = to_us(clock.now())
    reads = [Read(now - 300_000 * n, "", antenna, tag(number), f"{now}-{antenna}-{n}", rssi_dbm) for n in range(times)]
    stand.database.run(lambda session: follow_zones(session, Caller.system("logistics"), gate["id"], reads, now))


def stays(stand: Stand) -> list[tuple[str, str, str]]:
    """Oldest first: zone, piece, state."""
    items = stand.get("/v1/stays", party="warehouse").ok()["items"]
    return [(one["zone_id"], one["piece_id"], one["state"]) for one in reversed(items)]


def test_a_coil_enters_a_bay_stays_and_has_left_when_it_is_silent(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    gate, bay, _ = make_zones(stand)
    hear(stand, gate, 1, 1)
    assert stays(stand) == [(bay, "piece_1", "present")]
    for _ in range(3):
        assert stand.advance(timedelta(seconds=50)) == 0
        hear(stand, gate, 1, 1, times=1)
    hear(stand, gate, 1, 1, times=1)
    assert stand.advance(timedelta(seconds=61)) == 1
    assert stays(stand) == [(bay, "piece_1", "left")]
    told = [(one.change, one.zone_id, one.piece_id) for one in stand.told(OBSERVATIONS)]
    assert told == [("entered", bay, "piece_1"), ("left", bay, "piece_1")]


def test_a_coil_that_is_carried_over_is_in_the_other_bay_and_in_one_only(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    gate, bay, other = make_zones(stand)
    hear(stand, gate, 1, 1)
    stand.advance(timedelta(seconds=5))
    hear(stand, gate, 1, 2, times=1, rssi_dbm=-80)
    assert stays(stand) == [(bay, "piece_1", "present")]
    stand.advance(timedelta(seconds=5))
    hear(stand, gate, 1, 2, times=4, rssi_dbm=-40)
    assert stays(stand) == [(bay, "piece_1", "left"), (other, "piece_1", "present")]


def test_a_glimpse_is_no_stay_and_a_tag_of_nobody_is_followed_without_a_piece(stand: Stand) -> None:
    gate, bay, _ = make_zones(stand)
    hear(stand, gate, 1, 1, times=1)
    assert stays(stand) == []
    stand.advance(timedelta(minutes=5))
    hear(stand, gate, 2, 1)
    assert stays(stand) == [(bay, None, "present")]


def test_a_zone_gets_other_antennas_and_its_tags_leave_when_they_are_not_heard_there(stand: Stand) -> None:
    gate, bay, other = make_zones(stand)
    hear(stand, gate, 1, 1)
    setting = {"name": "A, new", "antennas": [{"antenna": 3}], "lost_after_s": 30}
    assert (
        stand.send("PUT", f"/v1/zones/{other}", setting | {"antennas": [{"antenna": 1}]}).problem() == "antenna_taken"
    )
    assert stand.send("PUT", f"/v1/zones/{other}", setting | {"antennas": []}).problem() == "antennas_of_gate"
    assert stand.send("PUT", f"/v1/zones/{other}", setting | {"name": "A"}).problem() == "zone_twice"
    assert stand.send("PUT", f"/v1/zones/{bay}", setting, party="stranger").status == 404
    changed = stand.send("PUT", f"/v1/zones/{bay}", setting).ok()
    assert changed == stand.get(f"/v1/zones/{bay}", party="warehouse").ok()
    assert (changed["name"], changed["gate_id"], changed["lost_after_s"]) == ("A, new", gate["id"], 30)
    assert stand.send("PUT", f"/v1/zones/{bay}", setting).ok() == changed, "its own antennas are free for it"
    hear(stand, gate, 1, 1)
    stand.advance(timedelta(seconds=61))
    assert stays(stand) == [(bay, None, "left")]
    hear(stand, gate, 1, 3)
    assert stays(stand)[1:] == [(bay, None, "present")]


def test_what_is_in_the_zones_of_another_company_is_not_shown(stand: Stand) -> None:
    gate, bay, _ = make_zones(stand)
    hear(stand, gate, 1, 1)
    (stay,) = stand.get(f"/v1/stays?zone_id={bay}&state=present", party="warehouse").ok()["items"]
    assert stand.get(f"/v1/stays/{stay['id']}", party="warehouse").ok() == stay
    assert stand.get(f"/v1/stays/{stay['id']}", party="stranger").status == 404
    assert stand.get(f"/v1/stays?zone_id={bay}", party="stranger").ok()["items"] == []


def test_a_gate_of_role_zone_follows_what_its_reader_hears_and_lets_nothing_pass(stand: Stand) -> None:
    stand.hear(describe_piece(1), describe_piece(2))
    gate, bay, other = make_zones(stand)
    stand.send("PUT", f"/v1/gates/{gate['id']}/rules", {"rules": {"role": "zone"}}).ok()
    stand.advance(timedelta(minutes=1))
    for _ in range(4):
        stand.post_reads(gate, [stand.read(tag(1), seconds=n / 5) for n in range(3)]).ok()
        stand.advance(timedelta(seconds=20))
    stand.post_reads(gate, [stand.read(tag(2), antenna=2, seconds=n / 5) for n in range(3)]).ok()
    stand.advance(timedelta(seconds=10))
    assert stays(stand) == [(bay, "piece_1", "present"), (other, "piece_2", "present")]
    assert stand.passages(gate) == [] and stand.discrepancies() == []
    stand.advance(timedelta(minutes=2))
    assert stays(stand) == [(bay, "piece_1", "left"), (other, "piece_2", "left")]
    assert stand.rows("SELECT count(*) FROM epcis_event") == [(0,)]


def test_a_tag_whose_reads_still_wait_to_be_worked_off_has_not_left(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    gate, bay, _ = make_zones(stand)
    stand.send("PUT", f"/v1/gates/{gate['id']}/rules", {"rules": {"role": "zone", "closing_ms": 60_000}}).ok()
    stand.advance(timedelta(minutes=1))
    for _ in range(14):
        stand.post_reads(gate, [stand.read(tag(1), seconds=n / 5) for n in range(2)]).ok()
        stand.advance(timedelta(seconds=25))
    assert stays(stand) == [(bay, "piece_1", "present")]
    stand.advance(timedelta(minutes=3))
    assert stays(stand) == [(bay, "piece_1", "left")]
