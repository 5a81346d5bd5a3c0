"""The edge of a service over HTTP: ``@command``, ``@query``, and the Flask app that they run in.

Flask stays visible: blueprints and Flask's own routes. The decorators note what a function takes; ``make_app``
prepares each route once (decoder, encoder, metrics) and opens the transaction for it. What is not an answer is a
problem document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask
from werkzeug.datastructures import Headers

from chassis import edge
from chassis.auth import Verifier
from chassis.brokers import Broker
from chassis.database import Database
from chassis.refusals import handle_flask_error
from chassis.service import Service
from chassis.settings import Settings
from chassis.signature import Signature, read_signature
from chassis.wire import (
    HOUSE_DIALECT,
    MAX_BODY_BYTES,
    Body,
    Dialect,
    File,
    Instant,
    Paging,
    Pairs,
    Params,
    Published,
    Reply,
    Streamed,
    View,
)

__all__ = [
    "Body", "Dialect", "File", "Headers", "Instant", "Pairs", "Paging", "Params", "Published", "Reply", "Route", "Streamed",
    "View", "command", "make_app", "query", "routes_of", "stream",
]  # fmt: skip


@dataclass(frozen=True)
class Route:
    """What one route promises: who may call it and how; the view function of Flask until an app is made."""

    function: Callable[..., Any]
    signature: Signature
    is_command: bool
    roles: frozenset[str]
    public: bool
    idempotent: bool
    keeps_secret: bool
    status: int
    accept: tuple[str, ...] | None
    max_bytes: int
    shared: bool
    gives: tuple[str, ...] = ()
    devices: bool = False

    @property
    def __name__(self) -> str:
        return self.function.__name__

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The plain function, for a test that wants no HTTP."""
        return self.function(*args, **kwargs)


def command(
    *,
    role: str | tuple[str, ...] = (),
    public: bool = False,
    idempotent: bool = True,
    keeps_secret: bool = False,
    status: int = 200,
    accept: tuple[str, ...] | None = None,
    max_bytes: int = MAX_BODY_BYTES,
    shared: bool = False,
    devices: bool = False,
) -> Callable[[Callable[..., Any]], Route]:
    """A route that changes something.

    ``role``: one of these is needed. ``public``: no token is needed. ``idempotent=False``: the request brings an
    identity of its own and needs no key. ``keeps_secret``: the answer is never stored. ``accept``: media types of the
    body. ``devices``: the key of a device may call it too, as it hands in what the device has read.
    """

    def declare(function: Callable[..., Any]) -> Route:
        roles = _roles(function, role, public)
        if not public and not roles:
            raise TypeError(f"{function.__qualname__}: a command names its role")
        signature = read_signature(function)
        if signature.publishes:
            raise TypeError(f"{function.__qualname__}: only a @stream publishes; a command emits")
        return Route(
            function, signature, True, roles, public, idempotent, keeps_secret, status, accept, max_bytes, shared,
            devices=devices,
        )  # fmt: skip

    return declare


def query(
    *,
    role: str | tuple[str, ...] = (),
    public: bool = False,
    shared: bool = False,
    gives: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Route]:
    """A route that only looks. Without a role any token will do; ``reader`` and ``operator`` may call every query.

    ``shared``: it shows things of other parties too, to whoever has a token (offers, names of companies). ``gives``: the
    media types of the File or Streamed that it returns.
    """

    def declare(function: Callable[..., Any]) -> Route:
        roles = _roles(function, role, public)
        signature = read_signature(function)
        if signature.body is not None or signature.may_refuse:
            raise TypeError(f"{function.__qualname__}: a query has no body and refuses by raising")
        if bool(gives) != (signature.view in (File, Streamed)) or (gives and not signature.takes_session):
            raise TypeError(
                f"{function.__qualname__}: a query that returns a File or Streamed takes a session and says what it gives"
            )
        if roles:
            roles |= {"reader", "operator"}
        return Route(function, signature, False, roles, public, False, False, 200, None, MAX_BODY_BYTES, shared, gives)

    return declare


def stream(*, role: str | tuple[str, ...], status: int = 202, max_bytes: int = MAX_BODY_BYTES) -> Callable[..., Route]:
    """A route that hands readings straight to the broker: it looks, and what it returns with its view is published.

    The answer is sent when the broker has acknowledged; no transaction is open meanwhile. Readings bring their own
    identity, so no key is needed.
    """

    def declare(function: Callable[..., Any]) -> Route:
        roles, signature = _roles(function, role, False), read_signature(function)
        if not signature.publishes or not signature.takes_session:
            raise TypeError(f"{function.__qualname__}: a stream takes a session and returns Published")
        return Route(function, signature, True, roles, False, False, False, status, None, max_bytes, False)

    return declare


def _roles(function: Callable[..., Any], role: str | tuple[str, ...], public: bool) -> frozenset[str]:
    roles = frozenset((role,) if isinstance(role, str) else role)
    if public and roles:
        raise TypeError(f"{function.__qualname__}: a public route needs no role")
    return roles


def make_app(
    service: Service,
    database: Database,
    auth: Verifier,
    poke: Callable[[], None] | None = None,
    *,
    broker: Broker | None = None,
    settings: Settings | None = None,
) -> Flask:
    """The Flask app of one service; ``poke`` wakes the relay after a commit that emitted.

    ``broker`` and ``settings`` are at ``app.extensions`` for the routes that need them. Raises TypeError for a view
    that is neither a command nor a query.
    """
    app = bare_app(service.name, service.blueprints)
    app.extensions.update(broker=broker, settings=settings)
    if poke is not None:
        database.after_emit = poke
    for rule, route, dialect in routes_of(app):
        app.view_functions[rule.endpoint] = edge.prepare(app, rule, route, dialect, database, auth)
    app.register_error_handler(Exception, lambda error: handle_flask_error(app, error))
    return app


def routes_of(app: Flask) -> Iterable[tuple[Any, Route, Dialect]]:
    """Each rule of an app with its route and its blueprint's dialect. Raises TypeError for any other view."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        route = getattr(view, "route", view)
        if not isinstance(route, Route):
            raise TypeError(f"{rule.rule} does not say who may call it: make {view.__name__} a @command or a @query")
        if route.is_command == ("GET" in rule.methods) or len(rule.methods - {"HEAD", "OPTIONS"}) != 1:
            raise TypeError(f"{rule.rule}: a query is a GET, a command is one other method")
        if set(route.signature.path) != set(rule.arguments):
            raise TypeError(f"{rule.rule}: the function takes {route.signature.path} from the path")
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        yield rule, route, getattr(blueprint, "dialect", HOUSE_DIALECT)


def bare_app(name: str, blueprints: Iterable[Blueprint]) -> Flask:
    """A Flask app with the blueprints' rules, not prepared to answer."""
    app = Flask(name, static_folder=None)
    app.config.update(PROVIDE_AUTOMATIC_OPTIONS=False, MAX_CONTENT_LENGTH=MAX_BODY_BYTES, MAX_FORM_PARTS=1)
    app.url_map.merge_slashes = False
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app
