"""Parses the parameters of a query (EPCIS 2.0, 8.2.7.1): every one becomes a condition, and one that is not known is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from services.logistics.epcis.exceptions import QueryTooComplexException, ValidationException
from services.logistics.epcis.query import extensions, master, measures, words
from services.logistics.epcis.query.conditions import Condition, During, Holds, Measures, Names, Order, Query
from services.logistics.epcis.query.given import (
    MOST_PARAMETERS,
    Asked,
    Given,
    read_instant,
    read_list,
    read_pairs,
    read_text,
    read_whole,
)
from services.logistics.epcis.query.names import Prefixes, read_name, read_query_context
from services.logistics.epcis.query.refusing import refuse

Parse = Callable[[str, Given, Prefixes], Condition | None]
_TIMES = {
    "eventTime": "event_time",
    "recordTime": "record_time",
    "errorDeclarationTime": "error_time",
    "errorDeclaration_Time": "error_time",
}
_CONTROLS = ("orderBy", "orderDirection", "eventCountLimit", "maxEventCount")
MOST_ALTERNATIVES = 1_000
"""Ranges of identifiers and numbers with units in a whole question: each is a piece of a statement of its own."""
_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,600}")


def parse_query(params: Mapping[str, Given], *, prefixes: Prefixes | None = None) -> Query:
    """The question that parameters ask.

    Raises QueryParameterException that names the parameter, or QueryTooComplexException.
    """
    prefixes = prefixes or {}
    if len(params) > MOST_PARAMETERS:
        raise QueryTooComplexException(f"there are more than {MOST_PARAMETERS} parameters")
    conditions = [
        _parse_parameter(name, given, prefixes) for name, given in sorted(params.items()) if name not in _CONTROLS
    ]
    kept = tuple(one for one in conditions if one is not None)
    if count_alternatives(kept) > MOST_ALTERNATIVES:
        raise QueryTooComplexException(f"there are more than {MOST_ALTERNATIVES} patterns and numbers with units")
    return Query(
        conditions=kept,
        order=_read_order(params, prefixes),
        limit=_read_limit(params),
        most=read_whole("maxEventCount", params["maxEventCount"]) if "maxEventCount" in params else None,
        names=tuple(sorted(params)),
        digest=_digest(params, prefixes),
    )


def parse_pairs(pairs: Iterable[tuple[str, str]], *, prefixes: Prefixes | None = None) -> Query:
    """The question of a query string. Raises as ``parse_query``."""
    return parse_query(read_pairs(pairs), prefixes=prefixes)


def parse_body(body: Any) -> Query:
    """The question of a named query's JSON. Raises as ``parse_query``, or ValidationException when it is no object."""
    if not isinstance(body, dict):
        raise ValidationException("the query is an object of parameters")
    prefixes = read_query_context(body["@context"]) if "@context" in body else {}
    return parse_query({name: given for name, given in body.items() if name != "@context"}, prefixes=prefixes)


def _parse_parameter(name: str, given: Given, prefixes: Prefixes) -> Condition | None:
    if not _NAME.fullmatch(name):
        refuse(name, "is no parameter of the query language")
    if (parse := _FIXED.get(name)) is not None:
        return parse(name, given, prefixes)
    for start, parse in _FAMILIES:
        if name.startswith(start):
            return parse(name, given, prefixes)
    if (found := measures.PATTERN.fullmatch(name)) is not None:
        return measures.parse_measure(found, given)
    return extensions.parse_extension(name, given, prefixes)


def count_alternatives(conditions: Iterable[Condition]) -> int:
    """How many ranges of identifiers and numbers with units are asked for."""
    return sum(map(_count, conditions))


def _count(condition: Condition) -> int:
    match condition:
        case Names(wanted=wanted):
            return sum(len(one.likes) for one in wanted)
        case Holds(test=Measures(values=values)):
            return len(values)
    return 0


def _parse_time(name: str, given: Given, _prefixes: Prefixes) -> Condition:
    op, _, field = name.partition("_")
    return During(_TIMES[field], op, read_instant(name, given))  # type: ignore[arg-type]


_FIXED: dict[str, Parse] = {
    **{f"{op}_{field}": _parse_time for op in ("GE", "LT") for field in _TIMES},
    **words.FIXED,
    **measures.FIXED,
}
_FAMILIES: tuple[tuple[str, Parse], ...] = (
    ("EQ_bizTransaction_", words.parse_pairs),
    ("EQ_source_", words.parse_pairs),
    ("EQ_destination_", words.parse_pairs),
    ("HASATTR_", master.parse_has_attribute),
    ("EQATTR_", master.parse_equal_attribute),
    ("EQ_ATTR_", master.parse_equal_attribute),
)


def _read_order(params: Mapping[str, Given], prefixes: Prefixes) -> Order:
    direction = read_text("orderDirection", params["orderDirection"]) if "orderDirection" in params else "DESC"
    if direction not in ("ASC", "DESC"):
        refuse("orderDirection", "is ASC or DESC")
    if "orderBy" not in params:
        return Order(ascending=direction == "ASC")
    by = read_text("orderBy", params["orderBy"])
    if by in ("eventTime", "recordTime"):
        return Order("event_time" if by == "eventTime" else "record_time", direction == "ASC")
    if ":" not in by and "#" not in by:
        refuse("orderBy", "is eventTime, recordTime or the name of an extension field")
    return Order(read_name("orderBy", by, prefixes), direction == "ASC")


def _read_limit(params: Mapping[str, Given]) -> int | None:
    if "maxEventCount" in params and read_whole("maxEventCount", params["maxEventCount"]) < 0:
        refuse("maxEventCount", "is not negative")
    if "eventCountLimit" not in params:
        return None
    if "maxEventCount" in params:
        refuse("eventCountLimit", "and maxEventCount exclude each other")
    if "orderBy" not in params:
        refuse("eventCountLimit", "needs orderBy to say which events are the first")
    limit = read_whole("eventCountLimit", params["eventCountLimit"])
    if limit < 1:
        refuse("eventCountLimit", "is at least 1")
    return limit


def _digest(params: Mapping[str, Given], prefixes: Prefixes) -> str:
    told = {name: read_list(name, given) if isinstance(given, Asked) else given for name, given in params.items()}
    return sha256(msgspec.json.encode([sorted(told.items()), sorted(prefixes.items())])).hexdigest()[:32]
