"""One key, one effect: replays, other requests, parallel duplicates, failures and secrets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Annotated

import pytest
from flask import Blueprint
from msgspec import Meta
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.http import Body, View, command
from chassis.idempotency import purge_idempotency
from chassis.problems import Conflict, Refused
from tests.unit.chassis_http.conftest import BEGINNING

routes = Blueprint("counters", __name__)
held = threading.Event()
release = threading.Event()


class Count(Body):
    by: Annotated[int, Meta(ge=1, le=100)]


class Counted(View):
    at: str


class Spent(Conflict):
    """Nothing is left."""


def _mark(session: Session) -> str:
    """An effect that can be counted: a denial of a subject of its own."""
    subject = clock.new_id("mark")
    insert = text("INSERT INTO access_denial (subject, version, denied, heard_at) VALUES (:subject, 1, false, :at)")
    session.execute(insert, {"subject": subject, "at": clock.now()})
    return subject


@routes.post("/v1/counters")
@command(role="seller", status=201)
def count(session: Session, caller: Caller, body: Count) -> Counted:
    """Leave a mark."""
    return Counted(at=_mark(session))


@routes.post("/v1/counters/<name>/fail")
@command(role="seller")
def fail(session: Session, name: str) -> Counted:
    """Leave a mark, then raise."""
    _mark(session)
    raise Spent(name)


@routes.post("/v1/counters/<name>/refuse")
@command(role="seller")
def refuse(session: Session, name: str) -> Counted | Refused:
    """Leave a mark and refuse."""
    return Refused(Spent(_mark(session)))


@routes.post("/v1/counters/<name>/tell")
@command(role="seller", keeps_secret=True)
def tell(session: Session, name: str) -> Counted:
    """Tell a secret."""
    return Counted(at=_mark(session))


@routes.post("/v1/counters/<name>/hush")
@command(role="seller")
def hush(session: Session, name: str) -> None:
    """Leave a mark and say nothing."""
    _mark(session)


@routes.post("/v1/counters/<name>/hold")
@command(role="seller")
def hold(session: Session, name: str) -> Counted:
    """Stay in the transaction until it is let go."""
    held.set()
    assert release.wait(10)
    return Counted(at=_mark(session))


@pytest.fixture
def client(client_of, stored):
    return client_of(routes, database=stored)


@pytest.fixture
def headers(signer):
    return {**signer.token("seller"), "Idempotency-Key": "key-1"}


@pytest.fixture
def marks(stored):
    return lambda: stored.look(lambda session: session.scalar(text("SELECT count(*) FROM access_denial")))


def kept(stored) -> list[tuple]:
    statement = text("SELECT key, status, answer FROM idempotency ORDER BY key")
    return [tuple(row) for row in stored.look(lambda session: session.execute(statement).all())]


def test_a_key_is_needed(client, signer, marks) -> None:
    answer = client.post("/v1/counters", headers=signer.token("seller"), json={"by": 1})
    assert (answer.status_code, answer.json["type"]) == (428, "urn:haihe:problem:key_missing")
    assert marks() == 0


@pytest.mark.parametrize("key", ["x" * 129, "a b", "ключ", "a\tb"])
def test_a_key_is_visible_ascii(client, signer, key: str) -> None:
    environ = {"HTTP_IDEMPOTENCY_KEY": key.encode().decode("latin-1")}
    answer = client.post("/v1/counters", headers=signer.token("seller"), json={"by": 1}, environ_overrides=environ)
    assert (answer.status_code, answer.json["field"]) == (422, "Idempotency-Key")


def test_a_replay_has_the_same_answer_and_no_effect(client, headers, marks) -> None:
    first = client.post("/v1/counters", headers=headers, json={"by": 1})
    again = client.post("/v1/counters", headers=headers, json={"by": 1})
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data, again.content_type) == (201, first.data, first.content_type)
    assert marks() == 1


def test_an_empty_answer_is_replayed_empty(client, headers, marks) -> None:
    first, again = (client.post("/v1/counters/a/hush", headers=headers) for _ in range(2))
    assert (again.status_code, again.data, again.content_type) == (first.status_code, b"", None) == (204, b"", None)
    assert (again.headers["Idempotency-Replayed"], marks()) == ("true", 1)


def test_a_key_belongs_to_one_request(client, headers, marks) -> None:
    client.post("/v1/counters", headers=headers, json={"by": 1})
    other = client.post("/v1/counters", headers=headers, json={"by": 2})
    assert (other.status_code, other.json["type"]) == (422, "urn:haihe:problem:key_reused")
    assert marks() == 1


def test_the_path_is_part_of_the_request(client, headers) -> None:
    client.post("/v1/counters/a/tell", headers=headers)
    assert client.post("/v1/counters/b/tell", headers=headers).json["type"] == "urn:haihe:problem:key_reused"


def test_keys_of_others_and_of_other_routes_are_others(client, headers, signer, marks) -> None:
    client.post("/v1/counters", headers=headers, json={"by": 1})
    client.post("/v1/counters/a/refuse", headers=headers)
    other = {**headers, **signer.token("seller", user="user_2")}
    assert client.post("/v1/counters", headers=other, json={"by": 2}).status_code == 201
    assert marks() == 3


def test_what_was_raised_leaves_nothing(client, headers, marks, stored) -> None:
    for _ in range(2):
        answer = client.post("/v1/counters/a/fail", headers=headers)
        assert (answer.status_code, answer.json["detail"]) == (409, "a")
        assert "Idempotency-Replayed" not in answer.headers
    assert (marks(), kept(stored)) == (0, [])


def test_a_refusal_that_was_returned_is_kept(client, headers, marks) -> None:
    first = client.post("/v1/counters/a/refuse", headers=headers)
    again = client.post("/v1/counters/a/refuse", headers=headers)
    assert (first.status_code, first.content_type) == (409, "application/problem+json")
    assert (again.data, again.content_type, again.headers["Idempotency-Replayed"]) == (
        first.data,
        first.content_type,
        "true",
    )
    assert marks() == 1


def test_a_secret_is_never_kept(client, headers, marks, stored) -> None:
    assert client.post("/v1/counters/a/tell", headers=headers).status_code == 200
    again = client.post("/v1/counters/a/tell", headers=headers)
    assert (again.status_code, again.json["type"]) == (409, "urn:haihe:problem:answer_not_kept")
    assert (marks(), kept(stored)) == (1, [("key-1", None, None)])


def test_fifty_at_once_have_one_effect_and_equal_answers(client_of, stored, headers, marks) -> None:
    client = client_of(routes, database=stored)

    def ask(_: int) -> bytes:
        return client.application.test_client().post("/v1/counters", headers=headers, json={"by": 1}).data

    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(ask, range(50)))
    assert (len(answers), marks()) == (1, 1)


def test_a_duplicate_waits_no_longer_than_the_lock_timeout(client_of, stored, headers, marks) -> None:
    client = client_of(routes, database=stored)
    held.clear(), release.clear()
    from sqlalchemy import event

    def hurry(connection, *_: object) -> None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: client.application.test_client().post("/v1/counters/a/hold", headers=headers))
        assert held.wait(10)
        event.listen(stored.engine, "begin", hurry)
        try:
            answer = client.post("/v1/counters/a/hold", headers=headers)
        finally:
            event.remove(stored.engine, "begin", hurry)
            release.set()
        assert (answer.status_code, answer.json["type"]) == (409, "urn:haihe:problem:key_in_use")
        assert answer.headers["Retry-After"] == "1"
        assert first.result().status_code == 200
    assert marks() == 1


def test_keys_are_forgotten_after_seven_days(client, headers, stored) -> None:
    client.post("/v1/counters", headers=headers, json={"by": 1})
    with clock.frozen(BEGINNING + timedelta(days=7)):
        assert stored.run(purge_idempotency) == 0
    with clock.frozen(BEGINNING + timedelta(days=7, seconds=1)):
        assert stored.run(purge_idempotency) == 1
    assert kept(stored) == []
