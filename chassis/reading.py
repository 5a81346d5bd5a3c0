"""From a request to the arguments of a route's function: caller and role, path, query string, headers, body."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Request

from chassis.auth import PUBLIC, Caller, Verifier
from chassis.problems import NotFound
from chassis.refusals import DeviceOnly, MissingRole, UnsupportedMediaType
from chassis.wire import MAX_BODY_BYTES, Dialect, InvalidField, Pairs, read_pairs, read_query

if TYPE_CHECKING:
    from chassis.http import Route

Arguments = dict[str, Any]


def prepare_caller(route: Route, auth: Verifier) -> Callable[[Request], Caller]:
    """Who asks. Raises Unauthorized, or MissingRole."""
    if route.public:
        return lambda _request: PUBLIC
    roles, takes_readings = route.roles, route.signature.publishes or route.devices

    def find_caller(request: Request) -> Caller:
        caller = auth.caller(request.environ.get("HTTP_AUTHORIZATION"))
        if roles and roles.isdisjoint(caller.roles):
            raise MissingRole(f"one of {', '.join(sorted(roles))} is needed", roles=sorted(roles))
        if caller.device is not None and not takes_readings:
            raise DeviceOnly(f"the key of {caller.device} does nothing else")
        return caller

    return find_caller


def prepare_arguments(route: Route, auth: Verifier, dialect: Dialect) -> Callable[[Request, Arguments], Caller]:
    """Everything but the body: fills the arguments (which hold those of the path) and returns the caller."""
    signature, find_caller, is_id, admit = route.signature, prepare_caller(route, auth), dialect.is_id, dialect.admit
    read_params = read_pairs if signature.params == Pairs else read_query(signature.params)

    def read_arguments(request: Request, arguments: Arguments) -> Caller:
        caller = find_caller(request)
        if admit is not None:
            admit(request.headers)
        for value in arguments.values():
            if isinstance(value, str) and not is_id(value):
                raise NotFound("no id looks like this")
        params = read_params(request.environ.get("QUERY_STRING", ""))
        if signature.takes_caller:
            arguments["caller"] = caller
        if signature.params is not None:
            arguments["params"] = params
        if signature.takes_headers:
            arguments["headers"] = request.headers
        return caller

    return read_arguments


def prepare_body(route: Route, dialect: Dialect) -> Callable[[Request, Arguments], bytes]:
    """The body: decoded into the arguments, and its bytes. Raises Invalid, UnsupportedMediaType or werkzeug's 413."""
    kind, accept, max_bytes = route.signature.body, route.accept or dialect.accept, route.max_bytes
    if kind is None:
        return _read_no_body
    decode = (lambda raw: raw) if kind is bytes else dialect.read(kind)

    def read_body(request: Request, arguments: Arguments) -> bytes:
        content_type = request.environ.get("CONTENT_TYPE", "")
        if content_type not in accept and content_type.partition(";")[0].strip().lower() not in accept:
            raise UnsupportedMediaType(f"send {' or '.join(accept)}", field="Content-Type", accept=list(accept))
        if max_bytes != MAX_BODY_BYTES:
            request.max_content_length = max_bytes
        raw = request.get_data(cache=False)
        arguments["body"] = decode(raw)
        return raw

    return read_body


def _read_no_body(request: Request, _arguments: Arguments) -> bytes:
    raw = request.get_data(cache=False)
    if raw and raw.strip() not in (b"", b"{}"):
        raise InvalidField("this route takes no body", field="$")
    return raw
