"""Holds every field that a caller may send to a stated limit, when a route is declared and not when it is attacked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

_Struct = inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType
_Items = inspect.ListType | inspect.SetType | inspect.FrozenSetType | inspect.VarTupleType


def find_unlimited(kind: Any) -> Iterator[str]:
    """One line for each field below a body or parameter type that says nothing about what it may hold.

    Text needs a pattern (it keeps control characters out), numbers need both ends, times an offset; decimals are
    ``Exact``.
    """
    yield from _walk(inspect.type_info(kind), "$", frozenset())


def _walk(info: inspect.Type, path: str, above: frozenset[Any]) -> Iterator[str]:
    if isinstance(info, inspect.StrType) and info.pattern is None:
        yield f"{path} is text without a pattern: use ShortText, LongText or Identifier"
    elif isinstance(info, inspect.IntType | inspect.FloatType) and not _has_both_ends(info):
        yield f"{path} is a number without both limits"
    elif isinstance(info, inspect.DecimalType):
        yield f"{path} is a bare decimal: use Exact"
    elif isinstance(info, inspect.DateTimeType) and info.tz is not True:
        yield f"{path} is a time that may lack its offset: use Instant"
    elif isinstance(info, inspect.AnyType | inspect.RawType):
        yield f"{path} takes anything"
    elif isinstance(info, _Struct):
        if info.cls not in above:
            for field in info.fields:
                yield from _walk(field.type, f"{path}.{field.encode_name}", above | {info.cls})
    elif isinstance(info, _Items):
        yield from _walk(info.item_type, f"{path}[]", above)
    elif isinstance(info, inspect.DictType):
        yield from _walk(info.key_type, f"{path}.<key>", above)
        yield from _walk(info.value_type, f"{path}.<value>", above)
    elif isinstance(info, inspect.UnionType):
        for option in info.types:
            yield from _walk(option, path, above)
    elif isinstance(info, inspect.Metadata):
        yield from _walk(info.type, path, above)


def _has_both_ends(info: inspect.IntType | inspect.FloatType) -> bool:
    return (info.ge is not None or info.gt is not None) and (info.le is not None or info.lt is not None)
