"""The tables of the PostgreSQL broker, in a database of its own.

A partition is a row with the counter that its offsets come from. Publishing updates it in the transaction that inserts the
messages, so offsets have no gaps and a reader that sees one has seen all before it, however slow somebody's commit is. (A
sequence would hand out numbers that become visible in another order.)
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

_TABLES = """
CREATE TABLE IF NOT EXISTS broker_topic (
    id          int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    partitions  int  NOT NULL CHECK (partitions > 0)
);
CREATE TABLE IF NOT EXISTS broker_partition (
    topic_id      int    NOT NULL REFERENCES broker_topic,
    partition     int    NOT NULL,
    first_offset  bigint NOT NULL DEFAULT 0,
    next_offset   bigint NOT NULL DEFAULT 0 CHECK (next_offset >= first_offset),
    PRIMARY KEY (topic_id, partition)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS broker_message (
    topic_id      int    NOT NULL,
    partition     int    NOT NULL,
    log_offset    bigint NOT NULL,
    key           text   NOT NULL,
    value         bytea  NOT NULL,
    headers       text   NOT NULL,
    published_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic_id, partition, log_offset)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE IF NOT EXISTS broker_group (
    id          int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    generation  int  NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS broker_member (
    group_id     int    NOT NULL REFERENCES broker_group,
    generation   int    NOT NULL,
    name         text   NOT NULL,
    topics       text[] NOT NULL,
    lease_until  timestamptz NOT NULL,
    PRIMARY KEY (group_id, generation)
);
CREATE TABLE IF NOT EXISTS broker_position (
    group_id   int    NOT NULL REFERENCES broker_group,
    topic_id   int    NOT NULL,
    partition  int    NOT NULL,
    committed  bigint NOT NULL,
    owner      int,
    PRIMARY KEY (group_id, topic_id, partition),
    FOREIGN KEY (topic_id, partition) REFERENCES broker_partition
) WITH (fillfactor = 50);
"""
_CREATE_TOPICS = """
WITH made AS (
    INSERT INTO broker_topic (name, partitions) SELECT name, %(partitions)s FROM unnest(%(names)s::text[]) AS name
    ON CONFLICT DO NOTHING RETURNING id)
INSERT INTO broker_partition (topic_id, partition) SELECT id, partition FROM made, generate_series(0, %(partitions)s - 1) AS partition"""  # noqa: E501


def ensure_schema(connection: psycopg.Connection) -> None:
    """Create what is missing; safe to run by many at once, and needs no right to create when all is there."""
    (last,) = connection.execute("SELECT to_regclass('broker_position')").fetchone()
    if last is None:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('haihe broker schema'))")
            connection.execute(_TABLES)


def ensure_topics(connection: psycopg.Connection, names: Iterable[str], partitions: int) -> dict[str, tuple[int, int]]:
    """Create the topics that are not there yet, and the tables; each topic's id and how many partitions it has."""
    ensure_schema(connection)
    wanted = sorted(set(names))
    known = _known(connection, wanted)
    missing = [name for name in wanted if name not in known]
    if missing:
        connection.execute(_CREATE_TOPICS, {"names": missing, "partitions": partitions})
        known = _known(connection, wanted)
    return known


def _known(connection: psycopg.Connection, names: list[str]) -> dict[str, tuple[int, int]]:
    rows = connection.execute("SELECT name, id, partitions FROM broker_topic WHERE name = ANY(%s)", (names,))
    return {name: (topic_id, partitions) for name, topic_id, partitions in rows}


def topic_channel(topic_id: int) -> str:
    """Where publishers say that a topic has new messages."""
    return f"haihe_topic_{topic_id}"


def group_channel(group_id: int) -> str:
    """Where members say that partitions are dealt anew."""
    return f"haihe_group_{group_id}"
