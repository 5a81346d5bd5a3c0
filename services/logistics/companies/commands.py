"""Keeps what identity says of companies."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.database import project
from events.identity import PartyDescribed
from services.logistics.companies.model import Company


def describe_company(session: Session, event: PartyDescribed) -> None:
    """Keep a company as it stands; an older version changes nothing."""
    glns = [one.value for one in event.identifiers if one.scheme == "gln"]
    prefixes = [f"{one.value}*" for one in event.identifiers if one.scheme == "gs1_prefix"]
    numbers = sorted({*glns, *prefixes})
    project(session, Company, {"id": event.party_id}, event.version, name=event.name, numbers=numbers)
