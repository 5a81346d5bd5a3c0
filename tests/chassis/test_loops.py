"""Timers and errands: what is due is done once, a failing one blocks no other, and nobody calls out inside a transaction."""

from __future__ import annotations

import time
from datetime import timedelta

from prometheus_client import REGISTRY

from chassis import clock, heartbeats, timers, worker
from chassis.database import transaction_open
from chassis.errands import purge_errands
from chassis.heartbeats import Heartbeat
from chassis.settings import Settings
from chassis.worker import Context, measure, write_beats
from tests.chassis import sample
from tests.chassis.conftest import Stand


def _ask(stand: Stand, id: str) -> None:
    stand.database.run(lambda session: sample.ask_to_print(session, session.get(sample.Note, id)))


def test_a_deadline_is_met_when_it_comes(stand: Stand) -> None:
    note = stand.write("first", due_at=clock.now() + timedelta(minutes=5))
    assert stand.loops["timers"].step() == 0
    stand.clock.advance(timedelta(minutes=5))
    assert stand.loops["timers"].step() == 1
    assert stand.rows(f"SELECT state, due_at FROM note WHERE id = '{note}'") == [("closed", None)]
    assert stand.loops["timers"].step() == 0


def test_a_failing_deadline_blocks_no_other_and_is_tried_again(stand: Stand) -> None:
    sample.dislikes.add("bad")
    bad = stand.write("bad", due_at=clock.now())
    stand.write("good", due_at=clock.now())
    assert stand.loops["timers"].step() == 1
    assert stand.loops["timers"].step() == 0
    sample.dislikes.clear()
    stand.clock.advance(timedelta(seconds=6))
    assert stand.loops["timers"].step() == 1
    assert stand.rows(f"SELECT state FROM note WHERE id = '{bad}'") == [("closed",)]


def test_a_step_ends_in_time_and_the_oldest_deadline_comes_first(stand: Stand, monkeypatch) -> None:
    newer = stand.write("newer", due_at=clock.now() - timedelta(minutes=1))
    older = stand.write("older", due_at=clock.now() - timedelta(minutes=2))
    monkeypatch.setattr(timers, "STEP_S", -1.0)
    assert stand.loops["timers"].step() == 1
    assert dict(stand.rows("SELECT id, state FROM note")) == {older: "closed", newer: "open"}
    assert [stand.loops["timers"].step() for _ in range(2)] == [1, 0]


def test_an_errand_is_done_once_with_its_own_id(stand: Stand, monkeypatch) -> None:
    note = stand.write("page")
    _ask(stand, note)
    open_while_calling: list[bool] = []
    call = sample.print_note

    def watched(settings, payload, attempt):
        open_while_calling.append(transaction_open.get())
        return call(settings, payload, attempt)

    monkeypatch.setitem(stand.loops["errands"].kinds, "print", sample.Errand(call=watched, record=sample.record_print))
    assert stand.loops["errands"].step() == 1
    assert stand.loops["errands"].step() == 0
    assert open_while_calling == [False]
    assert stand.rows("SELECT text FROM note") == [("page printed 1",)]
    assert stand.rows("SELECT state, attempt, error FROM errand") == [("done", 1, None)]


def test_a_failing_errand_backs_off_then_is_left_for_the_operator(stand: Stand) -> None:
    sample.dislikes.add("page")
    note = stand.write("page")
    _ask(stand, note)
    for _ in range(10):
        stand.loops["errands"].step()
        stand.clock.advance(timedelta(minutes=10))
    ids = {errand for _, errand, _ in sample.printed}
    assert [attempt for _, _, attempt in sample.printed] == [1, 2, 3] and len(ids) == 1
    assert stand.rows("SELECT state, error FROM errand") == [("failed", "ConnectionError('out of paper')")]


def test_an_errand_of_a_dead_worker_is_taken_over_after_its_lease(stand: Stand) -> None:
    note = stand.write("page")
    _ask(stand, note)
    stand.database.run(stand.loops["errands"]._claim)
    assert stand.loops["errands"].step() == 0
    stand.clock.advance(timedelta(seconds=61))
    assert stand.loops["errands"].step() == 1
    assert sample.printed[0][2] == 2


def test_done_errands_are_forgotten_after_a_week(stand: Stand) -> None:
    _ask(stand, stand.write("page"))
    stand.loops["errands"].step()
    stand.clock.advance(timedelta(days=6))
    assert stand.database.run(purge_errands) == 0
    stand.clock.advance(timedelta(days=2))
    assert stand.database.run(purge_errands) == 1


def test_heartbeats_of_a_worker_that_is_gone_are_thrown_away_a_batch_at_a_time(stand: Stand, monkeypatch) -> None:
    def beat(member: str) -> None:
        stand.database.run(lambda session: session.merge(Heartbeat(member=member, loop="relay", at=clock.now())))

    beat("gone"), beat("too")
    stand.clock.advance(timedelta(minutes=50))
    beat("late")
    stand.clock.advance(timedelta(minutes=11))
    beat("alive")
    for module in (heartbeats, worker):
        monkeypatch.setattr(module, "PURGE_BATCH", 1)
    assert [stand.loops["housekeeping"].step() for _ in range(4)] == [1, 1, 0, 0]
    assert stand.rows("SELECT member FROM heartbeat ORDER BY member") == [("alive",), ("late",)]


def test_what_waits_and_what_came_round_is_told_to_prometheus(stand: Stand) -> None:
    def told(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(name, {"service": "notes", **labels})

    context = Context(sample.SERVICE, stand.database, stand.broker, Settings(), "one")
    note = stand.write("first")
    stand.clock.advance(timedelta(seconds=7))
    measure(context)
    assert (told("haihe_outbox_waiting"), told("haihe_outbox_age_seconds")) == (1, 7)
    stand.settle()
    measure(context)
    assert note and (told("haihe_outbox_waiting"), told("haihe_outbox_age_seconds")) == (0, 0)
    write_beats(context, {("notes", "relay"): (time.monotonic(), None), ("other", "facts"): (time.monotonic(), None)})
    assert told("haihe_loop_beat_seconds", loop="relay") == clock.now().timestamp()
    assert told("haihe_loop_beat_seconds", loop="facts") is None
