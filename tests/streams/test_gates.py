"""Does a gate's display hear at once what the gate said, and nobody else's does?"""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import pytest

from chassis.access import learn_denial
from events.logistics import JudgedReason
from gateway.streams import entrance, feed
from gateway.streams.entrance import redeem_at
from gateway.streams.limits import Limits
from tests.streams.conftest import Heard, Process, judged, wait_until
from tests.world import Client


def path_of(gate: dict[str, Any]) -> str:
    """Where the gate is listened to."""
    return f"/v1/streams/gates/{gate['id']}"


def test_verdicts_come_as_they_are_said(process: Process, warehouse: Client, gate: dict[str, Any]) -> None:
    display = process.listen(path_of(gate), warehouse)
    assert (display.status, display.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert display.headers["x-accel-buffering"] == "no" and display.headers["cache-control"] == "no-store"
    assert [display.next(), display.next()] == [Heard("retry"), Heard("feed", {"state": "up"})]
    reason = JudgedReason(code="no_delivery", text="No note is open for it", piece_id="piece_1")
    other = {"id": "gate_other", "party_id": warehouse.party_id}
    (first, _, last) = process.say(
        judged(gate, 1, delivery_ids=["delivery_1"]), judged(other, 2), judged(gate, 3, "stop", reasons=[reason])
    )
    assert display.next() == Heard(
        "gate_judged",
        {
            "gate_id": gate["id"], "warehouse_id": warehouse.party_id, "passage_id": "passage_1", "at": "2026-03-02T08:00:00Z",
            "verdict": "release", "plate": "津A·12345", "delivery_ids": ["delivery_1"], "reasons": [],
        },
        first,
    )  # fmt: skip
    stop = display.next()
    assert (stop.id, stop.data["verdict"], stop.data["passage_id"]) == (last, "stop", "passage_3")
    assert stop.data["reasons"] == [
        {"code": "no_delivery", "text": "No note is open for it", "piece_id": "piece_1", "epc": None}
    ]


def test_all_who_listen_hear_it(process: Process, warehouse: Client, gate: dict[str, Any]) -> None:
    displays = [process.listen(path_of(gate), warehouse) for _ in range(5)]
    process.say(judged(gate, 1, "check"))
    assert [display.next_of("gate_judged").data["verdict"] for display in displays] == ["check"] * 5


def test_a_stranger_finds_no_such_gate(process: Process, stranger: Client, gate: dict[str, Any]) -> None:
    for id in (gate["id"], "gate_none", "a b", "%00", "x" * 100):
        refused = process.listen(f"/v1/streams/gates/{id}".replace(" ", "%20"), stranger)
        assert (refused.status, refused.body()["type"]) == (404, "urn:haihe:problem:not_found")
    assert process.streams.listeners.open == set()


def test_the_gates_own_device_listens_and_that_of_another_gate_does_not(
    process: Process, warehouse: Client, gate: dict[str, Any]
) -> None:
    world = process.world
    own, other = (
        world.client(
            world.token("warehouse", party_id=warehouse.party_id, user_id="key_1", kind="machine", device=device)
        )
        for device in (gate["id"], "gate_other")
    )
    assert process.listen(path_of(gate), own).status == 200
    assert process.listen(path_of(gate), other).status == 404


def test_without_a_token_nobody_listens(process: Process, gate: dict[str, Any]) -> None:
    none = process.listen(path_of(gate))
    assert (none.status, none.body()["type"]) == (401, "urn:haihe:problem:not_signed_in")
    assert none.headers["www-authenticate"] == "Bearer"
    assert process.listen(path_of(gate), Authorization="Bearer nonsense").status == 401


def test_a_ticket_opens_one_stream(process: Process, warehouse: Client, gate: dict[str, Any]) -> None:
    ticket = warehouse.post("/v1/tickets", key="").ok()["ticket"]
    both = process.listen(f"{path_of(gate)}?ticket={ticket}", warehouse)
    assert both.body()["type"] == "urn:haihe:problem:not_signed_in"
    display = process.listen(f"{path_of(gate)}?ticket={ticket}")
    assert display.status == 200
    process.say(judged(gate, 1))
    assert display.next_of("gate_judged").data["passage_id"] == "passage_1"
    again = process.listen(f"{path_of(gate)}?ticket={ticket}")
    assert (again.status, again.body()["type"]) == (401, "urn:haihe:problem:ticket_refused")


def test_a_strange_ticket_is_refused_and_one_that_nobody_can_judge_now_is_not_called_wrong(
    process: Process, gate: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Identity is asked about what looks like one, and about two at a time."""
    likely, asked, redeem = "ticket_1." + "A" * 43, [], process.streams.redeem
    process.streams.redeem = lambda ticket: asked.append(ticket) or redeem(ticket)
    for ticket in ("", "short", likely, "x" * 300, likely + "A", "%E6%B2%B3" * 5):
        assert process.listen(f"{path_of(gate)}?ticket={ticket}").status == 401
    assert asked == [likely]
    process.streams.redeem = redeem_at("http://127.0.0.1:9")
    away = process.listen(f"{path_of(gate)}?ticket={likely}")
    assert (away.status, away.body()["type"]) == (503, "urn:haihe:problem:tickets_away")
    process.streams.redeem, process.streams.room = redeem, asyncio.Semaphore(0)
    monkeypatch.setattr(entrance, "TIMEOUT_S", 0.05)
    busy = process.listen(f"{path_of(gate)}?ticket={likely}")
    assert (busy.status, busy.body()["type"]) == (503, "urn:haihe:problem:tickets_away")


def test_a_stranger_with_a_good_ticket_of_his_own_sees_no_gate(
    process: Process, stranger: Client, gate: dict[str, Any]
) -> None:
    ticket = stranger.post("/v1/tickets", key="").ok()["ticket"]
    assert process.listen(f"{path_of(gate)}?ticket={ticket}").status == 404


def test_who_was_cut_off_goes_on_where_he_was(process: Process, warehouse: Client, gate: dict[str, Any]) -> None:
    display = process.listen(path_of(gate), warehouse)
    first, *_ = process.say(judged(gate, 1), judged(gate, 2))
    assert display.next_of("gate_judged").id == first
    display.close()
    process.say(judged(gate, 3))
    again = process.listen(path_of(gate), warehouse, Last_Event_ID=first)
    process.say(judged(gate, 4))
    assert [again.next_of("gate_judged").data["passage_id"] for _ in range(3)] == [
        "passage_2",
        "passage_3",
        "passage_4",
    ]
    unknown = process.listen(path_of(gate), warehouse, Last_Event_ID="event_of_last_year")
    assert unknown.next_of("gap").data == {"last_event_id": "event_of_last_year"}


def test_a_slow_reader_is_dropped_and_the_others_are_not(
    stopped: Process, warehouse: Client, gate: dict[str, Any]
) -> None:
    with stopped.running(Limits(queue=20, send_buffer_bytes=4_096, write_s=1.0, leave_s=0.5)) as process:
        slow = process.listen(path_of(gate), warehouse, receive_bytes=4_096)
        quick = process.listen(path_of(gate), warehouse)
        reasons = [JudgedReason(code="not_read", text="x" * 1_000, epc=str(n)) for n in range(50)]
        number = 0
        while len(process.streams.listeners.open) == 2:
            number += 1
            process.say(judged(gate, number, "check", reasons=reasons))
            assert quick.next_of("gate_judged").data["passage_id"] == f"passage_{number}"
        assert slow.socket.fileno() > 0
        process.say(judged(gate, number + 1))
        assert quick.next_of("gate_judged").data["passage_id"] == f"passage_{number + 1}"
        assert b'haihe_streams_dropped_total{kind="gate",reason="slow"}' in process.get("/metrics")[1]


def test_a_company_opens_so_many_and_a_process_so_many(
    stopped: Process, warehouse: Client, stranger: Client, gate: dict[str, Any]
) -> None:
    theirs = stranger.post("/v1/gates", {"name": "Gate 1", "place": "Tanggu"}).ok()
    with stopped.running(Limits(connections=3, connections_party=2)) as process:
        mine = [process.listen(path_of(gate), warehouse) for _ in range(2)]
        refused = process.listen(path_of(gate), warehouse)
        assert (refused.status, refused.headers["retry-after"]) == (429, "30")
        assert process.listen(path_of(theirs), stranger).status == 200
        full = process.listen(path_of(theirs), stranger)
        assert (full.status, full.body()["type"]) == (503, "urn:haihe:problem:streams_full")
        mine[0].close()
        wait_until(lambda: len(process.streams.listeners.open) == 2)
        assert process.listen(path_of(gate), warehouse).status == 200


def test_an_idle_stream_is_pinged_and_a_gone_listener_forgotten(
    stopped: Process, warehouse: Client, gate: dict[str, Any]
) -> None:
    with stopped.running(Limits(ping_s=0.05)) as process:
        display = process.listen(path_of(gate), warehouse)
        assert [display.next_of("ping"), display.next_of("ping")] == [Heard("ping"), Heard("ping")]
        display.close()
        wait_until(lambda: not process.streams.listeners.open)


def test_a_stream_lives_so_long(stopped: Process, warehouse: Client, gate: dict[str, Any]) -> None:
    with stopped.running(Limits(life_s=0.2)) as process:
        display = process.listen(path_of(gate), warehouse)
        assert display.next_of("dropped").data["reason"] == "too_old"
        assert display.next() is None


def test_who_may_no_longer_act_hears_no_more(stopped: Process, warehouse: Client, gate: dict[str, Any]) -> None:
    with stopped.running(Limits(recheck_s=0.1)) as process:
        display = process.listen(path_of(gate), warehouse)
        assert display.next_of("feed")
        process.world.databases["logistics"].run(
            lambda session: learn_denial(session, warehouse.party_id, 9, denied=True)
        )
        assert display.next_of("dropped").data["reason"] == "access_ended"
        assert process.listen(path_of(gate), warehouse).status == 401


def test_the_end_of_the_process_is_told(stopped: Process, warehouse: Client, gate: dict[str, Any]) -> None:
    with stopped.running(Limits()) as process:
        display = process.listen(path_of(gate), warehouse)
        assert display.next_of("feed")
    assert display.next_of("dropped").data["reason"] == "stopping"
    with stopped.running(Limits()) as process:
        again = process.listen(path_of(gate), warehouse)
        process.say(judged(gate, 1))
        assert again.next_of("gate_judged").data["passage_id"] == "passage_1"


def test_an_outage_of_the_broker_is_told_and_nothing_is_lost(
    process: Process, warehouse: Client, gate: dict[str, Any]
) -> None:
    display = process.listen(path_of(gate), warehouse)
    assert display.next_of("feed").data == {"state": "up"}
    with process.stand.outage():
        assert display.next_of("feed").data == {"state": "down"}
        assert process.get("/ready")[0] == 503
        late = process.listen(path_of(gate), warehouse)
        assert late.next_of("feed").data == {"state": "down"}
    assert display.next_of("feed").data == {"state": "up"}
    process.say(judged(gate, 1), broker=process.stand.open())
    for one in (display, late):
        assert one.next_of("gate_judged").data["passage_id"] == "passage_1"
    assert process.get("/ready")[0] == 200


def test_a_feed_that_fails_or_hangs_is_told(
    stopped: Process, warehouse: Client, gate: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stopped.running(Limits(recheck_s=0.05)) as process:
        display = process.listen(path_of(gate), warehouse)
        assert display.next_of("feed").data == {"state": "up"}
        tail = process.streams.feed._tail

        def fail(*_: object) -> NoReturn:
            del tail.poll
            raise RuntimeError("a bug")

        tail.poll = fail
        assert [display.next_of("feed").data["state"] for _ in range(2)] == ["down", "up"]
        monkeypatch.setattr(feed, "HUNG_S", 0.0)
        assert display.next_of("feed").data == {"state": "down"}
        assert process.get("/ready")[0] == 503
        monkeypatch.undo()
        assert display.next_of("feed").data == {"state": "up"}


def test_other_addresses_are_problems(process: Process) -> None:
    for path in ("/", "/v1/streams", "/v1/streams/gates/", "/v1/gates", "/epcis/v2"):
        found = process.listen(path)
        assert (found.status, found.body()["type"]) == (404, "urn:haihe:problem:no_route")
    assert process.get("/health") == (200, b'{"status":"ok"}')
