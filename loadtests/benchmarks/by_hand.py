"""What an engineer would write by hand in Flask and psycopg: the reference of read, write and deals.

It does the same token check (PyJWT, Ed25519; like Haihe's it remembers what a verified token says and looks at its end
on each request) and the same SQL on the same tables with a pool of the same size, served by the same gunicorn. What
Haihe has besides is left out: roles, revoked users, problem documents, checks of the body field by field, request ids,
metrics, the log line of a command, trying again after a deadlock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import jwt
import msgspec
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask, Request, Response, abort, request
from psycopg_pool import ConnectionPool

from chassis.database import IDLE_TIMEOUT_MS, LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS
from services.logistics.warehouses.rules import GateRules

LIMITS = (
    f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
    f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} -c timezone=UTC"
)
MOST_TOKENS = 4_096
READ_GATE = """
SELECT id, party_id, name, place, closing, longest, ghost_reads, ghost_rssi_dbm, clock_skew, created_at
FROM gate WHERE id = %s AND party_id = %s"""
WRITE_GATE = """
INSERT INTO gate (id, party_id, name, place, closing, longest, ghost_reads, ghost_rssi_dbm, clock_skew, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
WRITE_RULES = """
INSERT INTO gate_rules (gate_id, version, rules, made_at, made_by) VALUES (%s, 1, %s, %s, %s)"""
RULES = msgspec.json.encode(GateRules()).decode()
CLAIM_KEY = """
INSERT INTO idempotency (caller_id, route, key, fingerprint, used_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
KEEP_ANSWER = """
UPDATE idempotency SET status = %s, media_type = %s, answer = %s WHERE caller_id = %s AND route = %s AND key = %s"""
Claims = dict[str, Any]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the reference's processes are told: libpq addresses, the size of each pool, the raw public key in hex."""

    orders: str
    settlement: str
    logistics: str
    pool_size: int
    public_key: str


class Tokens:
    """Checks bearer tokens, each signature once."""

    def __init__(self, public_key: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._known: dict[str, Claims] = {}

    def claims(self, authorization: str) -> Claims:
        """What a token says; 401 when it is not ours or over."""
        token = authorization.removeprefix("Bearer ")
        claims = self._known.get(token) or self._check(token)
        if claims["exp"] <= time.time():
            abort(401)
        return claims

    def _check(self, token: str) -> Claims:
        try:
            claims = jwt.decode(token, self._key, ["EdDSA"], audience="haihe", issuer="haihe")
        except jwt.InvalidTokenError:
            abort(401)
        if len(self._known) >= MOST_TOKENS:
            self._known.clear()
        self._known[token] = claims
        return claims


def open_pool(conninfo: str, size: int) -> ConnectionPool:
    """Connections in autocommit with the limits that Haihe's have; a write opens its transaction itself."""
    return ConnectionPool(
        conninfo, min_size=size, max_size=size, kwargs={"autocommit": True, "options": LIMITS}, open=True
    )


def new_id(noun: str) -> str:
    """An id that sorts by time."""
    return f"{noun}_{time.time_ns() // 1_000_000:012x}{os.urandom(8).hex()}"


def answer_once(
    connection: psycopg.Connection, asked: Request, claims: Claims, route: str, act: Callable[[Any], Any]
) -> bytes:
    """Does what a body asks for under its key, in the open transaction, and keeps the answer. Each key is fresh here:
    409 when it is not.
    """
    raw, key = asked.get_data(cache=False), asked.headers["Idempotency-Key"]
    digest = blake2b(asked.path.encode() + raw, digest_size=16).digest()
    scope = (claims["sub"], route, key)
    if not connection.execute(CLAIM_KEY, (*scope, digest, datetime.now(UTC))).rowcount:
        abort(409)
    answer = msgspec.json.encode(act(msgspec.json.decode(raw)))
    connection.execute(KEEP_ANSWER, (201, "application/json", answer, *scope))
    return answer


def make_app(told_at: str) -> Flask:
    """The reference's routes; ``told_at`` is a file that holds a Told."""
    from loadtests.benchmarks.by_hand_deals import add_deals

    told = msgspec.json.decode(Path(told_at).read_bytes(), type=Told)
    app, tokens = Flask("by_hand", static_folder=None), Tokens(bytes.fromhex(told.public_key))
    add_gates(app, tokens, open_pool(told.logistics, told.pool_size))
    orders, settlement = (open_pool(address, told.pool_size) for address in (told.orders, told.settlement))
    add_deals(app, tokens, orders=orders, settlement=settlement)
    return app


def add_gates(app: Flask, tokens: Tokens, pool: ConnectionPool) -> None:
    """Reading one row, and writing one with the first version of its rules."""

    @app.get("/v1/gates/<gate_id>")
    def show_gate(gate_id: str) -> Response:
        claims = tokens.claims(request.headers["Authorization"])
        with pool.connection() as connection:
            row = connection.execute(READ_GATE, (gate_id, claims["party"])).fetchone()
        if row is None:
            abort(404)
        return Response(msgspec.json.encode(_view_gate(*row)), content_type="application/json")

    @app.post("/v1/gates")
    def register_gate() -> Response:
        claims = tokens.claims(request.headers["Authorization"])
        with pool.connection() as connection, connection.transaction():
            answer = answer_once(
                connection, request, claims, "POST /v1/gates", lambda body: _write_gate(connection, claims, body)
            )
        return Response(answer, 201, content_type="application/json")


def _write_gate(connection: psycopg.Connection, claims: Claims, body: dict[str, Any]) -> dict[str, Any]:
    row = (
        new_id("gate"),
        claims["party"],
        body["name"],
        body["place"],
        timedelta(milliseconds=body.get("closing_ms", 2_000)),
        timedelta(seconds=body.get("longest_s", 120)),
        body.get("ghost_reads", 3),
        body.get("ghost_rssi_dbm", -60),
        timedelta(seconds=body.get("clock_skew_s", 86_400)),
        datetime.now(UTC),
    )
    connection.execute(WRITE_GATE, row)
    connection.execute(WRITE_RULES, (row[0], RULES, row[-1], claims["sub"]))
    return _view_gate(*row)


def _view_gate(
    id: str, party_id: str, name: str, place: str, closing: timedelta, longest: timedelta,
    ghost_reads: int, ghost_rssi_dbm: int, clock_skew: timedelta, created_at: datetime,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": id,
        "party_id": party_id,
        "name": name,
        "place": place,
        "closing_ms": closing // timedelta(milliseconds=1),
        "longest_s": longest // timedelta(seconds=1),
        "ghost_reads": ghost_reads,
        "ghost_rssi_dbm": ghost_rssi_dbm,
        "clock_skew_s": clock_skew // timedelta(seconds=1),
        "created_at": created_at,
    }
