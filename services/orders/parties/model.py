"""A company as identity described it, and the rules about who may trade with whom."""

from __future__ import annotations

import unicodedata

from sqlalchemy import ColumnElement, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict
from events.identity import BankAccount, Licence, PartyIdentifier
from services.orders.base import Base, stored

ADMITTED = "admitted"


class PartySuspended(Conflict):
    """A company that is suspended cannot trade."""


class SelfDealing(Conflict):
    """A company cannot trade with itself, its own group, its own identifier or its own bank account."""


class NotThirdParty(Conflict):
    """The weigher of an offer is a third party: neither buyer nor seller, nor of one hand with either."""


class Party(Base):
    """A company: projection of ``identity.party_described``.

    ``known_as`` are the folded texts that name it in an upload; like ``licences`` it is None until the company was
    described again.
    """

    __tablename__ = "party"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    country: Mapped[str]
    state: Mapped[str]
    controlling_group: Mapped[str | None]
    identifiers: Mapped[list[PartyIdentifier]] = stored(list[PartyIdentifier])
    bank_accounts: Mapped[list[BankAccount]] = stored(list[BankAccount])
    licences: Mapped[list[Licence] | None] = stored(list[Licence])
    known_as: Mapped[list[str] | None] = mapped_column(ARRAY(Text))

    __table_args__ = (Index("ix_party_known_as", known_as, postgresql_using="gin"),)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.id == caller.party_id

    def check_may_trade(self) -> None:
        """Raises PartySuspended."""
        if self.state != ADMITTED:
            raise PartySuspended(f"{self.name} is {self.state}", party_id=self.id)


def check_apart(buyer: Party, seller: Party) -> None:
    """Refuse a deal between two hands of one owner (TRADE.md 3.0). Raises SelfDealing with the ``reason``."""
    if reason := find_common_hand(buyer, seller):
        raise SelfDealing(f"buyer and seller have the same {reason.replace('_', ' ')}", reason=reason)


def check_third(weigher: Party, *traders: Party) -> None:
    """Refuse a weigher that is not apart from those who trade. Raises NotThirdParty with the ``reason``."""
    for trader in traders:
        if reason := find_common_hand(weigher, trader):
            text = f"{weigher.name} and {trader.name} have the same {reason.replace('_', ' ')}"
            raise NotThirdParty(text, reason=reason, field="$.terms.weigher_id")


def find_common_hand(one: Party, other: Party) -> str | None:
    """What makes two companies one trader: company, group, identifier, bank_account, or None."""
    if one.id == other.id:
        return "company"
    if one.controlling_group and _plain(one.controlling_group) == _plain(other.controlling_group or ""):
        return "group"
    if _identifiers(one) & _identifiers(other):
        return "identifier"
    if _accounts(one) & _accounts(other):
        return "bank_account"
    return None


def _identifiers(party: Party) -> set[tuple[str, str]]:
    return {(identifier.scheme, _plain(identifier.value)) for identifier in party.identifiers}


def _accounts(party: Party) -> set[str]:
    return {_plain(account.number) for account in party.bank_accounts}


def fold_name(text: str) -> str:
    """A company's name, id or identifier without width, case and spaces, as ``known_as`` has it."""
    return _plain(unicodedata.normalize("NFKC", text))


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
