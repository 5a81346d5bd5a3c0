"""Looks companies up for the topics that name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, and_, bindparam, cast, func, literal, not_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
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


def find_groups(session: Session, party_ids: Iterable[str]) -> dict[str, str]:
    """The controlling groups of companies by id, a company without one being its own; one that is not known is absent."""
    rows = session.execute(select(Party.id, Party.group_id).where(among(Party.id, party_ids)))
    return {id: group_id or id for id, group_id in rows}


def find_licences(session: Session, party_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What companies hold as identity said it, by id; some of it may be over. One that is not known is absent."""
    rows = session.execute(select(Party.id, Party.licences).where(among(Party.id, party_ids)))
    return {id: licences for id, licences in rows}


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


def is_hidden(needed: Any, caller: Caller) -> ColumnElement[bool]:
    """Whether a caller's company lacks one of the licences without which something is not seen.

    ``needed`` is a column of objects with ``scheme`` and ``scope``, or null. One licence in force must have the scheme and all of
    the scope.
    """
    need = func.jsonb_array_elements(needed).table_valued("value", name="need").render_derived()
    held = func.jsonb_array_elements(Party.licences).table_valued("value", name="held").render_derived()
    wanted, licence = cast(need.c.value, JSONB), cast(held.c.value, JSONB)
    at = bindparam("licensed_at", callable_=clock.now, type_=DateTime(timezone=True), unique=True)
    fits = (
        select(literal(1))
        .select_from(Party)
        .join(held, true())
        .where(
            Party.id == caller.party_id,
            licence["scheme"].astext == wanted["scheme"].astext,
            licence["scope"].contains(wanted["scope"]),
            cast(licence["valid_until"].astext, DateTime(timezone=True)) > at,
        )
        .correlate(need)
        .exists()
    )
    return and_(needed.is_not(None), select(literal(1)).select_from(need).where(not_(fits)).exists())
