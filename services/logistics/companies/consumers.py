"""What logistics does on hearing of companies."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.identity import PartyDescribed
from services.logistics.companies import commands


def on_party_described(session: Session, caller: Caller, event: PartyDescribed) -> None:
    """Keep the company as it stands."""
    commands.describe_company(session, event)


HANDLERS = {PartyDescribed: on_party_described}
