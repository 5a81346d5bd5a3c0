"""Admitting companies, and what the operator does with them afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.access import learn_denial
from chassis.auth import Caller
from chassis.database import get
from chassis.messages import emit
from chassis.problems import Invalid
from chassis.values import CURRENCY_EXPONENTS
from events.identity import PartyDescribed
from services.identity.licences.queries import find_in_force
from services.identity.parties import queries
from services.identity.parties.identifiers import read_account_number, read_country, read_identifier
from services.identity.parties.model import BankAccountRow, Party, PartyIdentifierRow, State
from services.identity.parties.queries import ShownParty
from services.identity.passwords.commands import Invited, invite_user
from services.identity.vault import Vault


class AccountWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A bank account to register, as it was given."""

    holder: str
    number: str
    bank: str
    currency: str


class Admitted(msgspec.Struct, frozen=True):
    """A company just admitted, and its administrator with the token that is shown once."""

    party: ShownParty
    admin: Invited


class CurrencyNotTraded(Invalid):
    """The platform does not keep accounts in this currency."""


def admit_party(
    session: Session,
    caller: Caller,
    vault: Vault,
    *,
    name: str,
    country: str,
    identifiers: Sequence[tuple[str, str]],
    accounts: Sequence[AccountWanted],
    group: str | None,
    admin_email: str,
    admin_name: str,
) -> Admitted:
    """Admit a company with (scheme, value) identifiers, tell of it, and invite its administrator.

    Raises IdentifierInvalid, CountryUnknown, AccountNumberInvalid, CurrencyNotTraded, IdentifierTaken, AccountTaken or
    EmailTaken.
    """
    party = Party(
        id=clock.new_id("party"),
        version=1,
        name=name,
        country=read_country(country, field="$.country"),
        controlling_group=group,
        state=State.ADMITTED,
        admitted_at=clock.now(),
    )
    session.add(party)
    session.flush()
    for place, (scheme, value) in enumerate(identifiers):
        compact = read_identifier(scheme, value, field=f"$.identifiers[{place}].value")
        session.add(PartyIdentifierRow(id=clock.new_id("identifier"), party_id=party.id, scheme=scheme, value=compact))
    for place, account in enumerate(accounts):
        _register(session, party, account, field=f"$.bank_accounts[{place}]")
    describe_party(session, party)
    admin = invite_user(session, caller, vault, party_id=party.id, email=admin_email, name=admin_name, roles=["admin"])
    return Admitted(queries.show_party(session, caller, party), admin)


def add_bank_account(session: Session, caller: Caller, party_id: str, account: AccountWanted) -> BankAccountRow:
    """Register another bank account of a company. Raises AccountNumberInvalid, CurrencyNotTraded or AccountTaken."""
    party = get(session, Party, party_id, caller)
    added = _register(session, party, account, field="$")
    party.version += 1
    describe_party(session, party)
    return added


def add_identifier(session: Session, caller: Caller, party_id: str, *, scheme: str, value: str) -> ShownParty:
    """Note another identifier of a company. Raises IdentifierInvalid or IdentifierTaken."""
    party = get(session, Party, party_id, caller)
    compact = read_identifier(scheme, value, field="$.value")
    session.add(PartyIdentifierRow(id=clock.new_id("identifier"), party_id=party.id, scheme=scheme, value=compact))
    party.version += 1
    describe_party(session, party)
    return queries.show_party(session, caller, party)


def suspend_party(session: Session, caller: Caller, party_id: str) -> ShownParty:
    """Stop a company from acting: its tokens are refused everywhere. Raises IllegalMove."""
    return _move(session, caller, party_id, "suspend")


def reinstate_party(session: Session, caller: Caller, party_id: str) -> ShownParty:
    """Let a suspended company act again. Raises IllegalMove."""
    return _move(session, caller, party_id, "reinstate")


def _move(session: Session, caller: Caller, party_id: str, move: str) -> ShownParty:
    party = get(session, Party, party_id, caller)
    party.move(move)
    party.version += 1
    describe_party(session, party)
    return queries.show_party(session, caller, party)


def _register(session: Session, party: Party, account: AccountWanted, *, field: str) -> BankAccountRow:
    if account.currency not in CURRENCY_EXPONENTS:
        raise CurrencyNotTraded(account.currency, field=f"{field}.currency")
    number = read_account_number(account.number, field=f"{field}.number")
    row = BankAccountRow(
        id=clock.new_id("account"),
        party_id=party.id,
        holder=account.holder,
        number=number,
        bank=account.bank,
        currency=account.currency,
    )
    session.add(row)
    return row


def describe_party(session: Session, party: Party) -> None:
    """Say how a company stands now, and shut it out or let it in here at once."""
    session.flush()
    described = PartyDescribed(
        party_id=party.id,
        version=party.version,
        name=party.name,
        country=party.country,
        state=party.state,
        group=party.controlling_group,
        identifiers=queries.find_identifiers(session, [party.id])[party.id],
        bank_accounts=queries.find_bank_accounts(session, [party.id])[party.id],
        licences=find_in_force(session, party.id),
    )
    emit(session, described, of=party)
    learn_denial(session, party.id, party.version, denied=party.state is State.SUSPENDED)
