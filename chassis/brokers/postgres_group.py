"""Who reads which partition, in the PostgreSQL broker.

A member is known by the generation in which it joined, never by its name, so one that was taken for dead and comes back is
another. A joining or leaving member, and one that buries a dead one, begins a new generation: the others see the number and
settle. A partition passes from one living member to another only when the first has let go of it, which it does when it polls
and so has no message in hand; those of a dead member are free at once, for an owner that is no member owns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from chassis.brokers import StaleMember
from chassis.brokers.placement import Place, assign_ranges
from chassis.brokers.postgres_schema import group_channel

_JOIN = """
INSERT INTO broker_member (group_id, generation, name, topics, lease_until)
SELECT id, generation + 1, %(name)s, %(topics)s, clock_timestamp() + make_interval(secs => %(lease_s)s)
FROM broker_group WHERE id = %(group)s RETURNING generation"""
_BURY = """
DELETE FROM broker_member AS member
WHERE group_id = %(group)s AND generation <> %(me)s AND (
    lease_until < clock_timestamp() OR NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = member.group_id::oid AND objid = member.generation::oid))"""
_RENEW = """
UPDATE broker_member SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE group_id = %(group)s AND generation = %(me)s"""
_KNOW = """
INSERT INTO broker_position (group_id, topic_id, partition, committed)
SELECT %(group)s, p.topic_id, p.partition, p.first_offset
FROM broker_partition AS p JOIN broker_topic AS t ON t.id = p.topic_id WHERE t.name = ANY(%(topics)s)
ON CONFLICT DO NOTHING"""
_LET_GO = """
UPDATE broker_position SET owner = NULL
WHERE group_id = %(group)s AND owner = %(me)s AND (topic_id, partition) NOT IN (
    SELECT t.id, due.partition FROM unnest(%(topics)s::text[], %(partitions)s::int[]) AS due (topic, partition)
    JOIN broker_topic AS t ON t.name = due.topic)"""
_TAKE = """
UPDATE broker_position AS p SET owner = %(me)s
FROM unnest(%(topics)s::text[], %(partitions)s::int[]) AS due (topic, partition)
JOIN broker_topic AS t ON t.name = due.topic
WHERE p.group_id = %(group)s AND p.topic_id = t.id AND p.partition = due.partition AND (p.owner = %(me)s OR NOT EXISTS (
    SELECT FROM broker_member AS m WHERE m.group_id = p.group_id AND m.generation = p.owner))
RETURNING t.name, p.partition, t.id, p.committed"""
_COMMIT = """
WITH read AS (
    SELECT * FROM unnest(%(topics)s::int[], %(partitions)s::int[], %(upto)s::bigint[]) AS read (topic_id, partition, upto)),
mine AS (
    SELECT topic_id, partition FROM broker_position JOIN read USING (topic_id, partition)
    WHERE group_id = %(group)s AND owner = %(me)s
    AND EXISTS (SELECT FROM broker_member WHERE group_id = %(group)s AND generation = %(me)s)
    ORDER BY topic_id, partition FOR UPDATE OF broker_position)
UPDATE broker_position AS p SET committed = read.upto
FROM read WHERE p.group_id = %(group)s AND (p.topic_id, p.partition) = (read.topic_id, read.partition)
AND (SELECT count(*) FROM mine) = %(count)s"""


@dataclass
class Membership:
    """A member of a group on its own connection: its number, and the partitions that it has, with what was committed of each."""

    connection: psycopg.Connection
    group_id: int
    number: int
    topics: Sequence[str]
    lease_s: float
    seen: int = 0
    is_complete: bool = False
    owned: dict[Place, tuple[int, int]] = field(default_factory=dict)
    """Topic and partition → the topic's id, and what was committed when it was taken."""

    @property
    def _who(self) -> dict[str, object]:
        return {"group": self.group_id, "me": self.number, "topics": list(self.topics), "lease_s": self.lease_s}


def join(connection: psycopg.Connection, group: str, name: str, topics: Sequence[str], lease_s: float) -> Membership:
    """Become a member, under a number that is held by an advisory lock for as long as the connection lives."""
    with connection.transaction():
        connection.execute("INSERT INTO broker_group (name) VALUES (%s) ON CONFLICT DO NOTHING", (group,))
        (group_id,) = connection.execute("SELECT id FROM broker_group WHERE name = %s FOR UPDATE", (group,)).fetchone()
        who = {"group": group_id, "name": name, "topics": list(topics), "lease_s": lease_s}
        (number,) = connection.execute(_JOIN, who).fetchone()
        connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (group_id, number))
        _begin_generation(connection, group_id)
    membership = Membership(connection, group_id, number, topics, lease_s)
    connection.execute(_KNOW, membership._who)
    return membership


def settle(membership: Membership) -> bool:
    """Bury the dead, renew the lease, let go of what is due to others and take what is due here and free.

    False when this member itself was buried. What is still in another's hands is left, and ``is_complete`` false.
    """
    connection, who = membership.connection, membership._who
    with connection.transaction():
        connection.execute("SELECT FROM broker_group WHERE id = %(group)s FOR UPDATE", who)
        if not connection.execute(_RENEW, who).rowcount:
            return False
        if connection.execute(_BURY, who).rowcount:
            _begin_generation(connection, membership.group_id)
        due = _due(membership)
        places = {"topics": [topic for topic, _ in due], "partitions": [partition for _, partition in due]}
        if connection.execute(_LET_GO, who | places).rowcount:
            connection.execute("SELECT pg_notify(%s, '')", (group_channel(membership.group_id),))
        taken = connection.execute(_TAKE, who | places).fetchall()
        (seen,) = connection.execute("SELECT generation FROM broker_group WHERE id = %(group)s", who).fetchone()
    before = membership.owned
    owned = {(topic, partition): (topic_id, committed) for topic, partition, topic_id, committed in taken}
    membership.owned = {place: before.get(place, found) for place, found in owned.items()}
    membership.seen, membership.is_complete = seen, len(owned) == len(due)
    return True


def commit(membership: Membership, upto: Mapping[Place, int]) -> None:
    """Record offsets for all the partitions or for none. Raises StaleMember when one of them is no longer this member's."""
    ids = [membership.owned[place][0] for place in upto]
    read = {
        "topics": ids,
        "partitions": [partition for _, partition in upto],
        "upto": list(upto.values()),
        "count": len(upto),
    }
    if not membership.connection.execute(_COMMIT, membership._who | read).rowcount:
        raise StaleMember(f"generation {membership.number} has lost partitions that it read from")


def leave(membership: Membership) -> None:
    """Stop being a member; what it had is free at once."""
    connection, who = membership.connection, membership._who
    with connection.transaction():
        connection.execute("SELECT FROM broker_group WHERE id = %(group)s FOR UPDATE", who)
        connection.execute("DELETE FROM broker_member WHERE group_id = %(group)s AND generation = %(me)s", who)
        _begin_generation(connection, membership.group_id)


def _begin_generation(connection: psycopg.Connection, group_id: int) -> None:
    connection.execute("UPDATE broker_group SET generation = generation + 1 WHERE id = %s", (group_id,))
    connection.execute("SELECT pg_notify(%s, '')", (group_channel(group_id),))


def _due(membership: Membership) -> list[Place]:
    """The partitions that this member should have, by who is in the group now; in order."""
    rows = membership.connection.execute(
        "SELECT generation, topics FROM broker_member WHERE group_id = %(group)s", membership._who
    )
    members = dict(rows.fetchall())
    topics = membership.connection.execute(
        "SELECT name, partitions FROM broker_topic WHERE name = ANY(%(topics)s)", membership._who
    )
    return sorted(assign_ranges(members, dict(topics.fetchall()))[membership.number])
