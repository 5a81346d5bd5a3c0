"""Idempotency keys: a key, what was asked and what was answered are a row in the very transaction that did it.

So only what was committed is remembered. A parallel duplicate waits on the unique index until the first is done or
``lock_timeout`` passes; a request that failed leaves nothing and its key may be tried again.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import blake2b

import psycopg.errors
from sqlalchemy import ColumnElement, Text, true
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import Chassis
from chassis.messages import write_last
from chassis.pace import PURGE_BATCH
from chassis.problems import Conflict, Invalid, Problem

HEADER = "Idempotency-Key"
REPLAYED = ("Idempotency-Replayed", "true")
KEPT = timedelta(days=7)
_well_formed = re.compile(r"[\x21-\x7e]{1,128}").fullmatch


class Idempotency(Chassis):
    """A key that a caller has used on a route; an answer that holds a secret is not kept (``status`` is null)."""

    __tablename__ = "idempotency"

    caller_id: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes]
    status: Mapped[int | None]
    media_type: Mapped[str | None]
    answer: Mapped[bytes | None]
    used_at: Mapped[datetime] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()


class KeyMissing(Problem):
    """A request that makes or moves something needs an Idempotency-Key header."""

    status = 428


class KeyMalformed(Invalid):
    """An Idempotency-Key is 1 to 128 visible ASCII characters."""


class KeyReused(Invalid):
    """This Idempotency-Key was used for another request."""


class KeyInUse(Conflict):
    """A request with this Idempotency-Key is still being answered."""

    headers = {"Retry-After": "1"}


class AnswerNotKept(Conflict):
    """The request was done before, and its answer held a secret that is shown only once."""


def read_idempotency_key(header: str | None) -> str:
    """The key from its header. Raises KeyMissing or KeyMalformed."""
    if not header:
        raise KeyMissing(f"send a fresh {HEADER}, and the same one when you try again")
    if not _well_formed(header):
        raise KeyMalformed(field=HEADER)
    return header


def take_fingerprint(path: str, query: str, body: bytes) -> bytes:
    """What was asked, as 16 bytes that cover path, query and body."""
    digest = blake2b(f"{path}?{query}\n".encode("utf-8", "surrogateescape"), digest_size=16)
    digest.update(body)
    return digest.digest()


_CLAIM = (
    "INSERT INTO idempotency (caller_id, route, key, fingerprint, used_at) "
    "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
_RECALL = (
    "SELECT fingerprint, status, media_type, answer FROM idempotency WHERE caller_id = %s AND route = %s AND key = %s"
)
_KEEP = (
    "UPDATE idempotency SET status = %s, media_type = %s, answer = %s WHERE caller_id = %s AND route = %s AND key = %s"
)
_PURGE = (
    "DELETE FROM idempotency WHERE ctid = ANY "
    "(ARRAY(SELECT ctid FROM idempotency WHERE used_at < %s LIMIT %s FOR UPDATE SKIP LOCKED))"
)

Scope = tuple[str, str, str]
"""Caller id, method and route, key."""


def claim_key(session: Session, scope: Scope, fingerprint: bytes) -> tuple[int, str | None, bytes] | None:
    """Take a key for this transaction: None when it is fresh, otherwise status, media type and bytes of what was kept.

    Raises KeyReused, KeyInUse or AnswerNotKept.
    """
    connection = session.connection()
    try:
        if connection.exec_driver_sql(_CLAIM, (*scope, fingerprint, clock.now())).rowcount:
            return None
        row = connection.exec_driver_sql(_RECALL, scope).one_or_none()
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise KeyInUse("wait a moment, then ask again with the same key") from None
        raise
    if row is None:
        raise KeyInUse("the key was just forgotten: ask again")
    if bytes(row.fingerprint) != fingerprint:
        raise KeyReused("a key belongs to one request: use a fresh one", field=HEADER)
    if row.status is None:
        raise AnswerNotKept("what it made can be listed; revoke it and make another if its secret is lost")
    return row.status, row.media_type, bytes(row.answer)


def keep_answer(session: Session, scope: Scope, status: int, media_type: str | None, answer: bytes) -> None:
    """Remember the answer that goes with the key, with the last statement of the transaction."""
    write_last(session, _KEEP, (status, media_type, answer, *scope))


def purge_idempotency(session: Session) -> int:
    """Forget keys that are older than seven days, a bounded number at a time. Returns how many."""
    return session.connection().exec_driver_sql(_PURGE, (clock.now() - KEPT, PURGE_BATCH)).rowcount
