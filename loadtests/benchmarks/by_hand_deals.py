"""A deal by hand: the statements by which Haihe's services make a taken offer an effective deal, without a broker.

``/takes`` does what Haihe's own take does, and nothing after it. ``/deals`` goes on, in the same request, to hold both
deposits in settlement's database and to make the deal effective in orders', each in a transaction of its own, with
outbox and inbox rows as in Haihe: nothing carries the events, so nobody waits, and a crash in between would lose them.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import Any

import msgspec
import psycopg
from flask import Flask, Response, abort, request
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from loadtests.benchmarks.by_hand import Claims, Tokens, answer_once, new_id
from loadtests.benchmarks.by_hand_sql import (
    ADD_AGREEMENT,
    ADD_DEAL,
    ADD_DEPOSITS,
    ADD_HOLD,
    ARE_ASKED,
    HEAR,
    HOLD,
    LOCK_DEAL,
    MAKE_EFFECTIVE,
    POST_ONE,
    READ_PARTIES,
    TAKE_QUANTITY,
    TELL,
)

Row = dict[str, Any]
_cents = Decimal(1)


def add_deals(app: Flask, tokens: Tokens, *, orders: ConnectionPool, settlement: ConnectionPool) -> None:
    """The two routes."""

    @app.post("/v1/offers/<offer_id>/takes")
    def take(offer_id: str) -> Response:
        claims = tokens.claims(request.headers["Authorization"])
        return _answer(_take(orders, claims, offer_id, {}))

    @app.post("/v1/offers/<offer_id>/deals")
    def make_deal(offer_id: str) -> Response:
        claims, deal = tokens.claims(request.headers["Authorization"]), {}
        answer = _take(orders, claims, offer_id, deal)
        with settlement.connection() as connection, connection.transaction():
            hold_deposits(connection, deal)
        with orders.connection() as connection, connection.transaction():
            make_effective(connection, deal["id"])
        return _answer(answer)


def _answer(body: bytes) -> Response:
    return Response(body, 201, content_type="application/json")


def _take(orders: ConnectionPool, claims: Claims, offer_id: str, deal: Row) -> bytes:
    with orders.connection() as connection, connection.transaction():
        return answer_once(
            connection, request, claims, "POST /v1/offers/<offer_id>/takes",
            lambda body: strike(connection, claims["party"], offer_id, body, deal),
        )  # fmt: skip


def strike(connection: psycopg.Connection, buyer_id: str, offer_id: str, body: Row, deal: Row) -> Row:
    """Takes a quantity of an offer and writes the deal, which ``deal`` is filled with; what the route shows of it."""
    now, asked = datetime.now(UTC), Decimal(body["quantity"]["value"])
    wanted = {"offer": offer_id, "seen": body["version"], "now": now, "wanted": asked, "unit": body["quantity"]["unit"]}
    cursor = connection.execute(TAKE_QUANTITY, wanted)
    found = cursor.fetchone()
    if found is None:
        abort(409)
    offer = dict(zip((column.name for column in cursor.description), found, strict=True))
    parties = _parties(connection, buyer_id, offer["seller_id"])
    deal.update(_work_out(offer, parties, buyer_id, asked, now))
    connection.execute(ADD_DEAL, deal | {name: Jsonb(deal[name]) for name in ("buyer", "seller", "terms", "pieces")})
    tell(connection, {offer_id: _describe(offer), deal["id"]: _struck(deal)})
    return {name: value for name, value in deal.items() if name != "penalty_rate"} | {"deliveries": []}


def _parties(connection: psycopg.Connection, buyer_id: str, seller_id: str) -> dict[str, Row]:
    rows = connection.execute(READ_PARTIES, ([buyer_id, seller_id],)).fetchall()
    found = {row[0]: {"party_id": row[0], "name": row[2], "country": row[3], "identifiers": row[6]} for row in rows}
    if len(found) < 2 or any(row[4] != "admitted" for row in rows):
        abort(409)
    return found


def _work_out(offer: Row, parties: dict[str, Row], buyer_id: str, taken: Decimal, now: datetime) -> Row:
    terms, unit = offer["terms"], offer["remaining_unit"]
    gross = _round(Decimal(terms["price"]["value"]) * taken * 100)
    net = _round(gross / (1 + Decimal(terms["tax_rate"])))
    money = {
        "net": net,
        "tax": gross - net,
        "gross": gross,
        "buyer_deposit": _round(gross * Decimal(terms["buyer_deposit_percent"]) / 100),
        "seller_deposit": _round(gross * Decimal(terms["seller_deposit_percent"]) / 100),
    }
    amounts = {f"{name}_amount": int(amount) for name, amount in money.items()}
    return amounts | {f"{name}_currency": terms["price"]["currency"] for name in money} | {
        "id": new_id("deal"), "version": 1, "state": "deposits_pending", "due_at": now + timedelta(minutes=30),
        "market": offer["market"], "offer_id": offer["id"], "terms_version": offer["terms_version"],
        "buyer_id": buyer_id, "seller_id": offer["seller_id"], "buyer": parties[buyer_id],
        "seller": parties[offer["seller_id"]], "warehouse_id": offer["warehouse_id"], "terms": terms,
        "penalty_rate": offer["penalty_rate"], "pieces": [], "quantity_value": taken, "quantity_unit": unit,
        "returned_value": Decimal(0), "returned_unit": unit, "struck_at": now,
    }  # fmt: skip


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(_cents, ROUND_HALF_UP)


def _describe(offer: Row) -> tuple[str, Row]:
    return "orders.offer_described.v1", offer | {"piece_ids": [], "taken_piece_ids": []}


def _struck(deal: Row) -> tuple[str, Row]:
    said = ("id", "offer_id", "buyer_id", "seller_id", "buyer_deposit_amount", "seller_deposit_amount", "due_at")
    return "orders.deal_struck.v1", {name: deal[name] for name in said}


def tell(connection: psycopg.Connection, events: dict[str, tuple[str, Row]]) -> None:
    """Writes events to the outbox: key to type and content."""
    now = datetime.now(UTC)
    headers = [
        {"ce_specversion": "1.0", "ce_id": new_id("event"), "ce_type": type_, "ce_subject": key, "ce_time": str(now)}
        for key, (type_, _) in events.items()
    ]
    connection.execute(TELL, {
        "at": now,
        "topics": [type_.partition(".")[0] for type_, _ in events.values()],
        "keys": list(events),
        "headers": [msgspec.json.encode(one).decode() for one in headers],
        "values": [msgspec.json.encode(content) for _, content in events.values()],
    })  # fmt: skip


def hear(connection: psycopg.Connection, group: str) -> None:
    """Puts the event that would have come into the inbox."""
    connection.execute(HEAR, {"group": group, "ids": [new_id("event")], "at": datetime.now(UTC)}).fetchall()


def hold_deposits(connection: psycopg.Connection, deal: Row) -> None:
    """Moves both deposits from available to frozen, and writes down why."""
    hear(connection, "settlement")
    connection.execute(ARE_ASKED, (deal["id"],)).fetchone()
    connection.execute(ADD_DEPOSITS, deal)
    sides = [(side, deal[f"{side}_id"], deal[f"{side}_deposit_amount"]) for side in ("buyer", "seller")]
    legs = [((party, "available", -amount), (party, "frozen", amount)) for _, party, amount in sides]
    _post(connection, deal["id"], list(chain.from_iterable(legs)))
    connection.execute(HOLD, (deal["id"],))
    for side, party, amount in sides:
        hold = (new_id("hold"), deal["id"], party, side, "CNY", amount, amount, datetime.now(UTC))
        connection.execute(ADD_HOLD, hold)
    tell(connection, {deal["id"]: ("settlement.deposits_held.v1", {"deal_id": deal["id"]})})


def _post(connection: psycopg.Connection, deal_id: str, legs: list[tuple[str, str, int]]) -> None:
    accounts = [f"{party}:{kind}:CNY" for party, kind, _ in legs]
    amounts = [amount for _, _, amount in legs]
    fingerprint = hashlib.sha256(msgspec.json.encode([deal_id, accounts, amounts])).hexdigest()
    journal = (new_id("journal"), f"hold:{deal_id}", fingerprint, "hold", deal_id)
    row = connection.execute(POST_ONE, (*journal, accounts, amounts, datetime.now(UTC))).fetchone()
    if row[0] != "posted":
        abort(409)


def make_effective(connection: psycopg.Connection, deal_id: str) -> None:
    """Moves the deal on and draws its agreement."""
    hear(connection, "orders")
    cursor = connection.execute(LOCK_DEAL, (deal_id,))
    deal = dict(zip((column.name for column in cursor.description), cursor.fetchone(), strict=True))
    if deal["state"] != "deposits_pending":
        abort(409)
    now = datetime.now(UTC)
    connection.execute(MAKE_EFFECTIVE, (now + timedelta(days=1), deal_id))
    body = msgspec.json.encode({"format": "haihe.agreement.v1", **deal}, order="sorted").decode()
    digest = hashlib.sha256(body.encode()).hexdigest()
    connection.execute(ADD_AGREEMENT, (deal_id, deal["buyer_id"], deal["seller_id"], body, digest, now))
