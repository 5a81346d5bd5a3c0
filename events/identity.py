"""What identity tells: who may trade, who may act for them, and by which keys their tokens are checked."""

from datetime import datetime
from typing import ClassVar

from chassis.envelope import Event
from chassis.values import Value


class BankAccount(Value):
    """A registered bank account of a party; ``number`` is an IBAN or a domestic account number without spaces."""

    id: str
    holder: str
    number: str
    bank: str
    currency: str


class PartyIdentifier(Value):
    """An identifier of a company: ``scheme`` is uscc, eu_vat, lei, gln (of GS1) or gs1_prefix."""

    scheme: str
    value: str


class Licence(Value):
    """A licence that a company holds: ``scope`` are the classes or goods that it is for, ``valid_until`` its last moment."""

    scheme: str
    number: str
    scope: list[str]
    valid_until: datetime


class PartyDescribed(Event):
    """A company as it stands after a change; ``state`` is admitted or suspended, ``group`` its controlling group or None.

    ``licences`` are those that were checked and not revoked; some may be over.
    """

    type: ClassVar[str] = "identity.party_described.v1"
    party_id: str
    version: int
    name: str
    country: str
    state: str
    identifiers: list[PartyIdentifier]
    bank_accounts: list[BankAccount]
    group: str | None = None
    licences: list[Licence] = []


class UserDescribed(Event):
    """A user or a machine's key as it stands after a change; ``state`` is invited, active or deactivated."""

    type: ClassVar[str] = "identity.user_described.v1"
    user_id: str
    version: int
    party_id: str
    name: str
    roles: list[str]
    state: str


class SigningKeyAnnounced(Event):
    """A key that tokens are signed with from now on, as a raw Ed25519 key in base64url. A retired key checks no token."""

    type: ClassVar[str] = "identity.signing_key_announced.v1"
    kid: str
    version: int
    public_key: str
    state: str
