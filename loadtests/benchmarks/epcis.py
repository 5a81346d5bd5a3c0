"""Part epcis: documents captured over HTTP, the hash, single events at a steady rate, and the events of one EPC among very many.

Captured means validated, hashed and stored: the clock stops when the last row is there. The reference copies the same rows, keys
included, with psycopg's COPY into tables of the same shape: what PostgreSQL alone takes. Tables are filled for the last question by
SQL, rows that nobody asks for without their documents.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import psycopg

from infra.failures import Failure
from loadtests.api import Actor, Api, HttpCarrier
from loadtests.benchmarks.epcis_things import batches, write_document, write_shipping
from loadtests.benchmarks.figures import Figure, Goal, compare, measure_alone, percentile_of
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.stage import Say, Stage
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.read_json import read_document

A_DOCUMENT = 500
CLIENTS = 2
A_SECOND = 50
POSTERS = 8
NAMED = 1_000
"""So many of the events that are kept are of the one EPC."""
LOOK_EVERY_S = 0.02
WITHIN_S = 300.0
TABLES = ("epcis_event", "epcis_key")
_FILL = """
INSERT INTO epcis_event (id, event_id, is_error, owner_id, event_time, record_time, document, type, action, biz_step,
    disposition, read_point, fields, namespaces, hash)
SELECT 'epcis_fill' || n, 'urn:bench:' || n, false, e.owner_id, e.event_time + n * interval '1 millisecond', e.record_time,
    CASE WHEN n %% %(each)s = 0 THEN e.document ELSE '{}'::jsonb END, e.type, e.action, e.biz_step, e.disposition, e.read_point,
    CASE WHEN n %% %(each)s = 0 THEN e.fields ELSE '{}'::jsonb END, e.namespaces, 'bench' || n
FROM epcis_event e, generate_series(%(first)s::bigint, %(last)s::bigint) n WHERE e.id = %(like)s"""
_FILL_KEYS = """
INSERT INTO epcis_key (key, kind, event_time, event)
SELECT CASE WHEN n %% %(each)s = 0 THEN %(key)s ELSE 'https://id.gs1.org/01/10614141073464/21/F' || n END, 'epc',
    e.event_time + n * interval '1 millisecond', 'epcis_fill' || n
FROM epcis_event e, generate_series(%(first)s::bigint, %(last)s::bigint) n WHERE e.id = %(like)s"""


class CaptureFailed(Failure):
    """Not every event that was handed in is kept."""


def measure_epcis(plan: Plan, stage: Stage, say: Say) -> list[Figure]:
    """The four questions, in their order."""
    desk = stage.traders[0].warehouse.desk
    logistics = stage.connect("logistics")
    try:
        say("epcis: documents")
        figures = _measure_captures(plan, stage, desk, logistics)
        figures.append(_measure_hash())
        say("epcis: single events")
        figures.append(_measure_posts(plan, stage, desk))
        figures += _measure_kept(plan, desk, logistics, say)
    finally:
        logistics.close()
    return figures


def post_documents(stage: Stage, desk: Actor, documents: list[bytes]) -> None:
    """Hand documents in, by some clients at once."""
    token = desk.sign_in()

    def post(document: bytes) -> None:
        api = Api(HttpCarrier(stage.platform.url, timeout_s=120.0))
        api.call("POST", "/epcis/v2/capture", document, token=token)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(post, documents))


def await_events(connection: psycopg.Connection, wanted: int) -> None:
    """Wait until so many events are kept. Raises CaptureFailed."""
    until = time.monotonic() + WITHIN_S
    while (kept := count_events(connection)) < wanted:
        if time.monotonic() > until:
            raise CaptureFailed(f"{kept} of {wanted} events are kept")
        time.sleep(LOOK_EVERY_S)


def count_events(connection: psycopg.Connection) -> int:
    """How many events are kept."""
    return connection.execute("SELECT count(*) FROM epcis_event").fetchone()[0]


def _measure_captures(plan: Plan, stage: Stage, desk: Actor, logistics: psycopg.Connection) -> list[Figure]:
    made = [write_shipping(n) for n in range((plan.captures + 1) * A_DOCUMENT)]
    documents = [json.dumps(write_document(some)).encode() for some in batches(made, A_DOCUMENT)]
    post_documents(stage, desk, documents[:1])
    before = count_events(logistics)
    await_events(logistics, A_DOCUMENT)
    began = time.perf_counter()
    post_documents(stage, desk, documents[1:])
    await_events(logistics, max(before, A_DOCUMENT) + plan.captures * A_DOCUMENT)
    rate = plan.captures * A_DOCUMENT / (time.perf_counter() - began)
    by_hand = _copy_by_hand(logistics)
    name = f"captured: {A_DOCUMENT} events a document, {CLIENTS} clients"
    return [compare("epcis", name, "events/s", [(rate, by_hand)], Goal(of="ours", at_least=2_000))]


def _copy_by_hand(logistics: psycopg.Connection) -> float:
    """Events a second of COPY with the rows that are kept, into tables of their shape."""
    rows = {table: _read_rows(logistics, table) for table in TABLES}
    for table in TABLES:
        logistics.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
    count, began = count_events(logistics), time.perf_counter()
    with logistics.transaction(), logistics.cursor() as cursor:
        for table, data in rows.items():
            with cursor.copy(f"COPY bench_{table} FROM STDIN (FORMAT binary)") as copy:
                for part in data:
                    copy.write(part)
    took = time.perf_counter() - began
    for table in TABLES:
        logistics.execute(f"DROP TABLE bench_{table}")
    return count / took


def _read_rows(logistics: psycopg.Connection, table: str) -> list[bytes]:
    with logistics.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
        return [bytes(part) for part in copy]


def _measure_hash() -> Figure:
    document = json.dumps(write_document([write_shipping(n) for n in range(2_000)])).encode()
    events = read_document(document).events
    rates = []
    for _ in range(5):
        began = time.perf_counter()
        for event in events:
            hash_event(event)
        rates.append(len(events) / (time.perf_counter() - began))
    return measure_alone("epcis", "hash ids, one core", "events/s", rates, Goal(of="ours", at_least=5_000))


def _measure_posts(plan: Plan, stage: Stage, desk: Actor) -> Figure:
    """Events posted one by one at a steady rate; each one's time is from when it was due."""
    count = round(plan.posted_seconds * A_SECOND)
    token, began = desk.sign_in(), time.perf_counter() + 0.5
    carriers = [Api(HttpCarrier(stage.platform.url)) for _ in range(POSTERS)]

    def post_some(first: int) -> Iterator[float]:
        for number in range(first, count, POSTERS):
            due = began + number / A_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            event = {"@context": write_document([])["@context"], **write_shipping(10_000_000 + number)}
            carriers[first].call("POST", "/epcis/v2/events", event, token=token)
            yield (time.perf_counter() - due) * 1_000

    with ThreadPoolExecutor(POSTERS) as posters:
        took = [ms for each in posters.map(lambda first: list(post_some(first)), range(POSTERS)) for ms in each]
    goal = Goal(of="ours", at_most=60)
    return measure_alone("epcis", f"POST /events at {A_SECOND}/s: p95", "ms", [percentile_of(took, 95)], goal)


def _measure_kept(plan: Plan, desk: Actor, logistics: psycopg.Connection, say: Callable[[str], None]) -> list[Figure]:
    like, key = logistics.execute(
        "SELECT k.event, k.key FROM epcis_key k WHERE k.kind = 'epc' ORDER BY k.key LIMIT 1"
    ).fetchone()
    figures, filled, at_least = [], 0, 0.0
    for size in plan.kept:
        say(f"epcis: {size:,} events")
        _fill(logistics, filled + 1, size, each=max(plan.kept) // NAMED, like=like, key=key)
        filled = size
        took = [_time(lambda: _ask(desk, key)) for _ in range(plan.asked + 3)][3:]
        p95 = percentile_of(took, 95)
        goal = Goal(of="ours", at_most=50) if size == min(plan.kept) else None
        figures.append(measure_alone("epcis", f"events of one EPC among {size:,}: p95", "ms", [p95], goal))
        if at_least:
            ratio = Goal(of="ours", at_most=2)
            figures.append(measure_alone("epcis", f"p95 at {size:,} / at the least", "x", [p95 / at_least], ratio))
        at_least = at_least or p95
    return figures


def _fill(connection: psycopg.Connection, first: int, last: int, *, each: int, like: str, key: str) -> None:
    for start in range(first, last + 1, 100_000):
        values: dict[str, Any] = {
            "first": start,
            "last": min(start + 99_999, last),
            "each": each,
            "like": like,
            "key": key,
        }
        connection.execute(_FILL, values)
        connection.execute(_FILL_KEYS, values)
    connection.execute("ANALYZE epcis_event")
    connection.execute("ANALYZE epcis_key")


def _ask(desk: Actor, key: str) -> None:
    answer = desk.get("/epcis/v2/events", MATCH_epc=key, perPage=30)
    if not answer["epcisBody"]["queryResults"]["resultsBody"]["eventList"]:
        raise CaptureFailed(f"no event of {quote(key)} is found")


def _time(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1_000
