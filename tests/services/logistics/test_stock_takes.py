"""Stock-takes: what a handheld saw against what should be there; reads counted once, tasks for what does not fit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chassis import clock
from services.logistics.rfid.epc import decode_epc
from tests.services.logistics.conftest import Stand, describe_piece, tag

GTIN = decode_epc(tag(2)).link.split("/")[4]


def make_zone(stand: Stand, name: str = "Bay 4", *, party: str = "warehouse", **said: Any) -> dict[str, Any]:
    return stand.send("POST", "/v1/zones", {"name": name, **said}, party=party).ok()


def begin(stand: Stand, zone: dict[str, Any] | None = None, *, party: str = "warehouse", **said: Any) -> dict[str, Any]:
    body = {**({"zone_id": zone["id"]} if zone else {}), **said}
    return stand.send("POST", "/v1/stock-takes", body, party=party).ok()


def post(stand: Stand, take: dict[str, Any], *items: dict[str, Any], first: int = 1, **sent: Any):
    """Sights of things by handheld h1, in sequence."""
    now = clock.now().isoformat()
    reads = [{"sequence": first + n, "at": now, **item} for n, item in enumerate(items)]
    body = {"handheld": sent.pop("handheld", "h1"), "boot": sent.pop("boot", "0"), "reads": reads}
    return stand.send("POST", f"/v1/stock-takes/{take['id']}/reads", body, **sent)


def close(stand: Stand, take: dict[str, Any], *, party: str = "warehouse", role: str = "warehouse"):
    return stand.send("POST", f"/v1/stock-takes/{take['id']}/close", party=party, role=role)


def lines(stand: Stand, take: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in stand.get(f"/v1/stock-takes/{take['id']}/lines", party="warehouse").ok()["items"]:
        found.setdefault(line["standing"], set()).add(line["piece_id"] or line["epc"])
    return found


def coil(number: int) -> dict[str, str]:
    return {"epc": tag(number)}


def test_a_warehouse_is_gone_through_and_what_does_not_fit_becomes_tasks(stand: Stand) -> None:
    stand.hear(*(describe_piece(number) for number in (1, 2, 3)), describe_piece(4, warehouse_id="elsewhere"))
    take = begin(stand)
    assert (take["state"], take["zone_id"], take["kind"]) == ("open", None, "cycle_counting")
    assert post(stand, take, coil(1), coil(1), coil(4), {"epc": "00" * 12}).ok() == {"accepted": 4, "new": 4}
    assert post(stand, take, coil(1), coil(1), coil(4), {"epc": "00" * 12}).ok() == {"accepted": 4, "new": 0}
    assert post(stand, take, coil(2), handheld="h2").ok() == {"accepted": 1, "new": 1}
    assert stand.discrepancies() == []
    closed = close(stand, take).ok()
    counts = {name: closed[name] for name in ("reads", "things", "found", "missing", "unexpected")}
    assert counts == {"reads": 5, "things": 4, "found": 2, "missing": 1, "unexpected": 2}
    assert lines(stand, take) == {
        "found": {"piece_1", "piece_2"},
        "missing": {"piece_3"},
        "unexpected": {"piece_4", "00" * 12},
    }
    tasks = {
        (one["kind"], one["piece_id"] or one["epc"], one["stock_take_id"], one["state"])
        for one in stand.discrepancies()
    }
    assert tasks == {
        ("missing", "piece_3", take["id"], "open"),
        ("unexpected", "piece_4", take["id"], "open"),
        ("unexpected", "00" * 12, take["id"], "open"),
    }
    (event,) = stand.get("/v1/trails/piece_1", party="mill").ok()["events"]
    assert (event["eventID"], event["bizStep"], event["action"]) == (
        closed["epcis_event_id"],
        "cycle_counting",
        "OBSERVE",
    )
    assert event["bizLocation"] == event["readPoint"] == {"id": "urn:haihe:warehouse:warehouse"}
    assert (event["haihe:entry"], event["haihe:method"]) == ("manual", "handheld")
    assert close(stand, take).problem() == "illegal_move"
    assert post(stand, take, coil(3), first=9).problem() == "stock_take_over"


def test_what_was_missing_and_is_found_again_is_no_task_any_more(stand: Stand) -> None:
    stand.hear(describe_piece(1), describe_piece(2))
    for _ in range(2):
        take = begin(stand)
        post(stand, take, coil(1)).ok()
        close(stand, take).ok()
    (task,) = stand.discrepancies()
    assert (task["kind"], task["piece_id"], task["state"]) == ("missing", "piece_2", "open")
    take = begin(stand)
    post(stand, take, coil(1), coil(2)).ok()
    closed = close(stand, take).ok()
    (task,) = stand.discrepancies()
    assert (task["state"], task["result"], task["closing_event_ids"]) == ("closed", "found", [closed["epcis_event_id"]])


def test_what_has_left_is_not_missing_and_what_came_back_is_expected(stand: Stand) -> None:
    ids, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *ids).ok()
    take = begin(stand)
    close(stand, take).ok()
    assert lines(stand, take) == {"missing": set(ids)}
    stand.advance(timedelta(minutes=5))
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "the gate was off"}).ok()
    take = begin(stand)
    close(stand, take).ok()
    assert lines(stand, take) == {}
    stand.advance(timedelta(hours=1))
    take = begin(stand)
    post(stand, take, coil(1)).ok()
    close(stand, take).ok()
    assert lines(stand, take) == {"unexpected": {"piece_1"}}
    stand.advance(timedelta(hours=1))
    take = begin(stand)
    close(stand, take).ok()
    assert lines(stand, take) == {"missing": {"piece_1"}}


def test_a_piece_is_found_by_tag_barcode_number_or_id_and_once(stand: Stand) -> None:
    stand.hear(*(describe_piece(number) for number in (1, 2, 3)), describe_piece(4, epc=None))
    take = begin(stand)
    elements = f"(01){GTIN}(21)2"
    post(
        stand, take, coil(1), {"number": "C0001"}, {"barcode": elements}, {"number": "C0003"}, {"piece_id": "piece_4"}
    ).ok()
    closed = close(stand, take).ok()
    assert (closed["found"], closed["missing"], closed["unexpected"]) == (4, 0, 0)
    other = begin(stand)
    before = stand.snapshot()
    assert post(stand, other, {"number": "C9999"}).problem() == "no_such_number"
    assert post(stand, other, {"barcode": "6901234560001"}).problem() == "not_a_code"
    assert post(stand, other, {"barcode": elements, "number": "C0001"}).problem() == "one_name"
    assert post(stand, other, {}).problem() == "one_name"
    assert post(stand, other, {"piece_id": "piece_9"}).status == 404
    assert post(stand, other, {"epc": "XYZ"}).status == 422
    assert stand.snapshot() == before


def test_a_zone_is_gone_through_and_remembers_what_was_found(stand: Stand) -> None:
    stand.hear(*(describe_piece(number) for number in (1, 2, 3)))
    zone, other = make_zone(stand), make_zone(stand, "Bay 5")
    take = begin(stand, zone)
    post(stand, take, coil(1), coil(2)).ok()
    closed = close(stand, take).ok()
    assert (closed["found"], closed["missing"]) == (2, 0)
    present = stand.get(f"/v1/stays?zone_id={zone['id']}&state=present", party="warehouse").ok()["items"]
    assert {one["piece_id"] for one in present} == {"piece_1", "piece_2"}
    take = begin(stand, other)
    post(stand, take, coil(2)).ok()
    close(stand, take).ok()
    take = begin(stand, zone)
    post(stand, take, coil(3)).ok()
    close(stand, take).ok()
    assert lines(stand, take) == {"found": {"piece_3"}, "missing": {"piece_1"}}
    (task,) = stand.discrepancies()
    assert (task["kind"], task["piece_id"], task["zone_id"]) == ("missing", "piece_1", zone["id"])
    now = {
        one["piece_id"]: one["zone_id"] for one in stand.get("/v1/stays?state=present", party="warehouse").ok()["items"]
    }
    assert now == {"piece_2": other["id"], "piece_3": zone["id"]}


def test_the_key_of_a_handheld_posts_its_own_reads_and_nothing_else(stand: Stand) -> None:
    take = begin(stand)
    assert post(stand, take, coil(1), device="h1").ok()["new"] == 1
    before = stand.snapshot()
    assert post(stand, take, coil(1), device="h2").problem() == "not_this_handheld"
    assert post(stand, take, coil(1), device="h1", party="stranger").status == 404
    assert post(stand, take, coil(1), role="seller").problem() == "missing_role"
    refused = stand.send("POST", f"/v1/stock-takes/{take['id']}/close", device="h1")
    assert refused.problem() == "device_only"
    assert stand.snapshot() == before


def test_a_stock_take_of_another_company_is_not_there(stand: Stand) -> None:
    zone, take = make_zone(stand), begin(stand)
    paths = (f"/v1/stock-takes/{take['id']}", f"/v1/stock-takes/{take['id']}/lines", f"/v1/zones/{zone['id']}")
    assert [stand.get(path, party="stranger").status for path in paths] == [404] * 3
    before = stand.snapshot()
    assert close(stand, take, party="stranger").status == 404
    assert stand.send("POST", "/v1/stock-takes", {"zone_id": zone["id"]}, party="stranger").status == 404
    assert stand.snapshot() == before
    assert stand.get("/v1/stock-takes", party="stranger").ok()["items"] == []
    assert stand.get("/v1/zones", party="stranger").ok()["items"] == []


def test_one_that_nobody_closes_is_given_up_and_says_nothing_of_what_is_missing(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    take = begin(stand)
    assert stand.advance(timedelta(days=6)) == 0
    assert stand.advance(timedelta(days=1)) == 1
    assert stand.get(f"/v1/stock-takes/{take['id']}", party="warehouse").ok()["state"] == "abandoned"
    assert close(stand, take).problem() == "illegal_move"
    assert stand.discrepancies() == []


def test_a_zone_has_its_own_name_and_antennas(stand: Stand) -> None:
    gate = stand.make_gate()
    zone = make_zone(stand, gate_id=gate["id"], antennas=[{"antenna": 1}, {"antenna": 2, "reader_id": "reader_1"}])
    assert zone["antennas"] == [{"antenna": 1, "reader_id": None}, {"antenna": 2, "reader_id": "reader_1"}]
    before = stand.snapshot()

    def refuse(**said: Any) -> str:
        return stand.send("POST", "/v1/zones", {"name": "Bay 9", **said}).problem()

    assert refuse(name="Bay 4") == "zone_twice"
    assert refuse(gate_id=gate["id"]) == refuse(antennas=[{"antenna": 1}]) == "antennas_of_gate"
    assert refuse(gate_id=gate["id"], antennas=[{"antenna": 1}]) == "antenna_taken"
    assert refuse(gate_id="gate_x", antennas=[{"antenna": 1}]) == "not_found"
    assert stand.snapshot() == before
