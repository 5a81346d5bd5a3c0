"""Keeps what identity says of companies."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis.database import project
from events.identity import PartyDescribed
from services.settlement.parties.model import Party, RegisteredAccount, plain_number, reference_of


def describe_party(session: Session, event: PartyDescribed) -> bool:
    """Keep a company as it stands; an older version changes nothing. True when it was taken in."""
    reference = reference_of(event.party_id)
    key = {"id": event.party_id}
    if not project(session, Party, key, event.version, name=event.name, state=event.state, reference=reference):
        return False
    session.execute(delete(RegisteredAccount).where(RegisteredAccount.party_id == event.party_id))
    session.add_all(
        RegisteredAccount(
            id=account.id,
            party_id=event.party_id,
            holder=account.holder,
            number=plain_number(account.number),
            bank=account.bank,
            currency=account.currency,
        )
        for account in event.bank_accounts
    )
    session.flush()
    return True
