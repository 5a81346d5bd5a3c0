"""Collects what saved searches found for a user, and owes one mail a minute that names it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get_if_any, get_many
from chassis.errands import owe
from events.catalog import SearchMatched
from services.identity.alerts.model import COLLECTED_FOR, Alert, write_line
from services.identity.users.queries import find_active

MAIL = "alert_mail"


def collect_matches(session: Session, caller: Caller, events: Sequence[SearchMatched]) -> None:
    """Keep what was found for the mail that its user gets next; who cannot sign in gets none."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    active = find_active(session, {event.user_id for event in events})
    for event in events:
        if event.user_id in active:
            line = write_line(search=event.name, kind=event.kind, thing_id=event.thing_id, title=event.title)
            found[event.user_id].append(line)
    if not found:
        return
    _begin(session, sorted(found))
    for alert in get_many(session, Alert, found, caller):
        alert.collect(found[alert.id])


def _begin(session: Session, user_ids: Sequence[str]) -> None:
    """A row for each, new or locked, so that no mail goes out between this and what is collected."""
    due_at = clock.now() + COLLECTED_FOR
    statement = insert(Alert).values([{"id": id, "due_at": due_at, "lines": [], "more": 0} for id in user_ids])
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"more": Alert.more}))


def send_due(session: Session, caller: Caller, user_id: str) -> None:
    """Owe a user the mail of what was found; one who was let go since gets none."""
    alert = get_if_any(session, Alert, user_id, caller)
    if alert is None or alert.due_at > clock.now():
        return
    if user := find_active(session, [user_id]).get(user_id):
        owe(session, MAIL, user.id, {"email": user.email, "name": user.name, "lines": alert.lines, "more": alert.more})
    session.delete(alert)
