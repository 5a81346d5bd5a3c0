"""A company as settlement knows it: its top-up reference and its registered bank accounts."""

from __future__ import annotations

import base64
import hashlib
import re

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import Mapped, mapped_column
from stdnum.iso7064 import mod_97_10

from chassis.auth import Caller
from services.settlement.base import Base

_REFERENCE = re.compile(r"(?=(RF[0-9]{2}[A-Z2-7]{16}))")
_NOT_WRITTEN = re.compile(r"[^A-Z0-9]")


class Party(Base):
    """A company: projection of ``identity.party_described``."""

    __tablename__ = "party"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    state: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.id == caller.party_id


class RegisteredAccount(Base):
    """A bank account that a company has registered; ``number`` as ``plain_number`` writes it."""

    __tablename__ = "registered_account"

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(index=True)
    holder: Mapped[str]
    number: Mapped[str] = mapped_column(index=True)
    bank: Mapped[str]
    currency: Mapped[str]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id


def plain_number(number: str) -> str:
    """A bank account number without spaces, in capitals."""
    return "".join(number.split()).upper()


def reference_of(party_id: str) -> str:
    """What a company quotes to top its balance up: a creditor reference (ISO 11649) made from its id.

    RF, two check digits (ISO 7064 mod 97-10), and sixteen characters of the id's SHA-256 in base 32: a slip of the pen
    matches nobody.
    """
    body = base64.b32encode(hashlib.sha256(party_id.encode()).digest()).decode()[:16]
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def references_in(remittance: str) -> set[str]:
    """Every text in a remittance that has the shape of a reference, however it was spaced, punctuated or cased."""
    return set(_REFERENCE.findall(_NOT_WRITTEN.sub("", remittance.upper())))
