"""Messages of one service that were set aside, as the command line lists, shows, replays and drops them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from chassis import parking
from chassis.consumer import Facts, Streams, replay
from chassis.database import Database
from chassis.parking import ParkedKey, ParkedMessage
from chassis.problems import NotFound
from chassis.service import Service
from infra.failures import Failure


class StillFails(Failure):
    """What kept a message from being handled has not been mended."""

    code = 15


def list_keys(database: Database) -> list[dict[str, Any]]:
    """Every key that is set aside: its group, topic, key, reason, since when, until when it waits (None is parked),
    how many messages.
    """
    counted = (
        select(ParkedKey, func.count(ParkedMessage.id))
        .outerjoin(
            ParkedMessage,
            (ParkedMessage.group == ParkedKey.group)
            & (ParkedMessage.topic == ParkedKey.topic)
            & (ParkedMessage.key == ParkedKey.key),
        )
        .group_by(ParkedKey.group, ParkedKey.topic, ParkedKey.key)
        .order_by(ParkedKey.since)
    )
    fields = ("group", "topic", "key", "reason", "since", "due_at", "attempts")
    rows = database.look(lambda session: session.execute(counted).all())
    return [{**{field: getattr(row, field) for field in fields}, "messages": count} for row, count in rows]


def show_key(database: Database, group: str, topic: str, key: str) -> list[dict[str, Any]]:
    """The messages of one key, oldest first. Raises NotFound when none is set aside."""
    query = select(ParkedMessage).where(
        ParkedMessage.group == group, ParkedMessage.topic == topic, ParkedMessage.key == key
    )
    rows = database.look(lambda session: session.scalars(query.order_by(ParkedMessage.id)).all())
    if not rows:
        raise NotFound(f"nothing is set aside for {key!r} of {topic} in {group}")
    return [
        {"id": row.id, "at": row.at, "headers": row.headers, "value": bytes(row.value).decode(errors="replace")}
        for row in rows
    ]


def replay_key(service: Service, database: Database, group: str, topic: str, key: str, *, who: str, why: str) -> int:
    """Handles the messages of one key in order; how many. Raises NotFound, or StillFails: then it and the rest stay."""
    ways = {way.group: way for way in (Facts(service), Streams(service))}
    if group not in ways:
        raise NotFound(f"{service.name} has no group {group!r}, only {', '.join(ways)}")
    try:
        return replay(ways[group], database, topic, key, who=who, why=why)
    except NotFound:
        raise
    except Exception as error:
        raise StillFails(
            f"The oldest message still fails, and nothing was lost: {type(error).__name__}: {error}"
        ) from error


def drop_head(database: Database, group: str, topic: str, key: str, *, who: str, why: str) -> dict[str, Any]:
    """Throws the oldest message of one key away; what it was. Raises NotFound."""
    dropped = database.run(lambda session: parking.drop_head(session, group, topic, key, who=who, why=why))
    return {"topic": dropped.topic, "key": dropped.key, "headers": dropped.headers}
