"""Owes the mails of a notice."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.errands import owe
from events.logistics import RecallNoticeSent
from services.identity.users.queries import find_by_roles

NOTICE_MAIL = "notice_mail"
TOLD = ("admin", "warehouse")
"""Who of a company answers for what it holds."""


def mail_notice(session: Session, event: RecallNoticeSent) -> None:
    """Owe a mail to each of those who answer for what the company holds."""
    for user in find_by_roles(session, event.party_id, TOLD):
        told = {
            "email": user.email,
            "name": user.name,
            "thing": event.thing,
            "grade": event.grade,
            "reason": event.reason,
            "instruction": event.instruction,
            "held": event.held,
            "due_at": event.due_at.isoformat() if event.due_at else "",
            "notice_id": event.notice_id,
        }
        owe(session, NOTICE_MAIL, user.id, told)
