"""Looks companies and their bank accounts up for the topics that move money in and out."""

from __future__ import annotations

from collections.abc import Iterable, Set

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from services.settlement.parties.model import Party, RegisteredAccount


def find_party(session: Session, party_id: str, field: str) -> Party:
    """A company by its id. Raises NotYetKnown that names the ``field``."""
    found = session.scalars(select(Party).where(Party.id == party_id)).one_or_none()
    if found is None:
        raise NotYetKnown(f"the company {party_id!r} has not been heard of yet", field=field)
    return found


def find_referred(session: Session, references: Set[str]) -> list[Party]:
    """The companies whose references these are."""
    return list(session.scalars(select(Party).where(Party.reference.in_(references)))) if references else []


def has_account(session: Session, party_id: str, number: str, currency: str) -> bool:
    """Whether a company has registered a bank account of this number and currency."""
    mine = (RegisteredAccount.party_id == party_id, RegisteredAccount.number == number)
    return bool(session.scalar(select(exists().where(*mine, RegisteredAccount.currency == currency))))


def find_account(session: Session, party_id: str, account_id: str) -> RegisteredAccount | None:
    """A company's own bank account by its id, or None."""
    mine = (RegisteredAccount.party_id == party_id, RegisteredAccount.id == account_id)
    return session.scalars(select(RegisteredAccount).where(*mine)).one_or_none()


def name_parties(session: Session, party_ids: Iterable[str]) -> dict[str, str]:
    """The names of companies by their ids; one that has not been heard of yet is called by its id."""
    wanted = sorted(set(party_ids))
    known = session.execute(select(Party.id, Party.name).where(Party.id.in_(wanted)))
    return {id: id for id in wanted} | {id: name for id, name in known}
