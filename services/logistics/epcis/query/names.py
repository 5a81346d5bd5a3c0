"""The names of extension fields in parameters: ``prefix:name``, ``namespace#name``, or the URI that both make together.

A prefix is declared by the header ``GS1-Extensions`` or the ``@context`` of a named query. One that nobody declared means in
each event what its author meant by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from services.logistics.epcis.contexts import MASTER_DATA, OWN_PREFIXES, expand_curie, plain_space, read_context
from services.logistics.epcis.exceptions import QueryParameterException
from services.logistics.epcis.fields import NAME
from services.logistics.epcis.findings import NotReadable
from services.logistics.epcis.identifiers import is_uri
from services.logistics.epcis.query.refusing import refuse
from services.logistics.epcis.vocabulary import PREFIXES

LONGEST = 500
_CURIE = re.compile(r"([^\W\d][\w.\-]*):([^\W\d][\w.\-]*)")
_SCHEMES = ("urn", "http", "https", "ni", "tag")
_QUERY_CONTEXT = re.compile(
    r"https?://(?:ref\.gs1\.org/standards/epcis/[^\s]*|gs1\.github\.io/EPCIS/[^\s]*)query-schema\.json"
)
Prefixes = Mapping[str, str]


class Name(msgspec.Struct, frozen=True):
    """An extension field: what it may be called in an event, or the undeclared ``prefix`` with its ``local`` part."""

    full: tuple[str, ...] = ()
    prefix: str = ""
    local: str = ""


def read_name(parameter: str, text: str, prefixes: Prefixes) -> Name:
    """The field that a parameter names. Raises QueryParameterException."""
    space, mark, local = text.rpartition("#")
    if len(text) > LONGEST or not text.isprintable() or '"' in text:
        refuse(parameter, "names no field")
    if mark and NAME.fullmatch(local) and (not space or is_uri(space)):
        return Name((f"{{{plain_space(space)}}}{local}", f"{{{space}#}}{local}") if space else (local,))
    if found := _CURIE.fullmatch(text):
        if (known := find_prefix(found[1], prefixes)) is not None:
            return Name((f"{{{known}}}{found[2]}",))
        if found[1] not in _SCHEMES:
            return Name((), found[1], found[2])
    return Name(_split_uri(parameter, text))


def _split_uri(parameter: str, text: str) -> tuple[str, ...]:
    space, mark, local = next(
        (
            (text[:place], text[place], text[place + 1 :])
            for place in range(len(text) - 1, 0, -1)
            if text[place] in "/:"
        ),
        ("", "", ""),
    )
    if not mark or not is_uri(text) or not NAME.fullmatch(local):
        refuse(parameter, "is no parameter of the query language, or names no field with its namespace")
    return tuple(dict.fromkeys((f"{{{space}{mark}}}{local}", f"{{{plain_space(space)}}}{local}")))


def find_prefix(prefix: str, prefixes: Prefixes) -> str | None:
    """The namespace of a prefix that is declared, or is the standard's own."""
    return prefixes.get(prefix) or OWN_PREFIXES.get(prefix) or PREFIXES.get(prefix)


def expand(text: str, prefixes: Prefixes) -> str:
    """A CURIE written out where its prefix is known; any other text as it is."""
    return expand_curie(text, OWN_PREFIXES | dict(prefixes) | PREFIXES) if ":" in text else text


def read_attribute(text: str, prefixes: Prefixes) -> tuple[str, ...]:
    """What an attribute of master data may be called: as it was given, and with its prefix written out in every way."""
    names = [text]
    if (found := _CURIE.fullmatch(text)) and (space := find_prefix(found[1], prefixes)) is not None:
        names += [f"{space}{mark}{found[2]}" for mark in ("", ":", "#")]
    if "#" in text and text.startswith(MASTER_DATA):
        names.append(text.replace("#", ":"))
    return tuple(dict.fromkeys(names))


def read_extensions(header: str | None) -> dict[str, str]:
    """The prefixes that the header ``GS1-Extensions`` declares: ``ex=https://example.com/,ex2=…``."""
    prefixes = {}
    for one in (header or "")[:4_000].split(","):
        prefix, _, space = one.strip().partition("=")
        if NAME.fullmatch(prefix) and is_uri(space):
            prefixes[prefix] = plain_space(space)
    return prefixes


def read_query_context(context: Any) -> dict[str, str]:
    """The prefixes of a named query's ``@context``. Raises QueryParameterException."""
    listed = context if isinstance(context, list) else [context]
    kept = [one for one in listed if not (isinstance(one, str) and _QUERY_CONTEXT.fullmatch(one))]
    try:
        return read_context(kept, "@context", {})
    except NotReadable as error:
        raise QueryParameterException(f"@context {error.findings[0].detail}", parameter="@context") from None
