"""How requests are read and answers written: body, parameter and view structs, and the dialect that a blueprint speaks.

Everything here is prepared once, when an app is made: a decoder a body, an encoder for all views. The path that msgspec
reports (``$.lines[0].sku``) is the member ``field`` of the problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
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
MAX_PAIRS = 200
PROBLEM_JSON = "application/problem+json"
Look = Callable[[Callable[[Any], Any]], Any]
"""Runs a query, given a session."""
Instant = Annotated[datetime, Meta(tz=True)]
"""A point in time with its offset, RFC 3339."""
Pairs = list[tuple[str, str]]
"""A query string as it stands, for a route whose parameters are a language: the route itself refuses what it does not know."""
Headings = list[tuple[str, str]]
well_formed_id = re.compile(r"[A-Za-z0-9_.:\-]{1,64}", re.ASCII).fullmatch


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


class Reply(msgspec.Struct, frozen=True):
    """An answer as it is sent, for a route whose answers have headers of their own or a form that the caller chooses.

    The first heading is the content type, unless there is no body.
    """

    status: int
    headers: Headings
    body: bytes = b""


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


WriteProblem = Callable[[Problem, str | None], bytes]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The media types and vocabulary of a blueprint; ``blueprint.dialect = Dialect(...)`` replaces the house's own.

    ``prefix`` also claims Flask's own 404 and 405 under it. ``read`` makes a decoder from a body's annotation,
    ``write`` turns what a route returns into bytes, and ``write_problem`` is given the problem and the request's id.
    ``gives`` are the media types of a Reply. ``admit`` sees the headers of each request first and may raise a problem;
    ``headers`` stand on every answer; ``is_id`` says what may stand in a path. ``rename`` says a
    problem of the house in another vocabulary, status and all; ``choose_problem`` gives the media type and the writer of a
    problem by the request's ``Accept``. ``options`` are the headers of the answer to OPTIONS at a path, which
    is 204 wherever there is a route; without it OPTIONS is a method like another.
    """

    prefix: str = "/"
    accept: tuple[str, ...] = ("application/json",)
    media_type: str = "application/json"
    problem_media_type: str = PROBLEM_JSON
    read: Callable[[Any], Callable[[bytes], Any]] = read_json
    write: Callable[[Any], bytes] = write_json
    write_problem: WriteProblem = write_problem
    gives: tuple[str, ...] = ("application/json",)
    admit: Callable[[Mapping[str, str]], None] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    is_id: Callable[[str], Any] = well_formed_id
    rename: Callable[[Problem], Problem] | None = None
    choose_problem: Callable[[str], tuple[str, WriteProblem]] | None = None
    options: Callable[[str], Headings] | None = None

    def problem_form(self, accept: str) -> tuple[str, WriteProblem]:
        """The media type of a problem for a request with this ``Accept``, and what writes it."""
        if self.choose_problem is None:
            return self.problem_media_type, self.write_problem
        return self.choose_problem(accept)


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
        for name, value in read_pairs(query, most=MAX_PARAMETERS):
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


def read_pairs(query: str, *, most: int = MAX_PAIRS) -> Pairs:
    """The names and values of a query string in their order. Raises InvalidField."""
    if not query:
        return []
    try:
        text = query if query.isascii() else query.encode("latin-1").decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=most)
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
