"""From a question to SQL: an event's own columns and keys by their indexes, the rest by paths into its fields.

Whatever was asked is bound. Every statement sees only what the caller may see.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Text,
    and_,
    any_,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH, array

from chassis.auth import Caller
from services.logistics.epcis.model import EpcisEvent, EpcisKey, EpcisMaster
from services.logistics.epcis.preparing import write_key
from services.logistics.epcis.query.conditions import (
    Compares,
    Condition,
    Declared,
    Described,
    During,
    Holds,
    Names,
    OneOf,
    Pairs,
    Query,
    Source,
    Within,
    Written,
)
from services.logistics.epcis.query.names import Name
from services.logistics.epcis.query.paths import UNDECLARED, Path, fill_name, write_path
from services.logistics.epcis.query.patterns import Wanted
from services.logistics.epcis.vocabulary import BIZ_STEP, DISPOSITION

_WORDS = {"biz_step": BIZ_STEP, "disposition": DISPOSITION}


def select_events(query: Query, caller: Caller) -> Select[tuple[EpcisEvent]]:
    """The events that the caller may see and that meet every condition, in no order and all of them."""
    return select(EpcisEvent).where(*list_criteria(query, caller))


def list_criteria(query: Query, caller: Caller) -> list[ColumnElement[bool]]:
    """What must be true of an event that answers the question and may be seen."""
    seen = true() if caller.is_system else EpcisEvent.visible_to(caller)
    return [seen, EpcisEvent.fields.is_not(None), *(_write(one, caller) for one in query.conditions)]


def _write(condition: Condition, caller: Caller) -> ColumnElement[bool]:
    match condition:
        case OneOf(column=column, values=values):
            return _in(getattr(EpcisEvent, column), values)
        case Within(column=column, values=values):
            return _is_any(getattr(EpcisEvent, column), _descendants(values, caller))
        case During(column=column, op=op, at=at):
            value = getattr(EpcisEvent, column)
            return value >= at if op == "GE" else value < at
        case Names(kinds=kinds, wanted=wanted):
            return EpcisEvent.id.in_(_naming(kinds, _write_wanted(wanted)))
        case Declared(corrective_ids=ids):
            declared = EpcisEvent.is_error.is_(True)
            return and_(declared, EpcisEvent.corrective_event_ids.overlap(list(ids))) if ids else declared
        case Holds(test=Pairs(name=kind, values=values)):
            keys = _in(EpcisKey.key, [write_key(value) for value in values])
            return and_(EpcisEvent.id.in_(_naming((kind,), keys)), _exists(write_path(condition)))
        case Holds():
            return _exists(write_path(condition))
        case Described(readings=readings, values=values):
            return or_(*(_write_described(source, names, values, caller) for source, names in readings))


def _in(column: Any, values: Collection[str]) -> ColumnElement[bool]:
    if len(values) == 1:
        return column == next(iter(values))
    return column == any_(literal(list(values), ARRAY(Text)))


def _is_any(value: Any, found: Select[Any]) -> ColumnElement[bool]:
    """Is one of what a statement finds, which is run first and once."""
    return value == any_(func.array(found.scalar_subquery(), type_=ARRAY(Text)))


def _naming(kinds: Collection[str], criterion: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(EpcisKey.event).where(_in(EpcisKey.kind, kinds), criterion)


def _write_wanted(wanted: Collection[Wanted]) -> ColumnElement[bool]:
    keys = [key for one in wanted for key in one.keys]
    likes = [like for one in wanted for like in one.likes]
    parts = [EpcisKey.key.like(like) for like in dict.fromkeys(likes)]
    return or_(*parts, *([_in(EpcisKey.key, dict.fromkeys(keys))] if keys else []))


def _exists(path: Path) -> ColumnElement[bool]:
    text: ColumnElement[Any] = literal(path.text, String)
    if path.name is not None:
        text = func.replace(text, UNDECLARED, spell_field(path.name))
    variables = cast(literal(path.variables, String), JSONB)
    return func.jsonb_path_exists_tz(EpcisEvent.fields, cast(text, JSONPATH), variables, True)


def spell_field(name: Name) -> ColumnElement[str]:
    """What an event itself calls a field whose prefix the asker did not declare, quoted; null where it has no such prefix."""
    space = EpcisEvent.namespaces[name.prefix].astext
    return cast(func.to_json(literal("{", String) + space + literal("}" + name.local, String)), String)


def _descendants(values: Collection[str], caller: Caller) -> Select[tuple[str]]:
    """Places with all that lies within them by the master data that the caller may see, however deep; circles do no harm."""
    given = select(func.unnest(literal(list(values), ARRAY(Text))).label("id"))
    within = given.cte("within", recursive=True)
    children = select(func.unnest(EpcisMaster.children)).where(_seen(caller), EpcisMaster.id == within.c.id)
    within = within.union(children)
    return select(within.c.id)


def _seen(caller: Caller) -> ColumnElement[bool]:
    return true() if caller.is_system else EpcisMaster.visible_to(caller)


def _write_described(
    source: Source, names: Collection[str], values: Collection[str] | None, caller: Caller
) -> ColumnElement[bool]:
    described = select(EpcisMaster.id).where(_seen(caller), _has_attribute(names, values))
    parts: list[ColumnElement[bool]] = []
    for column in source.columns:
        value = getattr(EpcisEvent, column)
        parts += [_is_any(form, described) for form in _forms(column, value)]
    if source.kinds:
        parts.append(EpcisEvent.id.in_(_naming(source.kinds, _is_any(EpcisKey.key, described))))
    if source.name is not None:
        parts.append(_field_is_any(source.name, described))
    return or_(*parts)


def _forms(column: str, value: Any) -> list[Any]:
    """A value in each way that master data may write it: words of the CBV are bare in events alone."""
    vocabulary = _WORDS.get(column)
    if vocabulary is None:
        return [value]
    return [value, literal(vocabulary.web, String) + value, literal(vocabulary.urn or "", String) + value]


def _has_attribute(names: Collection[str], values: Collection[str] | None) -> ColumnElement[bool]:
    test = None if values is None else Compares("EQ", tuple(Written((value,)) for value in values))
    found = write_path(Holds(("@.attribute",), test))
    variables = func.jsonb_build_object("names", literal(list(names), ARRAY(Text)))
    inner = found.text.removeprefix("$ ? (").removesuffix(")")
    text = f"$[*] ? (@.id == $names[*] && ({inner}))"
    bound = cast(literal(found.variables, String), JSONB).op("||")(variables)
    return func.jsonb_path_exists_tz(EpcisMaster.attributes, cast(literal(text, String), JSONPATH), bound, True)


def _field_is_any(name: Name, described: Select[Any]) -> ColumnElement[bool]:
    paths = [literal(f"$.{part}[*]", String) for part in fill_name("%", name)]
    if name.prefix:
        paths = [func.replace(path, UNDECLARED, spell_field(name)) for path in paths]
    values = [
        select(func.jsonb_path_query(EpcisEvent.fields, cast(path, JSONPATH)).column_valued("value")) for path in paths
    ]
    parts = []
    for found in values:
        inner = found.subquery().c[0]
        parts.append(
            select(1).where(_is_any(inner.op("#>>")(array([], type_=Text)), described)).correlate(EpcisEvent).exists()
        )
    return or_(*parts)
