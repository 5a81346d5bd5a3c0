"""Outbox, relay, inbox and parking: nothing lost, nothing twice, nothing out of order for a key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis import parking
from chassis.brokers import MAX_MESSAGE_BYTES, BrokerDown, Message, MessageTooLarge
from chassis.consumer import MOST_PARKED_KEYS, ConsumerStopped, Facts, replay
from chassis.database import get
from chassis.messages import emit, emit_many, purge_inbox
from chassis.relay import Relay
from tests.chassis import sample
from tests.chassis.conftest import SYSTEM, Stand


def test_an_event_leaves_with_its_transaction_and_is_heard_once(stand: Stand) -> None:
    note = stand.write("first")
    stand.settle()
    assert stand.heard() == [(note, "first")]
    assert stand.rows("SELECT count(*) FROM outbox") == [(0,)]
    assert stand.rows("SELECT consumer_group FROM inbox") == [("notes",)]


def test_a_transaction_that_rolls_back_tells_nothing(stand: Stand) -> None:
    def fail(session) -> None:
        sample.write_note(session, "party_a", "never")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        stand.database.run(fail)
    stand.settle()
    assert stand.heard() == [] and stand.rows("SELECT count(*) FROM note") == [(0,)]


def test_emit_needs_its_subject_locked_and_its_key(stand: Stand) -> None:
    id = stand.write("first")

    def unlocked(session) -> None:
        note = session.get(sample.Note, id)
        emit(session, sample.NoteWritten(note_id=id, text="x"), of=note)

    def other(session) -> None:
        note = get(session, sample.Note, id, SYSTEM)
        emit(session, sample.NoteWritten(note_id="note_other", text="x"), of=note)

    with pytest.raises(ValueError, match="neither new nor locked"):
        stand.database.run(unlocked)
    with pytest.raises(ValueError, match="is about 'note_other'"):
        stand.database.run(other)


def test_an_event_that_no_broker_takes_undoes_its_transaction_and_stops_no_other(stand: Stand) -> None:
    with pytest.raises(MessageTooLarge):
        stand.write("x" * MAX_MESSAGE_BYTES)
    note = stand.write("small")
    stand.settle()
    assert stand.heard() == [(note, "small")] and stand.rows("SELECT count(*) FROM note") == [(1,)]


def test_the_envelope_says_who_when_and_what(stand: Stand) -> None:
    note = stand.write("first")
    seen: list[Message] = []
    original = stand.broker.publish
    stand.broker.publish = lambda messages: (seen.extend(messages), original(messages))[1]
    stand.loops["relay"].step()
    headers = seen[0].headers
    assert (seen[0].topic, seen[0].key) == ("notes", note)
    assert {name: headers[name] for name in ("ce_specversion", "ce_type", "ce_source", "ce_time", "ce_subject")} == {
        "ce_specversion": "1.0",
        "ce_type": "notes.note_written.v1",
        "ce_source": "/notes",
        "ce_time": "2026-03-02T08:00:00+00:00",
        "ce_subject": note,
    }
    assert headers["ce_id"].startswith("event_")


def test_many_events_of_one_transaction_leave_in_their_order_whatever_their_texts_hold(stand: Stand) -> None:
    words = ["", '"', "\\", "\\x41", "{a,NULL}", "NULL", "'; --", "a\tb\n", "螺纹钢 Φ20 %s", "\U0001f600", "x" * 70_000]
    told = [(f"note_{n % 7}{word[:40]}", f"{word}{n}") for n, word in enumerate(words * 30)]
    events = [sample.NoteWritten(note_id=note, text=text) for note, text in told]
    stand.database.run(lambda session: emit_many(session, events))
    kept = stand.rows(
        "SELECT topic, key, convert_from(value, 'UTF8') ::json ->> 'text', headers FROM outbox ORDER BY id"
    )
    assert [(key, text) for _, key, text, _ in kept] == told and {topic for topic, *_ in kept} == {"notes"}
    assert [headers["ce_subject"] for *_, headers in kept] == [note for note, _ in told]
    stand.settle()
    assert sorted(stand.heard()) == sorted(told)


def test_a_failed_publish_begins_again_at_the_oldest(stand: Stand) -> None:
    note = stand.write("0")
    stand.append(note, *"123")
    stand.broker.fail_next_publish()
    with pytest.raises(BrokerDown):
        stand.loops["relay"].step()
    assert stand.rows("SELECT count(*) FROM outbox") == [(4,)]
    stand.settle()
    assert stand.heard() == [(note, word) for word in "0123"]


def test_one_relay_a_service_is_active(stand: Stand) -> None:
    stand.write("first")
    second = Relay(stand.database, stand.broker)
    assert stand.loops["relay"].step() == 1
    stand.write("second")
    assert second.step() == 0
    stand.loops["relay"].close()
    assert second.step() == 1
    second.close()


def test_every_message_twice_changes_nothing(stand: Stand) -> None:
    stand.broker.duplicate = True
    note = stand.write("0")
    stand.append(note, *"123")
    stand.settle()
    assert stand.heard() == [(note, word) for word in "0123"]


def test_a_failing_message_parks_its_key_and_others_go_on(stand: Stand) -> None:
    sample.dislikes.add("2")
    bad, good = stand.write("0"), stand.write("a")
    for left, right in zip("1234", "bcde", strict=True):
        stand.append(bad, left)
        stand.append(good, right)
    stand.settle()
    heard = stand.heard()
    assert [row for row in heard if row[0] == good] == [(good, word) for word in "abcde"]
    assert [row for row in heard if row[0] == bad] == [(bad, "0"), (bad, "1")]
    assert stand.rows("SELECT topic, key, reason, due_at FROM parked_key") == [("notes", bad, "Disliked: 2", None)]

    with pytest.raises(sample.Disliked):
        replay(Facts(sample.SERVICE), stand.database, "notes", bad, who="op", why="test")
    assert [row for row in stand.heard() if row[0] == bad] == [(bad, "0"), (bad, "1")]
    sample.dislikes.clear()
    assert replay(Facts(sample.SERVICE), stand.database, "notes", bad, who="op", why="mended") == 3
    assert [row for row in stand.heard() if row[0] == bad] == [(bad, word) for word in "01234"]
    assert stand.rows("SELECT count(*) FROM parked_key") == [(0,)]
    stand.append(bad, "5")
    stand.settle()
    assert [row for row in stand.heard() if row[0] == bad][-1] == (bad, "5")


def test_drop_takes_the_head_alone(stand: Stand) -> None:
    sample.dislikes.add("1")
    note = stand.write("0")
    stand.append(note, *"123")
    stand.settle()
    stand.database.run(lambda session: parking.drop_head(session, "notes", "notes", note, who="op", why="junk"))
    assert replay(Facts(sample.SERVICE), stand.database, "notes", note, who="op", why="go on") == 2
    assert stand.heard() == [(note, word) for word in "023"]


def test_not_yet_known_waits_by_itself_and_keeps_the_order(stand: Stand) -> None:
    sample.unknown.add("1")
    note = stand.write("0")
    stand.append(note, *"123")
    stand.settle()
    assert stand.heard() == [(note, "0")]
    stand.clock.advance(timedelta(seconds=1))
    stand.settle()
    assert stand.heard() == [(note, "0")]
    sample.unknown.clear()
    stand.clock.advance(timedelta(seconds=20))
    stand.settle()
    assert stand.heard() == [(note, word) for word in "0123"]
    assert stand.rows("SELECT count(*) FROM parked_message") == [(0,)]


def test_not_yet_known_for_ten_minutes_is_parked(stand: Stand) -> None:
    sample.unknown.add("0")
    note = stand.write("0")
    stand.settle()
    for _ in range(60):
        stand.clock.advance(timedelta(seconds=15))
        stand.settle()
    assert stand.rows("SELECT key, due_at FROM parked_key") == [(note, None)]
    assert stand.heard() == []


def test_too_many_parked_keys_stop_the_consumer(stand: Stand) -> None:
    sample.dislikes.add("bad")
    for _ in range(MOST_PARKED_KEYS + 5):
        stand.write("bad")
    with pytest.raises(ConsumerStopped, match="keys are parked"):
        stand.settle()
    parked = stand.rows("SELECT count(*) FROM parked_key")[0][0]
    with pytest.raises(ConsumerStopped):
        stand.settle()
    assert parked == MOST_PARKED_KEYS + 1
    sample.dislikes.clear()
    for (key,) in stand.rows("SELECT key FROM parked_key"):
        replay(Facts(sample.SERVICE), stand.database, "notes", key, who="op", why="mended")
    stand.settle()
    assert len(stand.heard()) == MOST_PARKED_KEYS + 5


def test_an_unknown_type_and_an_unknown_field_are_no_trouble(stand: Stand) -> None:
    headers = {
        "ce_id": "e1",
        "ce_type": "notes.from_the_future.v9",
        "ce_source": "/notes",
        "ce_time": "2026-03-02T08:00:00+00:00",
        "ce_subject": "n",
    }
    known = {**headers, "ce_id": "e2", "ce_type": "notes.note_written.v1"}
    stand.broker.publish(
        [
            Message("notes", "n", b"{}", headers),
            Message("notes", "n", b'{"note_id":"n","text":"t","colour":"red"}', known),
        ]
    )
    stand.settle()
    assert stand.heard() == [("n", "t")]


def test_a_message_that_cannot_be_read_is_parked(stand: Stand) -> None:
    headers = {
        "ce_id": "e1",
        "ce_type": "notes.note_written.v1",
        "ce_source": "/notes",
        "ce_time": "2026-03-02T08:00:00+00:00",
        "ce_subject": "n",
    }
    stand.broker.publish([Message("notes", "n", b'{"note_id": 7}', headers)])
    stand.settle()
    assert stand.rows("SELECT key FROM parked_key") == [("n",)]


def test_streams_go_on_past_a_batch_that_cannot_be_read(stand: Stand) -> None:
    stand.broker.publish([Message("notes.readings", "r", value, {}) for value in (b"1", b"poison", b"2")])
    stand.settle()
    assert sample.streamed[-2:] == ["1", "2"]
    assert stand.rows("SELECT consumer_group, key FROM parked_key") == [("notes-streams", "r")]


def test_the_inbox_forgets_what_brokers_forgot(stand: Stand) -> None:
    stand.write("first")
    stand.settle()
    stand.clock.advance(timedelta(days=15))
    assert stand.database.run(purge_inbox) == 1
