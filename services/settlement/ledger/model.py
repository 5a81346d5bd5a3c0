"""The rules of the ledger: accounts by owner, kind and currency; journals that balance, one posting an account.

Rules I1, I2 and I5 of TRADE.md 3.0. The rule that decides whether a journal can be posted is ``decide`` here and
``post_journals.sql`` in the database; a property test holds the two equal.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from chassis import auth
from chassis.problems import Conflict, Invalid, Problem
from chassis.values import Money


class Kind(StrEnum):
    """What the money on an account is: a party's, or the platform's own and its counter sides."""

    AVAILABLE = "available"
    FROZEN = "frozen"
    ESCROW = "escrow"
    FEE = "fee"
    SUSPENSE = "suspense"
    PAYOUT_TRANSIT = "payout_transit"
    REFUND_TRANSIT = "refund_transit"
    CLEARING_BANK = "clearing_bank"
    CLEARING_CARD = "clearing_card"
    CARD_FEES = "card_fees"
    RECEIVABLE = "receivable"


PLATFORM = auth.PLATFORM
"""The owner of the platform's own accounts."""
PARTY_KINDS = frozenset({Kind.AVAILABLE, Kind.FROZEN, Kind.ESCROW})
UNFLOORED = frozenset({Kind.CLEARING_BANK, Kind.CLEARING_CARD, Kind.CARD_FEES, Kind.RECEIVABLE})
"""Accounts that may be below zero: money that lies outside, what the platform has spent, and what it is owed."""
MOST = 10**15
"""Minor units: ten trillion yuan. Thousands of such amounts still add up within 64 bits."""


class JournalKeyReused(Invalid):
    """A journal key was used before for another movement of money."""


class InsufficientFunds(Conflict):
    """The balance does not cover this."""


class AmountRefused(Invalid):
    """An amount of money that comes in or goes out is positive and of a size that can be real."""


class MoneyMissing(Problem):
    """Money that the ledger should hold is not there."""


class Leg(msgspec.Struct, frozen=True):
    """What one account gets (positive) or gives (negative)."""

    owner_id: str
    kind: Kind
    amount: Money

    @property
    def account_id(self) -> str:
        """The id of the account."""
        return account_id(self.owner_id, self.kind, self.amount.currency)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A journal that is to be posted; its ``key`` is made from the id of what causes it, and is unique for ever."""

    key: str
    kind: str
    subject: str
    legs: tuple[Leg, ...]

    @property
    def amounts(self) -> dict[str, int]:
        """What each account gets in minor units, in the order of the legs; accounts that get nothing are left out.

        Raises ValueError when the legs are not balanced or move nothing: the caller has a bug.
        """
        amounts: dict[str, int] = defaultdict(int)
        sums: dict[str, int] = defaultdict(int)
        for leg in self.legs:
            amounts[leg.account_id] += leg.amount.amount
            sums[leg.amount.currency] += leg.amount.amount
        if any(sums.values()):
            raise ValueError(f"journal {self.key} does not sum to zero: {dict(sums)}")
        moved = {account: amount for account, amount in amounts.items() if amount}
        if not moved:
            raise ValueError(f"journal {self.key} moves nothing")
        return moved


class Posted(msgspec.Struct, frozen=True):
    """The journal stands; ``replayed`` when it was posted by an earlier call with the same key."""

    journal_id: str
    replayed: bool = False


class Lacking(msgspec.Struct, frozen=True):
    """Nothing moved: the account, the first in the order of the legs, would have gone below zero by ``missing``."""

    owner_id: str
    kind: Kind
    missing: Money

    def problem(self) -> InsufficientFunds:
        """The refusal to somebody who asked to spend it."""
        return InsufficientFunds(f"{self.missing} more would be needed", missing=self.missing)


def check_amount(amount: Money) -> None:
    """Raises AmountRefused unless an amount that comes in or goes out is positive and at most ``MOST`` minor units."""
    if not 0 < amount.amount <= MOST:
        raise AmountRefused(f"{amount} is not between 1 and {MOST} minor units", field="$.amount")


def take_fingerprint(kind: str, subject: str, amounts: Mapping[str, int]) -> str:
    """What makes two journals the same movement: SHA-256 over kind, subject and what each account gets."""
    return hashlib.sha256(msgspec.json.encode([kind, subject, sorted(amounts.items())])).hexdigest()


def account_id(owner_id: str, kind: Kind, currency: str) -> str:
    """The id of the one account of an owner, kind and currency."""
    return f"{owner_id}:{kind}:{currency}"


def read_account_id(id: str) -> tuple[str, Kind, str]:
    """Owner, kind and currency of an account id."""
    owner_id, kind, currency = id.rsplit(":", 2)
    return owner_id, Kind(kind), currency


def is_floored(account: str) -> bool:
    """Whether an account may not go below zero."""
    return read_account_id(account)[1] not in UNFLOORED


def decide(balances: Mapping[str, int], amounts: Mapping[str, int]) -> tuple[str, int] | None:
    """Whether accounts with these balances can bear a journal: None, or the first that lacks and by how much."""
    for account, amount in amounts.items():
        after = balances.get(account, 0) + amount
        if amount < 0 and after < 0 and is_floored(account):
            return account, -after
    return None
