"""Finds companies by what names them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.logistics.companies.model import Company, list_numbers


def find_companies(session: Session, glns: Collection[str]) -> dict[str, str]:
    """The company of each GLN that one is known by: its own, or else the one with the longest prefix of it."""
    if not glns:
        return {}
    wanted = {number for gln in glns for number in list_numbers(gln)}
    known_by = Company.numbers.overlap(cast(sorted(wanted), ARRAY(Text)))
    rows = session.execute(select(Company.id, Company.numbers).where(known_by))
    owners = {number: id for id, numbers in rows for number in numbers}
    named = {gln: next((owners[one] for one in list_numbers(gln) if one in owners), None) for gln in glns}
    return {gln: owner for gln, owner in named.items() if owner is not None}


def list_prefixes(session: Session) -> dict[str, int]:
    """The company prefixes (GS1) of all companies, and how many digits each has."""
    numbers = select(func.unnest(Company.numbers).label("number")).subquery()
    found = session.scalars(select(numbers.c.number).where(numbers.c.number.like("%*")))
    return {prefix: len(prefix) for prefix in (number.removesuffix("*") for number in found)}


def known_companies(session: Session, ids: Collection[str]) -> set[str]:
    """Those of some ids that are companies."""
    return set(session.scalars(select(Company.id).where(Company.id.in_(sorted(ids))))) if ids else set()


def name_companies(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Company to its name, for those that are known."""
    return {
        id: name for id, name in session.execute(select(Company.id, Company.name).where(Company.id.in_(sorted(ids))))
    }
