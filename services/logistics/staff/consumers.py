"""What logistics does on hearing of users."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.identity import UserDescribed
from services.logistics.staff import commands


def on_user_described(session: Session, caller: Caller, event: UserDescribed) -> None:
    """Keep the user as identity tells it."""
    commands.describe_user(session, event)


HANDLERS = {UserDescribed: on_user_described}
