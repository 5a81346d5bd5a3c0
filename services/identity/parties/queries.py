"""Looking companies up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import PLATFORM, Caller
from chassis.database import Page, page, see
from events.identity import BankAccount, PartyIdentifier
from services.identity.parties.model import BankAccountRow, Party, PartyIdentifierRow, State


class ShownParty(msgspec.Struct, frozen=True):
    """A company as a caller may see it: group and bank accounts are None for everybody but itself and the operator."""

    party: Party
    identifiers: list[PartyIdentifier]
    group: str | None
    bank_accounts: list[BankAccount] | None


def see_party(session: Session, caller: Caller, party_id: str) -> ShownParty:
    """One company that the caller may see. Raises NotFound."""
    return show_party(session, caller, see(session, Party, party_id, caller))


def list_parties(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[ShownParty]:
    """The companies that the caller may see, newest first."""
    found = page(session, Party, caller, cursor, limit)
    return Page(_show(session, caller, found.items), found.next)


def show_party(session: Session, caller: Caller, party: Party) -> ShownParty:
    """A company that was loaded, as the caller may see it."""
    return _show(session, caller, [party])[0]


def _show(session: Session, caller: Caller, parties: list[Party]) -> list[ShownParty]:
    inside = {party.id for party in parties if caller.is_operator or party.id == caller.party_id}
    identifiers = find_identifiers(session, [party.id for party in parties])
    accounts = find_bank_accounts(session, inside) if inside else {}
    return [
        ShownParty(party, identifiers[party.id], party.controlling_group, accounts[party.id])
        if party.id in inside
        else ShownParty(party, identifiers[party.id], None, None)
        for party in parties
    ]


def find_identifiers(session: Session, party_ids: Iterable[str]) -> dict[str, list[PartyIdentifier]]:
    """The identifiers of some companies, by scheme and value."""
    row = PartyIdentifierRow
    statement = select(row.party_id, row.scheme, row.value).where(row.party_id.in_(list(party_ids)))
    found: defaultdict[str, list[PartyIdentifier]] = defaultdict(list)
    for party_id, scheme, value in session.execute(statement.order_by(row.scheme, row.value)):
        found[party_id].append(PartyIdentifier(scheme=scheme, value=value))
    return found


def find_bank_accounts(session: Session, party_ids: Iterable[str]) -> dict[str, list[BankAccount]]:
    """The registered bank accounts of some companies, oldest first."""
    statement = select(BankAccountRow).where(BankAccountRow.party_id.in_(list(party_ids))).order_by(BankAccountRow.id)
    found: defaultdict[str, list[BankAccount]] = defaultdict(list)
    for row in session.scalars(statement):
        account = BankAccount(id=row.id, holder=row.holder, number=row.number, bank=row.bank, currency=row.currency)
        found[row.party_id].append(account)
    return found


def may_act(session: Session, party_id: str) -> bool:
    """Whether the users and keys of a party may get tokens: the platform always, a company while it is admitted."""
    if party_id == PLATFORM:
        return True
    return session.scalar(select(Party.state).where(Party.id == party_id)) is State.ADMITTED


def name_of(session: Session, party_id: str) -> str:
    """The name of a party; the platform has its own."""
    return session.scalar(select(Party.name).where(Party.id == party_id)) or "Haihe"
