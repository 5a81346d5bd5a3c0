"""Looks companies up for the topics that name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Text, cast, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.catalog.base import among
from services.catalog.parties.model import ADMITTED, Party, fold_party_name


@dataclass(frozen=True, slots=True)
class Name:
    """A company as others are shown it. ``version`` orders what is made from it."""

    id: str
    version: int
    name: str
    is_admitted: bool


def find_names(session: Session, party_ids: Iterable[str]) -> dict[str, Name]:
    """The companies that are known, by id; one that has not been heard of yet is absent."""
    rows = session.execute(select(Party.id, Party.version, Party.name, Party.state).where(among(Party.id, party_ids)))
    return {id: Name(id, version, name, state == ADMITTED) for id, version, name, state in rows}


def find_called(session: Session, texts: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the admitted companies that each text names: by id, by name, or by an identifier."""
    folded = {text: fold_party_name(text) for text in texts}
    wanted = cast(literal(sorted(set(folded.values())), ARRAY(Text)), ARRAY(Text))
    query = (
        select(Party.id, Party.known_as)
        .where(Party.state == ADMITTED, Party.known_as.overlap(wanted))
        .order_by(Party.id)
    )
    found: dict[str, list[str]] = {}
    for id, known_as in session.execute(query):
        for name in known_as:
            found.setdefault(name, []).append(id)
    return {text: found.get(name, []) for text, name in folded.items()}
