"""Keeps and deletes named queries, and ends pages before their time."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.epcis.exceptions import ResourceAlreadyExistsException, ValidationException
from services.logistics.epcis.query import tokens
from services.logistics.epcis.query.model import EndedPage, NamedQuery
from services.logistics.epcis.query.parameters import parse_body
from services.logistics.epcis.query.queries import see_named_query
from services.logistics.epcis.subscriptions.commands import end_subscriptions

LONGEST_NAME = 200
MOST_BYTES = 256_000
MOST_OF_A_COMPANY = 1_000


def create_query(session: Session, caller: Caller, body: bytes) -> NamedQuery:
    """Keep a query under a name of the caller's company.

    Raises ValidationException for what is no definition of a query or one too many, the problems of ``parse_body``, and
    ResourceAlreadyExistsException when the name is taken.
    """
    name, query = _read_definition(body)
    parse_body(query)
    mine = select(func.count()).select_from(NamedQuery).where(NamedQuery.owner_id == caller.party_id)
    if (session.scalar(mine) or 0) >= MOST_OF_A_COMPANY:
        raise ValidationException(f"a company has at most {MOST_OF_A_COMPANY} queries")
    values = {"owner_id": caller.party_id, "name": name, "query": query, "created_at": clock.now()}
    kept = insert(NamedQuery).values(id=clock.new_id("query"), **values).on_conflict_do_nothing().returning(NamedQuery)
    found = session.scalars(kept).one_or_none()
    if found is None:
        raise ResourceAlreadyExistsException(f"there is a query {name!r} already")
    return found


def delete_query(session: Session, caller: Caller, name: str) -> None:
    """Delete a query of the caller's company, and every subscription to it. Raises NoSuchNameException.

    The query goes first: who subscribes at the same moment holds it, and is then among those that are ended.
    """
    id = see_named_query(session, name, caller).id
    session.execute(delete(NamedQuery).where(NamedQuery.id == id))
    end_subscriptions(session, id)


def end_page(session: Session, caller: Caller, token: str, secret: bytes) -> None:
    """Let a page's token be worth nothing from now on. One that is worth nothing anyway changes nothing."""
    try:
        expires_at = tokens.read_end(token, party_id=caller.party_id, secret=secret)
    except tokens.BadToken:
        return
    session.execute(delete(EndedPage).where(EndedPage.expires_at < clock.now()))
    ended = insert(EndedPage).values(digest=tokens.digest_token(token), expires_at=expires_at)
    session.execute(ended.on_conflict_do_nothing())


def _read_definition(body: bytes) -> tuple[str, dict[str, Any]]:
    if len(body) > MOST_BYTES:
        raise ValidationException(f"a query is at most {MOST_BYTES} bytes")
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValidationException(f"this is not JSON: {str(error)[:200]}") from None
    if not isinstance(given, dict) or not isinstance(given.get("query"), dict):
        raise ValidationException("a query is defined by its name and the object query")
    if strange := given.keys() - {"name", "query", "@context"}:
        raise ValidationException(f"{min(strange)[:100]!r} is nothing that defines a query")
    name = given.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name:
        raise ValidationException(f"the name is a text of at most {LONGEST_NAME} characters without /")
    query = given["query"]
    return name, {"@context": given["@context"], **query} if "@context" in given else query
