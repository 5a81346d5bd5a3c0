"""Handlers that take many events: once each, in order, on whose request each was; the one that fails alone is parked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chassis import telemetry
from chassis.consumer import Consumer, Facts
from chassis.messages import wrap
from chassis.service import together
from tests.chassis import sample
from tests.chassis.conftest import SYSTEM, Stand


def _facts(take_in: Callable[..., None]) -> Facts:
    return Facts(replace(sample.SERVICE, handlers={sample.NoteWritten: together(take_in)}))


def test_events_of_a_batch_come_together_and_each_goes_on_with_its_own_request_id(stand: Stand) -> None:
    calls: list[list[str]] = []

    def answer(session, caller, events) -> None:
        calls.append([event.text for event in events])
        for event in events:
            sample.append(session, SYSTEM, event.note_id, "!")

    batch = []
    for words in ("a", "b"):
        with telemetry.continued(f"asked-{words}", None):
            batch.append(wrap(sample.NoteWritten(note_id=stand.write(words), text=words), "notes"))
    stand.database.run(lambda session: session.connection().exec_driver_sql("DELETE FROM outbox"))
    stand.database.run(lambda session: _facts(answer).take_in(session, [*batch, batch[0]]))
    assert calls == [["a", "b"]]
    told = stand.rows("SELECT key, headers->>'ce_requestid' FROM outbox ORDER BY id")
    assert told == [(batch[0].key, "asked-a"), (batch[1].key, "asked-b")]


def test_an_event_alone_goes_on_with_its_request_id(stand: Stand) -> None:
    with telemetry.continued("asked", None):
        message = wrap(sample.NoteWritten(note_id=stand.write("a"), text="a"), "notes")
    plain = Facts(
        replace(
            sample.SERVICE,
            handlers={sample.NoteWritten: lambda session, _, event: sample.append(session, SYSTEM, event.note_id, "!")},
        )
    )
    stand.database.run(lambda session: plain.take_in(session, [message]))
    assert stand.rows("SELECT headers->>'ce_requestid' FROM outbox ORDER BY id DESC LIMIT 1") == [("asked",)]


def test_of_those_that_came_together_only_the_one_that_fails_is_parked(stand: Stand) -> None:
    def hear(session, caller, events) -> None:
        for event in events:
            sample.on_note_written(session, caller, event)

    sample.dislikes.add("bad")
    notes = [stand.write(words) for words in ("one", "bad", "two")]
    stand.loops["relay"].step()
    consumer = Consumer(_facts(hear), stand.database, stand.broker, member="two")
    while consumer.step():
        pass
    consumer.close()
    assert sorted(stand.heard()) == sorted([(notes[0], "one"), (notes[2], "two")])
    assert stand.rows("SELECT key FROM parked_key") == [(notes[1],)]
