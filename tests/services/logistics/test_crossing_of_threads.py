"""Reads that come while their passage closes, and everything else that meets in the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from chassis import clock
from events.logistics import TagRead, TagsRead
from services.logistics.rfid.commands import take_reads
from tests.services.logistics.conftest import SYSTEM, Stand, tag


def test_reads_and_closing_passages_lose_nothing_between_them(stand: Stand) -> None:
    gates = [stand.make_gate(closing_ms=100) for _ in range(2)]
    batches = [(gate["id"], begin) for begin in range(0, 600, 20) for gate in gates]

    def hand_in(batch: tuple[str, int]) -> None:
        gate_id, begin = batch
        reads = [
            TagRead(sequence=n, epc=tag(n % 7), antenna=1, rssi_dbm=-50, at=clock.now())
            for n in range(begin, begin + 25)
        ]
        event = TagsRead(gate_id=gate_id, boot="0", received_at=clock.now(), reads=reads)
        stand.database.run(lambda session: take_reads(session, SYSTEM, [event]))

    with ThreadPoolExecutor(6) as threads:
        handed_in = [threads.submit(hand_in, batch) for batch in batches]
        while not all(one.done() for one in handed_in):
            stand.advance(timedelta(milliseconds=150))
        assert [one.exception() for one in handed_in if one.exception()] == []
    stand.advance(timedelta(seconds=1))
    for gate in gates:
        counted = stand.rows(f"SELECT sum(reads) FROM passage WHERE gate_id = '{gate['id']}' AND state = 'closed'")
        assert counted == [(605,)]
    assert stand.rows("SELECT count(*) FROM passage")[0][0] > 2
    assert stand.broken() == {}


def test_a_gate_a_ticket_and_a_deadline_at_once_leave_one_history(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(6), stand.make_gate()
    deliveries = [stand.start(gate, piece).ok() for piece in pieces]
    stand.told()
    stand.post_reads(gate, [stand.read(tag(number)) for number in range(1, 7) for _ in range(3)]).ok()
    with ThreadPoolExecutor(13) as threads:
        tickets = [threads.submit(stand.weigh, one, end) for one in deliveries for end in ("loading", "receiving")]
        threads.submit(stand.advance, timedelta(seconds=3))
    assert {one.result().status for one in tickets} <= {201, 409}
    for one in deliveries:
        stand.weigh(one, "loading")
        stand.weigh(one, "receiving")
    assert {stand.show(one)["state"] for one in deliveries} == {"weighed"}
    told = stand.told()
    for one in deliveries:
        history = [type(event).__name__ for event in told if event.delivery_id == one["id"]]
        assert history == ["DeliveryDeparted", "DeliveryWeighed"]
    assert stand.broken() == {}
