"""Selecting and changing models: visibility, locks, pages, projections, retries."""

from __future__ import annotations

import socket
import threading

import pytest
from sqlalchemy import event, text

from chassis import database
from chassis.auth import Caller
from chassis.database import get, get_many, page, read_cursor, see
from chassis.problems import Invalid, NotFound, Unavailable
from tests.chassis import sample
from tests.chassis.conftest import Stand

A, B = (Caller(f"user_{p}", f"party_{p}", frozenset()) for p in "ab")
OPERATOR = Caller("user_op", "platform", frozenset({"operator"}), kind="operator")


def test_what_is_not_visible_is_not_there(stand: Stand) -> None:
    note = stand.write("first")
    assert stand.database.look(lambda session: see(session, sample.Note, note, A).text) == "first"
    assert stand.database.look(lambda session: see(session, sample.Note, note, OPERATOR).text) == "first"
    for select in (see, get):
        with pytest.raises(NotFound):
            stand.database.run(lambda session, select=select: select(session, sample.Note, note, B))
    with pytest.raises(NotFound) as raised:
        stand.database.run(lambda session: get_many(session, sample.Note, [note, "note_x"], A))
    assert raised.value.members == {"missing": ["note_x"]}


def test_pages_are_newest_first_and_hold_only_what_is_visible(stand: Stand) -> None:
    mine = [stand.write(str(n)) for n in range(5)]
    stand.database.run(lambda session: sample.write_note(session, "party_b", "not mine"))
    found, cursor, pages = [], None, 0
    while True:
        got = stand.database.look(lambda session: page(session, sample.Note, A, cursor, 2))  # noqa: B023
        found += [note.id for note in got.items]
        pages += 1
        if (cursor := got.next) is None:
            break
    assert found == mine[::-1] and pages == 3
    with pytest.raises(Invalid):
        read_cursor("!!")
    with pytest.raises(Invalid):
        read_cursor("")


def test_get_waits_for_the_other_and_sees_what_it_did(stand: Stand) -> None:
    note = stand.write("0")

    def write(word: str) -> None:
        def more(session) -> None:
            get(session, sample.Note, note, A).text += word

        stand.database.run(more)

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(1, 9)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(stand.rows("SELECT text FROM note")[0][0]) == list("012345678")


def test_a_deadlock_runs_the_command_again(stand: Stand) -> None:
    first, second = stand.write("a"), stand.write("b")
    barrier, attempts = threading.Barrier(2, timeout=10), []

    def cross(one: str, other: str) -> None:
        def work(session) -> None:
            attempts.append(one)
            get(session, sample.Note, one, A).text += "!"
            session.flush()
            if attempts.count(one) == 1:
                barrier.wait()
            get(session, sample.Note, other, A).text += "!"

        stand.database.run(work)

    threads = [threading.Thread(target=cross, args=pair) for pair in ((first, second), (second, first))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert stand.rows("SELECT text FROM note ORDER BY id") == [("a!!",), ("b!!",)]
    assert len(attempts) == 3


def test_a_lock_that_does_not_come_is_unavailable(stand: Stand, monkeypatch) -> None:
    note = stand.write("a")

    def hold(session) -> None:
        get(session, sample.Note, note, A)

        def want(other) -> None:
            other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            get(other, sample.Note, note, A)

        with pytest.raises(Unavailable, match="another request"):
            stand.database.run(want)

    stand.database.run(hold)


def test_a_lost_connection_before_the_commit_is_tried_again(stand: Stand) -> None:
    attempts = []

    def work(session) -> str:
        attempts.append(1)
        if len(attempts) == 1:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return sample.write_note(session, "party_a", "once").id

    stand.database.run(work)
    assert stand.rows("SELECT text FROM note") == [("once",)] and len(attempts) == 2


def test_a_connection_lost_at_the_commit_is_told_and_nothing_is_done_twice(stand: Stand) -> None:
    attempts = []

    def work(session) -> None:
        attempts.append(sample.write_note(session, "party_a", "perhaps").id)
        (pid,) = session.execute(text("SELECT pg_backend_pid()")).one()
        kill = text(f"SELECT pg_terminate_backend({pid}, 5000)")
        event.listen(session, "before_commit", lambda _: stand.database.look(lambda other: other.execute(kill)))

    with pytest.raises(Unavailable, match="with the same key"):
        stand.database.run(work)
    assert len(attempts) == 1 and stand.rows("SELECT count(*) FROM note") == [(0,)]


def test_a_full_disk_is_unavailable(stand: Stand) -> None:
    full = text("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$")
    with pytest.raises(Unavailable):
        stand.database.run(lambda session: session.execute(full))


def test_a_projection_takes_the_higher_version(stand: Stand) -> None:
    def apply(version: int, name: str) -> bool:
        return stand.database.run(lambda s: database.project(s, sample.KnownParty, {"id": "p"}, version, name=name))

    assert [apply(2, "two"), apply(1, "one"), apply(2, "again"), apply(3, "three")] == [True, False, False, True]
    assert stand.rows("SELECT name, version FROM known_party") == [("three", 3)]


def test_a_stateful_model_moves_by_its_table_alone(stand: Stand) -> None:
    note = stand.write("a")

    def close_twice(session) -> None:
        found = get(session, sample.Note, note, A)
        found.move("close")
        found.move("close")

    with pytest.raises(sample.Conflict, match="cannot close while closed"):
        stand.database.run(close_twice)
    assert stand.rows("SELECT state FROM note") == [("open",)]


def test_nobody_calls_out_while_a_transaction_is_open(stand: Stand) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def call_out(session) -> None:
            socket.create_connection(listener.getsockname()).close()

        with pytest.raises(AssertionError, match="make it an errand"):
            stand.database.run(call_out)
        stand.database.look(call_out)


def test_a_pool_that_is_empty_for_too_long_is_unavailable(stand: Stand, monkeypatch) -> None:
    held = [stand.database.engine.connect() for _ in range(10)]
    monkeypatch.setattr(stand.database.engine.pool, "_timeout", 0.05)
    for ask in (stand.database.run, stand.database.look):
        with pytest.raises(Unavailable, match="busy"):
            ask(lambda session: session.execute(text("SELECT 1")))
    for connection in held:
        connection.close()
