"""What is done with a message that cannot be handled: its key alone waits or is parked, in order, and nothing is lost.

Parking is by (group, topic, key). A key *waits* when its handler said NotYetKnown: it is tried again with back-off for ten minutes.
Otherwise, and after that, it is *parked* until an operator replays or drops it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import BigInteger, Identity, Index, LargeBinary, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.brokers import Message
from chassis.database import Chassis
from chassis.problems import NotFound

WAIT_LIMIT = timedelta(minutes=10)
FIRST_WAIT = timedelta(milliseconds=200)
LONGEST_WAIT = timedelta(seconds=15)
log = structlog.get_logger(__name__)


class ParkedKey(Chassis):
    """A key whose messages are set aside, and why. ``due_at`` is set while it waits and is tried again by itself."""

    __tablename__ = "parked_key"

    group: Mapped[str] = mapped_column("consumer_group", Text, primary_key=True)
    topic: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column()
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(index=True)


class ParkedMessage(Chassis):
    """A message that was set aside."""

    __tablename__ = "parked_message"
    __table_args__ = (Index("ix_parked_message_place", "consumer_group", "topic", "key", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    group: Mapped[str] = mapped_column("consumer_group", Text)
    topic: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column()

    def message(self) -> Message:
        """The message as it came."""
        return Message(topic=self.topic, key=self.key, value=bytes(self.value), headers=self.headers)


def park(session: Session, group: str, message: Message, reason: str, *, may_wait: bool = False) -> None:
    """Set a key aside with the message that failed: waiting when ``may_wait``, else until an operator decides."""
    session.execute(
        insert(ParkedKey)
        .values(
            consumer_group=group,
            topic=message.topic,
            key=message.key,
            reason=reason,
            since=clock.now(),
            attempts=0,
            due_at=clock.now() + FIRST_WAIT if may_wait else None,
        )
        .on_conflict_do_nothing()
    )
    set_aside(session, group, message)


def set_aside(session: Session, group: str, message: Message) -> None:
    """Put a message behind the others of its parked key."""
    session.add(
        ParkedMessage(
            group=group,
            topic=message.topic,
            key=message.key,
            headers=message.headers,
            value=message.value,
            at=clock.now(),
        )
    )


def count_parked(session: Session, group: str) -> int:
    """How many keys of a group are parked (those that wait are not counted)."""
    query = select(func.count()).select_from(ParkedKey).where(ParkedKey.group == group, ParkedKey.due_at.is_(None))
    return session.scalar(query) or 0


def waiting_keys(session: Session, group: str, limit: int = 100) -> list[tuple[str, str]]:
    """The (topic, key) pairs whose wait is over."""
    query = select(ParkedKey.topic, ParkedKey.key).where(ParkedKey.group == group, ParkedKey.due_at <= clock.now())
    return [(topic, key) for topic, key in session.execute(query.order_by(ParkedKey.due_at).limit(limit))]


def replay_head(session: Session, group: str, topic: str, key: str, handle: Callable[[Session, Message], None]) -> bool:
    """Handle the oldest message of a parked key and take it out; unpark the key when it was the last. True while more are left.

    Raises NotFound when the key is not parked, and whatever the handler raises.
    """
    parked = _lock_key(session, group, topic, key)
    head = _head(session, parked)
    if head is not None:
        handle(session, head.message())
        session.delete(head)
        session.flush()
    if _head(session, parked) is None:
        session.delete(parked)
        return False
    return True


def wait_longer(session: Session, group: str, topic: str, key: str) -> None:
    """Let a waiting key wait twice as long as before; past the limit it is parked for the operator."""
    parked = _lock_key(session, group, topic, key)
    parked.attempts += 1
    wait = min(FIRST_WAIT * 2 ** min(parked.attempts, 20), LONGEST_WAIT)
    if clock.now() + wait > parked.since + WAIT_LIMIT:
        give_up_waiting(session, group, topic, key, parked.reason)
    else:
        parked.due_at = clock.now() + wait


def give_up_waiting(session: Session, group: str, topic: str, key: str, reason: str) -> None:
    """Leave a key to the operator."""
    parked = _lock_key(session, group, topic, key)
    parked.due_at, parked.reason = None, reason
    log.error("message parked", group=group, topic=topic, key=key, reason=reason)


def drop_head(session: Session, group: str, topic: str, key: str, *, who: str, why: str) -> Message:
    """Throw the oldest message of a parked key away, with who decided it and why in the log. Raises NotFound."""
    parked = _lock_key(session, group, topic, key)
    head = _head(session, parked)
    if head is None:
        raise NotFound(f"nothing is parked for {key!r}")
    message = head.message()
    session.delete(head)
    session.flush()
    if _head(session, parked) is None:
        session.delete(parked)
    log.warning("parked message dropped", group=group, topic=topic, key=key, who=who, why=why, headers=message.headers)
    return message


def _lock_key(session: Session, group: str, topic: str, key: str) -> ParkedKey:
    parked = session.get(ParkedKey, (group, topic, key), with_for_update=True, populate_existing=True)
    if parked is None:
        raise NotFound(f"{key!r} of {topic} is not parked for {group}")
    return parked


def _head(session: Session, parked: ParkedKey) -> ParkedMessage | None:
    query = select(ParkedMessage).where(
        ParkedMessage.group == parked.group, ParkedMessage.topic == parked.topic, ParkedMessage.key == parked.key
    )
    return session.scalars(query.order_by(ParkedMessage.id).limit(1)).one_or_none()
