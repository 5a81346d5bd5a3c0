"""Readers of a gate: who registers them, who speaks for them, and what is heard of them."""

from __future__ import annotations

import base64
import gzip
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chassis import clock
from chassis.access import kid_of
from chassis.auth import Caller, sign_token
from chassis.brokers import Message
from chassis.values import read_wire
from events.logistics import GateJudged, ReaderHeard, TagsRead
from services.logistics.rfid.readers import commands
from services.logistics.rfid.readers.credentials import hash_password
from tests.services.logistics.conftest import BEGINNING, Answer, Stand, tag

LAMP = {"release": [1, 4], "stop": [2], "check": [3], "lasts_s": 10}
TOLD = {kind.type: kind for kind in (TagsRead, ReaderHeard)}


def register(stand: Stand, gate: dict[str, Any], kind: str = "http", **changed: Any) -> Answer:
    """Register a reader of a gate."""
    party = changed.pop("party", gate["party_id"])
    role = changed.pop("role", "warehouse")
    body = {"name": f"a reader by {kind}", "kind": kind} | ({"host": "10.0.0.7"} if kind == "llrp" else {})
    return stand.send("POST", f"/v1/gates/{gate['id']}/readers", body | changed, party=party, role=role)


def told_to_stream(stand: Stand) -> list[Any]:
    """What is in the stream now, in order."""
    subscription = stand.broker.subscribe("looking-in", [TagsRead.topic], "test")
    found: list[Message] = []
    while some := subscription.poll(100, 0):
        found += some
    subscription.close()
    return [msgspec.json.decode(one.value, type=TOLD[one.headers["ce_type"]], dec_hook=read_wire) for one in found]


def post(
    stand: Stand, reader: dict[str, Any], raw: bytes, *, device: str | None = None, encoding: str = "", **to: str
) -> Answer:
    """Hand in bytes as a gateway does, with the key of a reader."""
    party, gate_id, reader_id = (
        to.get("party", "warehouse"),
        to.get("gate", reader["gate_id"]),
        to.get("named", reader["id"]),
    )
    caller = Caller("key_1", party, frozenset({"warehouse"}), "machine", device or reader["id"])
    token = sign_token(stand.signing_key, kid_of(stand.signing_key.public_key().public_bytes_raw()), caller)
    headers = {"Authorization": f"Bearer {token}"} | ({"Content-Encoding": encoding} if encoding else {})
    path = f"/v1/gates/{gate_id}/readers/{reader_id}/reads"
    response = stand.app.test_client().post(path, data=raw, headers=headers, content_type="application/json")
    return Answer(response.status_code, response.get_json())


def batch(*reads: dict[str, Any], **more: Any) -> bytes:
    """Our own batch as bytes."""
    return msgspec.json.encode({"reads": list(reads), **more})


def test_a_reader_is_registered_shown_changed_and_retired(stand: Stand) -> None:
    gate = stand.make_gate()
    antennas = [{"number": 1, "label": "in, left", "power_dbm": 27.5}, {"number": 2, "label": "out", "power_dbm": None}]
    made = register(stand, gate, "llrp", antennas=antennas, lamp=LAMP, identity="000016257F").ok()
    assert made.pop("mqtt_password") is None
    assert made == {
        "id": made["id"],
        "gate_id": gate["id"],
        "name": "a reader by llrp",
        "kind": "llrp",
        "host": "10.0.0.7",
        "port": 5084,
        "identity": "000016257f",
        "certificate": None,
        "antennas": antennas,
        "lamp": LAMP,
        "state": "active",
        "connection": "unknown",
        "last_heard_at": None,
        "clock_offset_ms": None,
        "boot": None,
        "lamp_shows": None,
        "error": None,
        "error_at": None,
        "rejected": 0,
        "registered_at": "2026-03-02T08:00:00Z",
    }
    path = f"/v1/gates/{gate['id']}/readers/{made['id']}"
    assert stand.get(path, party="warehouse").ok() == made
    setting = {"name": "east", "host": "10.0.0.8", "port": 5085}
    changed = stand.send("PUT", path, setting).ok()
    assert changed == made | setting | {"identity": None, "antennas": [], "lamp": None}
    retired = stand.send("POST", f"{path}/retire").ok()
    assert retired == changed | {"state": "retired"}
    assert stand.get(f"/v1/gates/{gate['id']}/readers", party="warehouse").ok()["items"] == [retired]
    assert stand.send("POST", f"{path}/retire").problem() == "illegal_move"
    assert stand.send("PUT", path, setting).problem() == "reader_invalid"
    assert register(stand, gate, "llrp", name="east", host="10.0.0.8", port=5085).status == 201, "its place is free"


def test_a_stranger_sees_no_reader_and_changes_none(stand: Stand) -> None:
    gate, own = stand.make_gate(), stand.make_gate(party="elsewhere")
    reader = register(stand, gate).ok()
    before = stand.snapshot()
    for path in (gate["id"], own["id"]):
        to = f"/v1/gates/{path}/readers/{reader['id']}"
        assert stand.get(to, party="elsewhere").status == 404
        assert stand.get(f"{to}/test", party="elsewhere").status == 404
        assert stand.send("PUT", to, {"name": "mine"}, party="elsewhere").status == 404
        assert stand.send("POST", f"{to}/retire", party="elsewhere").status == 404
    assert stand.get(f"/v1/gates/{gate['id']}/readers", party="elsewhere").status == 404
    assert register(stand, gate, party="elsewhere", name="mine").status == 404
    assert register(stand, gate, role="finance", name="mine").status == 403
    after = stand.snapshot()
    assert {name: rows for name, rows in after.items() if name != "idempotency"} == {
        name: rows for name, rows in before.items() if name != "idempotency"
    }


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"kind": "llrp"}, "reader_invalid"),
        ({"kind": "llrp", "host": "8.8.8.8"}, "reader_invalid"),
        ({"kind": "llrp", "host": "169.254.169.254"}, "reader_invalid"),
        ({"kind": "llrp", "host": "999.1"}, "reader_invalid"),
        ({"kind": "llrp", "host": "10.0.0.9", "lamp": LAMP | {"release": []}}, "reader_invalid"),
        ({"kind": "llrp", "host": "10.0.0.9", "lamp": LAMP | {"check": [3, 4]}}, "reader_invalid"),
        ({"kind": "llrp", "host": "10.0.0.9", "antennas": [{"number": 1, "label": "x"}] * 2}, "reader_invalid"),
        ({"kind": "llrp", "host": "10.0.0.7", "name": "other"}, "reader_address_taken"),
        ({"kind": "llrp", "host": "10.0.0.9", "certificate": "none"}, "reader_invalid"),
        ({"kind": "llrp", "host": "10.0.0.9", "certificate": "-----BEGIN ä-----"}, "reader_invalid"),
        ({"kind": "http", "host": "10.0.0.9"}, "reader_invalid"),
        ({"kind": "mqtt", "lamp": LAMP}, "reader_invalid"),
        ({"kind": "http", "name": "a reader by llrp"}, "reader_name_taken"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(stand: Stand, changed: dict[str, Any], problem: str) -> None:
    gate = stand.make_gate()
    register(stand, gate, "llrp").ok()
    body = {"name": "another", **changed}
    answer = stand.send("POST", f"/v1/gates/{gate['id']}/readers", body)
    assert answer.problem() == problem
    assert stand.rows("SELECT count(*) FROM reader") == [(1,)]


def test_an_mqtt_readers_password_is_shown_once_and_kept_as_mosquitto_keeps_it(stand: Stand) -> None:
    gate = stand.make_gate()
    made = register(stand, gate, "mqtt").ok()
    ((kept,),) = stand.rows("SELECT password_hash FROM reader")
    _, kind, iterations, salt, _ = kept.split("$")
    assert (kind, iterations) == ("7", "101")
    assert hash_password(made["mqtt_password"], base64.b64decode(salt)) == kept
    shown = stand.get(f"/v1/gates/{gate['id']}/readers/{made['id']}", party="warehouse").ok()
    assert "mqtt_password" not in shown
    assert made["mqtt_password"] not in str(stand.snapshot())


def test_a_reader_speaks_for_itself_at_its_own_gate_only(stand: Stand) -> None:
    gate, other = stand.make_gate(), stand.make_gate(name="Gate 4")
    reader, second = register(stand, gate).ok(), register(stand, gate, name="second").ok()
    mqtt, llrp = register(stand, gate, "mqtt").ok(), register(stand, gate, "llrp").ok()
    sent = batch(stand.read(tag(1)))
    assert post(stand, reader, sent, named=second["id"]).problem() == "not_this_reader"
    assert post(stand, reader, sent, gate=other["id"]).problem() == "not_this_reader"
    assert post(stand, reader, sent, device=gate["id"]).problem() == "not_this_reader"
    assert post(stand, reader, sent, named="reader_unknown").problem() == "not_this_reader"
    assert post(stand, mqtt, sent).problem() == "not_this_reader"
    assert post(stand, llrp, sent).problem() == "not_this_reader"
    assert post(stand, reader, sent, party="elsewhere").status == 404
    path, body = f"/v1/gates/{gate['id']}/reads", {"reads": [stand.read(tag(1))]}
    assert (
        stand.send("POST", path, body | {"reader_id": second["id"]}, device=reader["id"]).problem() == "not_this_reader"
    )
    assert (
        stand.send("POST", path, body | {"reader_id": reader["id"]}, device=gate["id"]).problem() == "not_this_reader"
    )
    assert (
        stand.send("POST", f"/v1/gates/{other['id']}/reads", body, device=reader["id"]).problem() == "not_this_reader"
    )
    stand.send("POST", f"/v1/gates/{gate['id']}/readers/{reader['id']}/retire").ok()
    assert post(stand, reader, sent).problem() == "not_this_reader"
    assert told_to_stream(stand) == []


def test_what_a_reader_hands_in_comes_into_the_stream_of_its_gate(stand: Stand) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    read = stand.read(tag(1).lower(), seconds=-90)
    sent_at = (clock.now() - timedelta(seconds=60)).isoformat()
    edge = {"port": 1, "is_high": True, "at": sent_at}
    assert post(stand, reader, batch(read, boot="b1", sent_at=sent_at, edges=[edge])).ok() == {
        "accepted": 1,
        "edges": 1,
    }
    told, heard = told_to_stream(stand)
    assert (told.gate_id, told.reader_id, told.boot) == (gate["id"], reader["id"], f"{reader['id']}/b1")
    (one,) = told.reads
    assert (one.epc, one.sequence, one.is_skewed, one.count) == (tag(1), read["sequence"], False, 1)
    assert one.reader_at == BEGINNING - timedelta(seconds=90)
    assert one.at == BEGINNING - timedelta(seconds=30), "its clock is a minute behind"
    assert [(edge.port, edge.is_high, edge.at) for edge in told.edges] == [(1, True, BEGINNING)]
    assert (heard.reader_id, heard.at, heard.seen_until) == (reader["id"], BEGINNING, BEGINNING)


def test_a_clock_that_is_more_than_a_day_off_is_quarantined(stand: Stand) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    sent_at = (clock.now() - timedelta(hours=25)).isoformat()
    post(stand, reader, batch(stand.read(tag(1)), sent_at=sent_at)).ok()
    assert [one.is_skewed for one in told_to_stream(stand)[0].reads] == [True]


def test_an_empty_batch_says_that_the_reader_lives(stand: Stand) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    assert post(stand, reader, batch()).ok() == {"accepted": 0, "edges": 0}
    (heard,) = told_to_stream(stand)
    assert type(heard) is ReaderHeard


def test_what_a_reader_held_back_is_told_up_to_its_last_read_and_by_the_clock_that_was_known(stand: Stand) -> None:
    """It flushes what it held for five minutes to a process that never heard of it before."""
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    behind = timedelta(seconds=40)
    post(stand, reader, batch(stand.read(tag(1), seconds=-40), sent_at=(clock.now() - behind).isoformat())).ok()
    stand.work_off()
    stand.app.extensions.pop("reader_clocks")
    written_at = clock.now() - behind
    stand.frozen.advance(timedelta(minutes=5))
    held = stand.read(tag(1)) | {"at": (written_at - timedelta(seconds=2)).isoformat()}
    post(stand, reader, batch(held, sent_at=written_at.isoformat())).ok()
    told, heard = told_to_stream(stand)[2:]
    assert told.reads[0].at == heard.seen_until == BEGINNING - timedelta(seconds=2)
    assert heard.at == BEGINNING + timedelta(minutes=5)


IMPINJ = {
    "timestamp": "2026-03-02T07:59:59.5Z",
    "hostname": "impinj-14-46-36",
    "eventType": "tagInventory",
    "tagInventoryEvent": {"epcHex": tag(1), "antennaPort": 2, "peakRssiCdbm": -4550, "antennaName": "Antenna 2"},
}
ZEBRA = {
    "data": {"eventNum": 7, "format": "epc", "idHex": tag(2).lower(), "antenna": 3, "peakRssi": -51, "reads": 4},
    "timestamp": "2026-03-02T15:59:59.250+0800",
    "type": "CUSTOM",
}


@pytest.mark.parametrize(
    ("sent", "epc", "antenna", "rssi_dbm", "at_ms", "count"),
    [
        (IMPINJ, tag(1), 2, -45.5, -500, 1),
        ([{**IMPINJ, "tagInventoryEvent": {"epc": "MDQle_QAt4AAAAAB", "antennaPort": 1}}], tag(1), 1, -120.0, -500, 1),
        (ZEBRA, tag(2), 3, -51.0, -750, 4),
        ([{"eventType": "inventoryStatus"}, ZEBRA, {"type": "heartBeatEVT"}], tag(2), 3, -51.0, -750, 4),
    ],
    ids=["impinj", "impinj base64", "zebra", "zebra among others"],
)
def test_what_vendors_send_is_understood(
    stand: Stand, sent: Any, epc: str, antenna: int, rssi_dbm: float, at_ms: int, count: int
) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    raw = msgspec.json.encode(sent)
    assert post(stand, reader, raw).ok() == {"accepted": 1, "edges": 0}
    assert post(stand, reader, gzip.compress(raw), encoding="gzip").ok() == {"accepted": 1, "edges": 0}
    first, again = told_to_stream(stand)
    assert first.reads == again.reads and first.boot == again.boot, "sent again it has the same name"
    (one,) = first.reads
    assert (one.epc, one.antenna, one.rssi_dbm, one.count) == (epc, antenna, rssi_dbm, count)
    assert one.at == BEGINNING + timedelta(milliseconds=at_ms)


def test_a_vendors_sign_of_life_is_heard_and_no_gate_waits_for_the_next(stand: Stand) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    assert post(stand, reader, b'{"type": "heartBeatEVT", "data": {}}').ok() == {"accepted": 0, "edges": 0}
    stand.work_off()
    shown = stand.get(f"/v1/gates/{gate['id']}/readers/{reader['id']}", party="warehouse").ok()
    assert (shown["connection"], stand.rows("SELECT count(*) FROM reader_watermark")) == ("connected", [(0,)])


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"", ""),
        (b"no json", ""),
        (b"[" * 100_000, ""),
        (b"\xff\xfe", ""),
        (b"1", ""),
        (b"[1]", ""),
        (b"{}", ""),
        (b'{"reads": 1}', ""),
        (b'{"reads": [], "boots": "x"}', ""),
        (msgspec.json.encode({**IMPINJ, "tagInventoryEvent": {"epcHex": "xyz"}}), ""),
        (msgspec.json.encode({**IMPINJ, "tagInventoryEvent": {"epc": "not base 64"}}), ""),
        (msgspec.json.encode({**IMPINJ, "timestamp": "soon"}), ""),
        (msgspec.json.encode({**ZEBRA, "data": {"idHex": tag(1), "antenna": 1e300}}), ""),
        (msgspec.json.encode({**ZEBRA, "data": {"idHex": tag(1), "peakRssi": "nan"}}), ""),
        (msgspec.json.encode([ZEBRA] * 1_001), ""),
        (b"no gzip", "gzip"),
        (gzip.compress(b"[]", mtime=0)[:-4], "gzip"),
        (gzip.compress(b" " * 5_000_000, mtime=0), "gzip"),
        (gzip.compress(batch(), mtime=0) * 2, "gzip"),
        (gzip.compress(b"[]", mtime=0), "br"),
    ],
)
def test_what_is_not_a_batch_is_refused(stand: Stand, raw: bytes, encoding: str) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    answer = post(stand, reader, raw, encoding=encoding)
    assert (answer.status, answer.problem()) == (422, "batch_invalid"), answer.body
    assert told_to_stream(stand) == []


def test_a_reader_is_connected_while_it_is_heard_and_silent_afterwards(stand: Stand) -> None:
    gate = stand.make_gate()
    reader = register(stand, gate).ok()
    path = f"/v1/gates/{gate['id']}/readers/{reader['id']}"
    heard = [
        commands.Heard(reader["id"], BEGINNING, "b1", 250),
        commands.Heard(reader["id"], BEGINNING - timedelta(seconds=5), "b0", 9),
        commands.Heard("reader_unknown", BEGINNING),
    ]
    stand.database.run(lambda session: commands.hear_readers(session, heard))
    stand.database.run(lambda session: commands.hear_readers(session, heard[1:]))
    shown = stand.get(path, party="warehouse").ok()
    assert (shown["connection"], shown["boot"], shown["clock_offset_ms"]) == ("connected", "b1", 250)
    assert shown["last_heard_at"] == "2026-03-02T08:00:00Z"
    assert stand.get(f"{path}/test", party="warehouse").ok() == {
        "reader_id": reader["id"],
        "is_well": True,
        "checks": [
            {"name": "heard", "is_well": True, "text": "It was last heard 0 s ago."},
            {"name": "clock", "is_well": True, "text": "Its clock is 250 ms off."},
        ],
    }
    stand.frozen.advance(timedelta(seconds=11))
    assert stand.get(path, party="warehouse").ok()["connection"] == "silent"
    assert not stand.get(f"{path}/test", party="warehouse").ok()["is_well"]


def test_the_last_verdict_of_a_gate_is_kept_by_the_time_of_its_passage(stand: Stand) -> None:
    gate = stand.make_gate()

    def judge(verdict: str, at: datetime) -> None:
        stand.hear(
            GateJudged(
                gate_id=gate["id"], warehouse_id="warehouse", passage_id=f"passage_{verdict}", at=at, verdict=verdict
            )
        )

    judge("stop", BEGINNING)
    judge("release", BEGINNING - timedelta(seconds=1))
    assert stand.rows("SELECT passage_id, verdict FROM gate_verdict") == [("passage_stop", "stop")]
    judge("check", BEGINNING + timedelta(seconds=1))
    assert stand.rows("SELECT passage_id, verdict FROM gate_verdict") == [("passage_check", "check")]


def test_what_is_said_late_of_a_truck_is_not_shown_to_the_next(stand: Stand) -> None:
    gate = stand.make_gate()
    (first,) = stand.pass_gate(gate, 1)
    stand.advance(timedelta(seconds=5))
    second, _ = stand.pass_gate(gate, 2)
    word = {"gate_id": gate["id"], "warehouse_id": "warehouse"}
    for passage, verdict in ((second, "stop"), (first, "release")):
        stand.hear(GateJudged(**word, passage_id=passage["id"], at=clock.now(), verdict=verdict))
    due = BEGINNING + timedelta(seconds=11)
    assert stand.rows("SELECT verdict, at FROM gate_verdict") == [("stop", due)], (
        "closing time and a second after its last read"
    )


def test_what_a_reader_says_went_wrong_is_kept_whatever_it_is(stand: Stand) -> None:
    reader = register(stand, stand.make_gate()).ok()
    stand.database.run(lambda session: commands.note_trouble(session, reader["id"], "no\0power" * 200, rejected=1))
    assert stand.rows("SELECT rejected, left(error, 8) FROM reader_pulse") == [(1, "no\N{REPLACEMENT CHARACTER}power")]
