"""Publishes what a company shows of its goods, and takes it back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.logistics.companies.queries import find_companies
from services.logistics.epcis.digital_links import take_apart
from services.logistics.epcis.named_events import find_maker, has_made_below
from services.logistics.publishing.model import (
    NotPublishable,
    NotYoursToPublish,
    Precision,
    Publication,
    already_published,
)
from services.logistics.trace.naming import name_kind, read_name

_KINDS = ("class", "lot", "item", "logistic_unit", "asset")


def publish(
    session: Session,
    caller: Caller,
    *,
    name: str,
    steps: list[str],
    precision: Precision,
    texts: dict[str, dict[str, str]],
    documents: list[dict[str, Any]],
) -> Publication:
    """Say what everybody may see of a product, a lot or a thing; said again, the last word counts and it is shown.

    Raises NotAName, NotPublishable, NotYoursToPublish or AlreadyPublished.
    """
    key = read_name(name)
    _check_may_publish(session, caller, key)
    said = {"steps": steps, "precision": precision, "texts": texts, "documents": documents}
    found = session.scalar(select(Publication.id).where(Publication.key == key))
    if found is None:
        publication = Publication(
            id=clock.new_id("publication"),
            owner_id=caller.party_id,
            key=key,
            state=Publication.initial,
            changed_at=clock.now(),
            changed_by=caller.user_id,
            **said,
        )
        session.add(publication)
        return publication
    publication = get(session, Publication, found, Caller.system("logistics"))
    if publication.owner_id != caller.party_id:
        raise already_published()
    for column, value in said.items():
        setattr(publication, column, value)
    if publication.can("show"):
        publication.move("show")
    publication.changed_at, publication.changed_by = clock.now(), caller.user_id
    return publication


def _check_may_publish(session: Session, caller: Caller, key: str) -> None:
    """Whoever has made some of a product may, and of a lot or a thing its maker, unless the GTIN bears another's company prefix."""
    if name_kind(key) not in _KINDS:
        raise NotPublishable(f"{key[:100]} is something else", field="$.id")
    if name_kind(key) == "class":
        has_made = has_made_below(session, caller.party_id, key)
    else:
        has_made = find_maker(session, [key]) == caller.party_id
    if not has_made:
        raise NotYoursToPublish("capture the event of its making first")
    parts = take_apart(key)
    digits = parts[1][1:] if parts is not None and parts[0] == "01" else ""
    if digits and find_companies(session, [digits]).get(digits, caller.party_id) != caller.party_id:
        raise NotYoursToPublish("its number is another company's")


def move_publication(session: Session, caller: Caller, publication_id: str, move: str) -> Publication:
    """Withdraw a page, or show it again. Raises NotFound or IllegalMove."""
    publication = get(session, Publication, publication_id, caller)
    publication.move(move)
    publication.changed_at, publication.changed_by = clock.now(), caller.user_id
    return publication
