"""What settlement does on hearing of companies."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.identity import PartyDescribed
from services.settlement.banking import commands


def on_party_described(session: Session, caller: Caller, event: PartyDescribed) -> None:
    """Keep the company, and match what came in before it was known."""
    commands.hear_of_party(session, caller, event)


HANDLERS = {PartyDescribed: on_party_described}
