"""A company with the GS1 numbers that name it."""

from __future__ import annotations

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.logistics.base import Base

SHORTEST_PREFIX, LONGEST_PREFIX = 6, 12


class Company(Base):
    """A company: projection of ``identity.party_described``. ``numbers`` are its GLNs, and its company prefixes with a ``*``."""

    __tablename__ = "company"
    __table_args__ = (Index("ix_company_numbers", "numbers", postgresql_using="gin"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    numbers: Mapped[list[str]] = mapped_column(ARRAY(Text))


def list_numbers(gln: str) -> list[str]:
    """The numbers by which a GLN may name a company, the most telling first: itself, then the prefixes that it begins with."""
    return [gln, *(f"{gln[:length]}*" for length in range(LONGEST_PREFIX, SHORTEST_PREFIX - 1, -1))]
