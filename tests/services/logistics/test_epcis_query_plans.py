"""Which way the database goes: what is asked most is found by an index, and what takes too long is given up and said so."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from chassis.auth import Caller
from services.logistics.epcis.exceptions import QueryTooComplexException
from services.logistics.epcis.query.conditions import Query
from services.logistics.epcis.query.ordering import list_keys, sort_by
from services.logistics.epcis.query.parameters import parse_pairs
from services.logistics.epcis.query.queries import list_events
from services.logistics.epcis.query.select import select_events, spell_field
from tests.services.logistics.conftest import Stand

CALLER = Caller("user_mill", "mill", frozenset({"reader"}))
NUMBER = 40_000
EVENTS = """
INSERT INTO epcis_event (id, event_id, is_error, owner_id, event_time, record_time, document, type, biz_location, fields)
SELECT 'epcis_' || n, 'urn:n:' || n, false, 'mill', timestamptz '2026-01-01' + n * interval '1 minute', now(), '{}',
    (ARRAY['ObjectEvent', 'AggregationEvent'])[1 + n % 2], 'urn:place:' || n % 50, '{}'
FROM generate_series(1, :number) n
"""
KEYS = """
INSERT INTO epcis_key (key, kind, event_time, event)
SELECT 'urn:thing:' || n % 5000, 'epc', event_time, id FROM epcis_event, LATERAL (SELECT substr(id, 7)::int AS n) AS numbered
"""


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ([("MATCH_epc", "urn:thing:7")], "pk_epcis_key"),
        ([("MATCH_anyEPC", "urn:thing:7|urn:thing:8")], "pk_epcis_key"),
        (
            [("EQ_bizLocation", "urn:place:7"), ("GE_eventTime", "2026-01-20T00:00:00Z")],
            "ix_epcis_event_biz_location_event_time",
        ),
        (
            [
                ("eventType", "ObjectEvent"),
                ("GE_eventTime", "2026-01-02T00:00:00Z"),
                ("LT_eventTime", "2026-01-03T00:00:00Z"),
            ],
            "event_time",
        ),
        ([("EQ_eventID", "urn:n:7")], "uq_epcis_event_event_id"),
    ],
)
def test_found_by_an_index(stand: Stand, asked: list[tuple[str, str]], index: str) -> None:
    stand.owner.run(lambda session: session.execute(text(EVENTS), {"number": NUMBER}) and None)
    stand.owner.run(lambda session: session.execute(text(KEYS)) and None)
    stand.owner.look(lambda session: session.execute(text("ANALYZE")) and None)
    query = parse_pairs(asked)
    keys = list_keys(query.order, spell_field)
    statement = select_events(query, CALLER).order_by(*sort_by(keys, query.order)).limit(31)
    compiled = statement.compile(stand.database.engine)
    with stand.database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar()
    assert index in json.dumps(plan)
    read_whole = {node["Relation Name"] for node in walk(plan) if node["Node Type"] == "Seq Scan"}
    assert read_whole.isdisjoint({"epcis_event", "epcis_key"})


def test_what_takes_too_long_is_too_complex(stand: Stand) -> None:
    def ask(session: object) -> None:
        session.execute(text("SET statement_timeout = '50ms'"))  # type: ignore[attr-defined]
        try:
            list_events(session, Query(), CALLER)  # type: ignore[arg-type]
        finally:
            session.execute(text("RESET statement_timeout"))  # type: ignore[attr-defined]

    def hold(session: object) -> None:
        session.execute(text("LOCK TABLE epcis_event IN ACCESS EXCLUSIVE MODE"))  # type: ignore[attr-defined]
        with pytest.raises(QueryTooComplexException):
            stand.database.look(ask)

    stand.owner.run(hold)


def walk(part: object) -> list[dict]:
    """Every node of a plan."""
    if isinstance(part, list):
        return [node for one in part for node in walk(one)]
    if not isinstance(part, dict):
        return []
    return ([part] if "Node Type" in part else []) + [node for one in part.values() for node in walk(one)]
