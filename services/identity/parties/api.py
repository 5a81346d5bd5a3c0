"""Companies over HTTP: the operator admits, suspends and reinstates them; everybody sees who may trade."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import CurrencyCode, ShortText
from events.identity import BankAccount, PartyIdentifier
from services.identity.parties import commands, queries
from services.identity.parties.model import BankAccountRow, State
from services.identity.parties.queries import ShownParty
from services.identity.users.model import EmailText
from services.identity.web import vault_of_app

routes = Blueprint("parties", __name__)

CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}(?![\s\S])")]
IdentifierText = Annotated[str, Meta(min_length=4, max_length=40, pattern=r"^[A-Za-z0-9 .\-]+(?![\s\S])")]


class IdentifierBody(Body):
    """An identifier of a company, held to its check digits."""

    scheme: Literal["uscc", "eu_vat", "lei", "gln", "gs1_prefix"]
    value: IdentifierText


class BankAccountBody(Body):
    """A bank account; what looks like an IBAN must be a valid one."""

    holder: ShortText
    number: IdentifierText
    bank: ShortText
    currency: CurrencyCode

    def wanted(self) -> commands.AccountWanted:
        """As the command takes it."""
        return commands.AccountWanted(holder=self.holder, number=self.number, bank=self.bank, currency=self.currency)


class AdminBody(Body):
    """The first administrator of a company."""

    email: EmailText
    name: ShortText


class AdmitParty(Body):
    """A company to admit; companies of one ``group``, its controlling group, do not trade with each other."""

    name: ShortText
    country: CountryCode
    identifiers: Annotated[list[IdentifierBody], Meta(min_length=1, max_length=10)]
    bank_accounts: Annotated[list[BankAccountBody], Meta(max_length=20)] = []
    group: ShortText | None = None
    admin: AdminBody


class AdminView(View):
    """The administrator who was invited, with the one-time token."""

    user_id: str
    invitation: str


class PartyView(View):
    """A company; its group and bank accounts are shown to itself and to the operator."""

    id: str
    name: str
    country: str
    state: State
    identifiers: list[PartyIdentifier]
    group: str | None = None
    bank_accounts: list[BankAccount] | None = None
    admitted_at: datetime

    @classmethod
    def of(cls, shown: ShownParty) -> PartyView:
        return cls(**_fields(shown))


class AdmittedView(PartyView):
    """A company just admitted; the invitation of its administrator is shown this once."""

    admin: AdminView

    @classmethod
    def of_admitted(cls, admitted: commands.Admitted) -> AdmittedView:
        admin = AdminView(user_id=admitted.admin.user.id, invitation=admitted.admin.token)
        return cls(**_fields(admitted.party), admin=admin)


def _fields(shown: ShownParty) -> dict[str, Any]:
    party = shown.party
    return {
        "id": party.id,
        "name": party.name,
        "country": party.country,
        "state": party.state,
        "identifiers": shown.identifiers,
        "group": shown.group,
        "bank_accounts": shown.bank_accounts,
        "admitted_at": party.admitted_at,
    }


class BankAccountView(View):
    """A registered bank account."""

    id: str
    holder: str
    number: str
    bank: str
    currency: str

    @classmethod
    def of(cls, row: BankAccountRow) -> BankAccountView:
        return cls(id=row.id, holder=row.holder, number=row.number, bank=row.bank, currency=row.currency)


@routes.post("/v1/parties")
@command(role="operator", status=201, keeps_secret=True)
def admit_party(session: Session, caller: Caller, body: AdmitParty) -> AdmittedView:
    """Admit a company and invite its administrator."""
    admitted = commands.admit_party(
        session,
        caller,
        vault_of_app(),
        name=body.name,
        country=body.country,
        identifiers=[(identifier.scheme, identifier.value) for identifier in body.identifiers],
        accounts=[account.wanted() for account in body.bank_accounts],
        group=body.group,
        admin_email=body.admin.email,
        admin_name=body.admin.name,
    )
    return AdmittedView.of_admitted(admitted)


@routes.post("/v1/parties/<party_id>/bank-accounts")
@command(role="operator", status=201)
def add_bank_account(session: Session, caller: Caller, party_id: str, body: BankAccountBody) -> BankAccountView:
    """Register a bank account of a company."""
    return BankAccountView.of(commands.add_bank_account(session, caller, party_id, body.wanted()))


@routes.post("/v1/parties/<party_id>/identifiers")
@command(role="operator", status=201)
def add_identifier(session: Session, caller: Caller, party_id: str, body: IdentifierBody) -> PartyView:
    """Note another identifier of a company, such as a GLN of one of its places; the operator has looked at the proof."""
    return PartyView.of(commands.add_identifier(session, caller, party_id, scheme=body.scheme, value=body.value))


@routes.post("/v1/parties/<party_id>/suspend")
@command(role="operator")
def suspend_party(session: Session, caller: Caller, party_id: str) -> PartyView:
    """Stop a company from acting; its tokens are refused at once."""
    return PartyView.of(commands.suspend_party(session, caller, party_id))


@routes.post("/v1/parties/<party_id>/reinstate")
@command(role="operator")
def reinstate_party(session: Session, caller: Caller, party_id: str) -> PartyView:
    """Let a suspended company act again."""
    return PartyView.of(commands.reinstate_party(session, caller, party_id))


@routes.get("/v1/parties")
@query(shared=True)
def list_parties(session: Session, caller: Caller, params: Paging) -> Page[PartyView]:
    """Companies that may trade, newest first; the operator sees suspended ones too."""
    return queries.list_parties(session, caller, params.cursor, params.limit).map(PartyView.of)


@routes.get("/v1/parties/<party_id>")
@query(shared=True)
def show_party(session: Session, caller: Caller, party_id: str) -> PartyView:
    """One company."""
    return PartyView.of(queries.see_party(session, caller, party_id))
