"""Keeps what identity says of companies."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.database import project
from events.identity import PartyDescribed
from services.orders.parties.model import Party, fold_name


def describe_party(session: Session, event: PartyDescribed) -> None:
    """Keep a company as it stands; an older version changes nothing."""
    project(
        session,
        Party,
        {"id": event.party_id},
        event.version,
        name=event.name,
        country=event.country,
        state=event.state,
        controlling_group=event.group,
        identifiers=event.identifiers,
        bank_accounts=event.bank_accounts,
        licences=event.licences,
        known_as=sorted({fold_name(text) for text in (event.party_id, event.name, *_values(event))}),
    )


def _values(event: PartyDescribed) -> list[str]:
    return [identifier.value for identifier in event.identifiers]
