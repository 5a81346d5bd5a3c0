"""Keeps what identity says of companies."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from chassis.database import project
from events.identity import PartyDescribed
from services.catalog.parties.model import Party, fold_party_name


def describe_party(session: Session, event: PartyDescribed) -> None:
    """Keep a company as it stands; an older version changes nothing."""
    names = [event.party_id, event.name, *(identifier.value for identifier in event.identifiers)]
    project(
        session,
        Party,
        {"id": event.party_id},
        event.version,
        name=event.name,
        state=event.state,
        group_id=event.group,
        known_as=sorted({fold_party_name(name) for name in names}),
        licences=msgspec.to_builtins(event.licences),
    )
