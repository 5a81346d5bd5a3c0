"""Counting tries by one statement each, so that tries in parallel cannot slip past the limit."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.identity.attempts.model import WINDOW, Attempt, TooManyAttempts

_COUNT = text(
    "INSERT INTO attempt AS a (id, count, due_at) VALUES (:id, 1, :until) "
    "ON CONFLICT (id) DO UPDATE SET count = CASE WHEN a.due_at <= :now THEN 1 ELSE a.count + 1 END, "
    "due_at = CASE WHEN a.due_at <= :now THEN :until ELSE a.due_at END RETURNING count"
)


def count_attempt(session: Session, what: str, of: str, *, limit: int) -> TooManyAttempts | None:
    """Count a try at ``what`` of somebody; the problem to refuse with when there were more than ``limit`` in the
    window.

    Others who try the same wait until this transaction ends.
    """
    return _too_many(limit) if _count(session, what, of) > limit else None


def count_failure(session: Session, what: str, of: str | None) -> None:
    """Count a try that failed, where it is known whose it was."""
    if of is not None:
        _count(session, what, of)


def check_failures(session: Session, what: str, of: str | None, *, limit: int) -> TooManyAttempts | None:
    """The problem to refuse with when ``limit`` tries failed in the window.

    Nobody waits for anybody here: of tries in parallel as many slip past as are answered at the same time.
    """
    if of is None:
        return None
    failed = select(Attempt.count).where(Attempt.id == _name(what, of), Attempt.due_at > clock.now())
    return _too_many(limit) if (session.scalar(failed) or 0) >= limit else None


def forget_attempts(session: Session, what: str, of: str) -> None:
    """Begin to count anew, after a success."""
    session.execute(delete(Attempt).where(Attempt.id == _name(what, of)))


def end_window(session: Session, caller: Caller, attempt_id: str) -> None:
    """Throw a counter away whose window is over."""
    session.execute(delete(Attempt).where(Attempt.id == attempt_id, Attempt.due_at <= clock.now()))


def _count(session: Session, what: str, of: str) -> int:
    now = clock.now()
    return session.execute(_COUNT, {"id": _name(what, of), "now": now, "until": now + WINDOW}).scalar_one()


def _too_many(limit: int) -> TooManyAttempts:
    return TooManyAttempts(f"at most {limit} in {int(WINDOW.total_seconds() // 60)} minutes")


def _name(what: str, of: str) -> str:
    return f"{what}:{hashlib.sha256(of.lower().encode()).hexdigest()[:32]}"
