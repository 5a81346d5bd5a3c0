"""What identity does on hearing that a company holds recalled goods."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.logistics import RecallNoticeSent
from services.identity.notices import commands


def on_notice_sent(session: Session, caller: Caller, event: RecallNoticeSent) -> None:
    """Mail it to those who answer for what the company holds."""
    commands.mail_notice(session, event)


HANDLERS = {RecallNoticeSent: on_notice_sent}
