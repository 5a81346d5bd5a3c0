"""How requests are read and answers written: body, parameter and view structs, and the dialect that a blueprint speaks.

Everything here is prepared once, when an app is made: a decoder a body, an encoder for all views. The path that msgspec
reports (``$.lines[0].sku``) is the member ``field`` of the problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote

import msgspec
from msgspec import Meta

from chassis.brokers import Message
from chassis.problems import Invalid, Problem
from chassis.values import Identifier, read_wire, write_wire

T = TypeVar("T")

MAX_BODY_BYTES = 1 << 20
MAX_PARAMETERS = 50
PROBLEM_JSON = "application/problem+json"
Look = Callable[[Callable[[Any], Any]], Any]
"""Runs a query, given a session."""
Instant = Annotated[datetime, Meta(tz=True)]
"""A point in time with its offset, RFC 3339."""


class _KeywordOnly(type(msgspec.Struct)):  # type: ignore[misc]
    """Makes ``kw_only`` hold for subclasses too, so that optional fields may stand where they read best."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> type:
        options.setdefault("kw_only", True)
        return super().__new__(mcs, name, bases, namespace, **options)


class Body(msgspec.Struct, metaclass=_KeywordOnly, frozen=True, forbid_unknown_fields=True):
    """What a command is sent, as JSON."""


class Params(msgspec.Struct, metaclass=_KeywordOnly, frozen=True, forbid_unknown_fields=True):
    """What a route is asked in its query string."""


class Paging(Params):
    """The page of a list: ``cursor`` is the ``next`` of the page before."""

    cursor: Identifier | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class View(msgspec.Struct, metaclass=_KeywordOnly, frozen=True):
    """What a caller is shown."""


class File(msgspec.Struct, frozen=True):
    """What a query answers that gives a document instead of a view; ``name`` is what it is saved as."""

    media_type: str
    name: str
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers that it is sent with: a browser saves it and guesses nothing (RFC 6266, RFC 8187)."""
        disposition = f"attachment; filename*=UTF-8''{quote(self.name, safe='')}"
        return [
            ("Content-Type", self.media_type),
            ("Content-Disposition", disposition),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]


class Streamed(msgspec.Struct, frozen=True):
    """What a query answers that gives a document too large to be held: ``write`` is given what runs queries, and makes it a piece
    at a time while it is sent.

    Each of these queries sees what is committed then; none is open while the caller takes its time.
    """

    media_type: str
    name: str
    write: Callable[[Look], Iterator[bytes]]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers that it is sent with, as those of a File."""
        return File(self.media_type, self.name, b"").headers


class Published(msgspec.Struct, Generic[T], frozen=True):
    """What a stream's route answers: the view, and the messages that are handed to the broker before it is sent."""

    view: T
    messages: list[Message]


class InvalidField(Invalid):
    """A field of the request is not valid."""


class MalformedBody(Invalid):
    """The body is not well-formed JSON."""


class UnknownParameter(Invalid):
    """The route does not know a parameter of the query string."""


_located = re.compile(r"(?P<detail>.*?)(?: - at (?:`key` in )?`(?P<path>[^`]*)`)?", re.DOTALL)
_named_key = re.compile(r"(?P<name>[a-z_]+)(?:\.(?P<key>[^\[\]]+)|\[(?P<bracketed>[^\[\]]+)\])")
_named_field = re.compile(r"Object (?:missing required|contains unknown) field `(?P<name>[^`]*)`")


def name_field(error: msgspec.ValidationError) -> InvalidField:
    """A decoder's message as a problem; ``field`` is the JSON path of the member that is missing, unknown or wrong."""
    found = _located.fullmatch(str(error))
    detail, path = found["detail"], found["path"] or "$"
    if named := _named_field.match(detail):
        path = f"{path}.{named['name']}"
    return InvalidField(detail, field=path)


def read_json(kind: Any) -> Callable[[bytes], Any]:
    """A decoder for a type, straight from bytes. It raises InvalidField or MalformedBody."""
    decode = msgspec.json.Decoder(kind, dec_hook=read_wire).decode

    def read(raw: bytes) -> Any:
        try:
            return decode(raw)
        except msgspec.ValidationError as error:
            raise name_field(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedBody(str(error), field="$") from None

    return read


write_json: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=write_wire, decimal_format="string").encode


def write_problem(problem: Problem, request_id: str | None) -> bytes:
    """The RFC 9457 document of a problem, with the request's id as ``instance``."""
    document = problem.document()
    if request_id:
        document["instance"] = f"urn:haihe:request:{request_id}"
    return write_json(document)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The media types and vocabulary of a blueprint; ``blueprint.dialect = Dialect(...)`` replaces the house's own.

    ``prefix`` also claims Flask's own 404 and 405 under it. ``read`` makes a decoder from a body's annotation,
    ``write`` turns what a route returns into bytes, and ``write_problem`` is given the problem and the request's id.
    """

    prefix: str = "/"
    accept: tuple[str, ...] = ("application/json",)
    media_type: str = "application/json"
    problem_media_type: str = PROBLEM_JSON
    read: Callable[[Any], Callable[[bytes], Any]] = read_json
    write: Callable[[Any], bytes] = write_json
    write_problem: Callable[[Problem, str | None], bytes] = write_problem


HOUSE_DIALECT = Dialect()


def read_query(kind: type[msgspec.Struct] | None) -> Callable[[str], Any]:
    """A decoder of query strings for a Params struct; without one, every parameter is unknown.

    A parameter may be repeated only where the field is a list. Where it is a dictionary of lists, its keys stand behind
    the name: ``a.grade=x`` or ``a[grade]=x``.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)} if kind else {}
    lists = {name for name, field in fields.items() if _is_list(field.type)}
    open_names = {name for name, field in fields.items() if _is_dictionary(field.type)}

    def read(query: str) -> Any:
        values: dict[str, Any] = {}
        for name, value in _pairs(query):
            key = _open_key(name, open_names)
            if key is not None:
                values.setdefault(key[0], {}).setdefault(key[1], []).append(value)
                continue
            if name not in fields:
                raise UnknownParameter(f"no parameter {name[:64]!r}", field=f"$.{name[:64]}")
            if name in lists:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise InvalidField("the parameter is given twice", field=f"$.{name}")
            else:
                values[name] = value
        if kind is None:
            return None
        try:
            return msgspec.convert(values, kind, strict=False, dec_hook=read_wire)
        except msgspec.ValidationError as error:
            raise name_field(error) from None

    return read


def _pairs(query: str) -> list[tuple[str, str]]:
    if not query:
        return []
    try:
        text = query if query.isascii() else query.encode("latin-1").decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise InvalidField("the query string is not well-formed", field="$") from None


def _open_key(name: str, open_names: set[str]) -> tuple[str, str] | None:
    """The dictionary and the key that a parameter names, if it does."""
    found = _named_key.fullmatch(name) if open_names else None
    return (found["name"], found["key"] or found["bracketed"]) if found and found["name"] in open_names else None


def _is_dictionary(kind: Any) -> bool:
    info = msgspec.inspect.type_info(kind)
    return isinstance(info, msgspec.inspect.DictType)


def _is_list(kind: Any) -> bool:
    info = msgspec.inspect.type_info(kind)
    options = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
    return any(isinstance(option, msgspec.inspect.ListType | msgspec.inspect.VarTupleType) for option in options)
