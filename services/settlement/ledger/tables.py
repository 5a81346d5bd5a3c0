"""The tables of the ledger: accounts, journals and postings. ``post_journals.sql`` alone writes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import CHAR, BigInteger, CheckConstraint, ColumnElement, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.values import Money
from services.settlement.base import Base
from services.settlement.ledger.model import PARTY_KINDS, PLATFORM, UNFLOORED, Kind


def _quoted(kinds: Iterable[Kind]) -> str:
    return ", ".join(f"'{kind}'" for kind in sorted(kinds))


class Account(Base):
    """What one owner has of one kind in one currency; only ``post_journals`` writes it."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("id = owner_id || ':' || kind || ':' || currency", name="id"),
        CheckConstraint(f"balance >= 0 OR kind IN ({_quoted(UNFLOORED)})", name="floor"),
        CheckConstraint(f"kind IN ({_quoted(Kind)})", name="kind"),
        CheckConstraint(f"(owner_id = '{PLATFORM}') = (kind NOT IN ({_quoted(PARTY_KINDS)}))", name="owner"),
    )

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    owner_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    balance: Mapped[int] = mapped_column(BigInteger, server_default="0")
    postings: Mapped[int] = mapped_column(BigInteger, server_default="0")

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.owner_id == caller.party_id

    @property
    def money(self) -> Money:
        """The balance."""
        return Money(self.balance, self.currency)


class Journal(Base):
    """One movement of money: written once, with all its postings."""

    __tablename__ = "journal"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    key: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    fingerprint: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()


class Posting(Base):
    """What one journal did to one account: the ``number``-th posting of the account left ``balance`` on it.

    No foreign keys: the only writer makes all three rows in one call, two look-ups a posting cost a quarter of the
    throughput, and the invariants name any posting that stands alone.
    """

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("account_id", "number"),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("right(account_id, 3) = currency", name="currency"),
    )

    journal_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    balance: Mapped[int] = mapped_column(BigInteger)
