"""From a request to the page that answers it: the page's size and place, the answer's form and the link to the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers

from chassis import clock
from chassis.auth import Caller
from chassis.http import Reply
from chassis.wire import Headings, Pairs
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.dialect import (
    OLD_XML,
    PREFIX,
    XML,
    choose_media_type,
    quote_id,
    read_format,
    write_events,
    write_view,
)
from services.logistics.epcis.exceptions import SubscriptionControlsException
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.kept import show_kept
from services.logistics.epcis.object_event import write_time
from services.logistics.epcis.query import queries, tokens
from services.logistics.epcis.query.conditions import Query
from services.logistics.epcis.query.given import Asked, read_whole
from services.logistics.epcis.query.model import NamedQuery
from services.logistics.epcis.query.names import read_extensions
from services.logistics.epcis.query.ordering import Cursor
from services.logistics.epcis.query.parameters import parse_body, parse_pairs
from services.logistics.epcis.query.queries import PER_PAGE
from services.logistics.epcis.query.refusing import refuse
from services.logistics.epcis.query.resources import RESOURCES, list_values, narrow, see_value

_PAGE = ("perPage", "nextPageToken")
_STREAM = frozenset(
    ["stream", "second", "minute", "hour", "dayOfMonth", "month", "dayOfWeek", "reportIfEmpty", "initialRecordTime"]
)


class Page(msgspec.Struct, frozen=True):
    """Which page is asked for: its size, its token, and all that was asked besides."""

    size: int
    token: str | None
    rest: Pairs


def answer_events(session: Session, caller: Caller, headers: Headers, params: Pairs) -> Reply:
    """The events that answer a query string."""
    page = read_page(params)
    query = parse_pairs(page.rest, prefixes=read_extensions(headers.get("GS1-Extensions")))
    return _answer(session, caller, headers, query, page, path="events")


def answer_events_of(
    session: Session, caller: Caller, headers: Headers, params: Pairs, *, resource: str, given: str
) -> Reply:
    """The events of one value of a top-level resource that answer a query string besides."""
    page, prefixes = read_page(params), read_extensions(headers.get("GS1-Extensions"))
    query = parse_pairs(page.rest, prefixes=prefixes)
    value = see_value(session, RESOURCES[resource], given, caller, prefixes)
    narrowed = narrow(query, RESOURCES[resource], value)
    return _answer(session, caller, headers, narrowed, page, path=f"{resource}/{quote_id(given)}/events")


def answer_named(session: Session, caller: Caller, headers: Headers, params: Pairs, name: str) -> Reply:
    """The events that answer a named query."""
    page = read_page(params)
    if _STREAM & {each for each, _ in page.rest}:
        raise SubscriptionControlsException("a stream or a schedule needs a WebSocket (Upgrade: websocket)")
    refuse_rest(page)
    query = parse_body(queries.see_named_query(session, name, caller).query)
    return _answer(session, caller, headers, query, page, path=f"queries/{quote_id(name)}/events", query_name=name)


def answer_values(session: Session, caller: Caller, headers: Headers, params: Pairs, *, resource: str) -> Reply:
    """The values of a top-level resource."""
    page = read_page(params)
    refuse_rest(page)
    after = _read_place(session, caller, page, digest=resource)
    values, last = list_values(
        session, RESOURCES[resource], caller, after=after.key[0] if after else None, size=page.size
    )
    told = [canonical(value) for value in values] if resource == "epcs" else values
    next = _link(session, caller, page, Cursor((last,)) if last else None, digest=resource, path=resource)
    return write_view(headers, _collection(told), extra=next)


def answer_value(
    session: Session, caller: Caller, headers: Headers, params: Pairs, *, resource: str, given: str
) -> Reply:
    """What there is below one value of a top-level resource."""
    refuse_rest(read_page(params))
    see_value(session, RESOURCES[resource], given, caller, read_extensions(headers.get("GS1-Extensions")))
    return write_view(headers, _collection(["events"]))


def answer_named_queries(session: Session, caller: Caller, headers: Headers, params: Pairs) -> Reply:
    """The caller's company's queries with what they ask."""
    page = read_page(params)
    refuse_rest(page)
    after = _read_place(session, caller, page, digest="queries")
    found = queries.list_named_queries(session, caller, after=after.key[0] if after else None, size=page.size)
    shown = found[: min(page.size, queries.MOST_PER_PAGE)]
    cursor = Cursor((shown[-1].name,)) if len(found) > len(shown) else None
    next = _link(session, caller, page, cursor, digest="queries", path="queries")
    return write_view(headers, [view_query(one, headers) for one in shown], name="queries", extra=next)


def view_query(query: NamedQuery, headers: Headers) -> dict[str, Any]:
    """A named query as the binding shapes it; in XML its parameters as a poll has them, since many are no names there."""
    if choose_media_type(headers) not in (XML, OLD_XML):
        return {"name": query.name, "query": query.query}
    params = [{"name": name, "value": value} for name, value in query.query.items()]
    return {"name": query.name, "query": {"param": params}}


def read_page(params: Pairs) -> Page:
    """The page that a query string asks for. Raises QueryParameterException."""
    asked = dict(params)
    size = read_whole("perPage", Asked(asked["perPage"])) if "perPage" in asked else PER_PAGE
    if size < 1:
        refuse("perPage", "is at least 1")
    for name in _PAGE:
        if sum(each == name for each, _ in params) > 1:
            refuse(name, "is given twice")
    return Page(size, asked.get("nextPageToken"), [pair for pair in params if pair[0] not in _PAGE])


def refuse_rest(page: Page) -> None:
    """Raises QueryParameterException for whatever is asked where only pages can be."""
    for name, _ in page.rest:
        refuse(name, "is no parameter here")


def sign_with(session: Session) -> bytes:
    """What tokens are signed with: every process of the service has the same database and its password."""
    url = session.get_bind().engine.url
    return f"haihe page {url.database} {url.password or ''}".encode()


def _answer(
    session: Session,
    caller: Caller,
    headers: Headers,
    query: Query,
    page: Page,
    *,
    path: str,
    query_name: str = "SimpleEventQuery",
) -> Reply:
    format, after = read_format(headers), _read_place(session, caller, page, digest=query.digest)
    found = queries.list_events(session, query, caller, after=after, size=page.size)
    next = _link(session, caller, page, found.next, digest=query.digest, path=path)
    events = show_kept(session, found.rows, format)
    return write_events(headers, events, query_name=query_name, extra=next)


def _read_place(session: Session, caller: Caller, page: Page, *, digest: str) -> Cursor | None:
    if page.token is None:
        return None
    if queries.is_ended(session, tokens.digest_token(page.token)):
        refuse("nextPageToken", "was ended")
    try:
        return tokens.read_token(
            page.token, digest=digest, party_id=caller.party_id, now=clock.now(), secret=sign_with(session)
        )
    except tokens.BadToken as error:
        return refuse("nextPageToken", str(error))


def _link(session: Session, caller: Caller, page: Page, next: Cursor | None, *, digest: str, path: str) -> Headings:
    if next is None:
        return []
    expires_at = clock.now() + tokens.LIFETIME
    token = tokens.write_token(
        next, digest=digest, party_id=caller.party_id, expires_at=expires_at, secret=sign_with(session)
    )
    asked: Sequence[tuple[str, str]] = [*page.rest, ("perPage", str(page.size)), ("nextPageToken", token)]
    link = f'<{PREFIX}/{path}?{urlencode(asked)}>; rel="next"'
    return [("Link", link), ("GS1-Next-Page-Token-Expires", write_time(expires_at))]


def _collection(values: Sequence[str]) -> dict[str, Any]:
    return {"@context": STANDARD, "type": "Collection", "member": list(values)}
