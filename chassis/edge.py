"""What happens around a route's function for each request: arguments, key, transaction, answer, count.

``prepare`` looks up and builds all that does not change between requests, so that a request costs few steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.globals import request_ctx
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers

from chassis import idempotency, metrics, telemetry, tracing
from chassis.auth import Verifier
from chassis.database import Database
from chassis.problems import Refused
from chassis.reading import Arguments, prepare_arguments, prepare_body
from chassis.refusals import problem_of, write_refusal
from chassis.wire import Dialect, File, Reply, Streamed

if TYPE_CHECKING:
    from werkzeug.routing import Rule

    from chassis.http import Route

Answer = tuple[int, list[tuple[str, str]], bytes | Iterator[bytes]]
"""Status, headers (the first is the content type unless the body is empty), body, which only a query may give in pieces."""
Answerer = Callable[[Request, Arguments], Answer]


class _Bytes(Response):
    """A response whose headers are all said: none is made up."""

    default_mimetype = None


def prepare(
    app: Flask, rule: Rule, route: Route, dialect: Dialect, database: Database, auth: Verifier
) -> Callable[..., Response]:
    """The view function of a route in an app."""
    method = method_of(rule)
    if route.signature.publishes:
        answer = _prepare_stream(app, route, dialect, database, auth)
    elif route.is_command:
        answer = _prepare_command(rule, route, dialect, database, auth)
    else:
        answer = _prepare_query(route, dialect, database, auth)
    if tracing.is_tracing():
        answer = _with_span(answer, f"{method} {rule.rule}")
    tally = metrics.RouteMetrics(service=app.name, method=method, route=rule.rule)
    bugs = metrics.BUGS.labels(app.name, rule.rule)

    def respond(**path: Any) -> Response:
        began = perf_counter()
        request: Request = request_ctx.request
        environ = request.environ
        trace = telemetry.Trace(environ.get("HTTP_X_REQUEST_ID"), environ.get("HTTP_TRACEPARENT"))
        token = telemetry.current_trace.set(trace)
        try:
            status, headers, body = answer(request, path)
        except Exception as error:
            problem = problem_of(error)
            if problem.status == 500:
                bugs.inc()
            accept = environ.get("HTTP_ACCEPT", "")
            status, headers, body = write_refusal(problem, dialect, trace.request_id, accept)
        finally:
            telemetry.current_trace.reset(token)
        seconds = perf_counter() - began
        tally.count(status, seconds)
        if route.is_command or status >= 400:
            telemetry.log_request(trace, app.name, method, rule.rule, status, seconds)
        chunks = body if isinstance(body, Iterator) else [body]
        return _Bytes(chunks, status, Headers([*headers, ("X-Request-Id", trace.request_id)]))

    respond.route = route  # type: ignore[attr-defined]
    respond.__name__ = route.__name__
    return respond


def method_of(rule: Rule) -> str:
    """The one method of a rule, apart from those that Flask adds."""
    return next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def _with_span(answer: Answerer, name: str) -> Answerer:
    def answer_in_span(request: Request, arguments: Arguments) -> Answer:
        trace = telemetry.current_trace.get() or telemetry.Trace(None, None)
        with tracing.span(name, trace.given) as trace.given:
            return answer(request, arguments)

    return answer_in_span


def _prepare_query(route: Route, dialect: Dialect, database: Database, auth: Verifier) -> Answerer:
    function, write, read_arguments = route.function, dialect.write, prepare_arguments(route, auth, dialect)
    takes_session = route.signature.takes_session
    headers = _success_headers(dialect)

    def answer(request: Request, arguments: Arguments) -> Answer:
        read_arguments(request, arguments)
        if not takes_session:
            return 200, headers, write(function(**arguments))
        return 200, headers, write(database.look(lambda session: function(session=session, **arguments)))

    def answer_file(request: Request, arguments: Arguments) -> Answer:
        read_arguments(request, arguments)
        file: File | Streamed = database.look(lambda session: function(session=session, **arguments))
        return 200, file.headers, file.write(database.look) if type(file) is Streamed else file.body

    def answer_reply(request: Request, arguments: Arguments) -> Answer:
        read_arguments(request, arguments)
        if not takes_session:
            return _say(function(**arguments), dialect)
        return _say(database.look(lambda session: function(session=session, **arguments)), dialect)

    if route.signature.view is Reply:
        return answer_reply
    return answer_file if route.gives else answer


def _prepare_stream(app: Flask, route: Route, dialect: Dialect, database: Database, auth: Verifier) -> Answerer:
    function, write = route.function, dialect.write
    read_arguments, read_body = prepare_arguments(route, auth, dialect), prepare_body(route, dialect)
    headers = _success_headers(dialect)

    def answer(request: Request, arguments: Arguments) -> Answer:
        read_arguments(request, arguments)
        read_body(request, arguments)
        published = database.look(lambda session: function(session=session, **arguments))
        app.extensions["broker"].publish(published.messages)
        return route.status, headers, write(published.view)

    return answer


def _prepare_command(rule: Rule, route: Route, dialect: Dialect, database: Database, auth: Verifier) -> Answerer:
    read_arguments, read_body = prepare_arguments(route, auth, dialect), prepare_body(route, dialect)
    perform = _prepare_perform(route, dialect)
    perform_once = _with_key(route, perform)
    takes_session, scope_route = route.signature.takes_session, f"{method_of(rule)} {rule.rule}"

    def answer(request: Request, arguments: Arguments) -> Answer:
        read_arguments(request, arguments)
        read_body(request, arguments)
        if not takes_session:
            return perform(None, arguments)
        return database.run(lambda session: perform(session, arguments))

    def answer_once(request: Request, arguments: Arguments) -> Answer:
        environ = request.environ
        caller = read_arguments(request, arguments)
        key = idempotency.read_idempotency_key(environ.get("HTTP_IDEMPOTENCY_KEY"))
        raw = read_body(request, arguments)
        scope = (caller.user_id, scope_route, key)
        fingerprint = idempotency.take_fingerprint(request.path, environ.get("QUERY_STRING", ""), raw)
        return database.run(lambda session: perform_once(session, arguments, scope, fingerprint))

    return answer_once if route.idempotent else answer


Perform = Callable[[Session | None, Arguments], Answer]


def _prepare_perform(route: Route, dialect: Dialect) -> Perform:
    function, write, is_empty = route.function, dialect.write, route.signature.view is None
    status = 204 if is_empty and route.status == 200 else route.status
    headers = _success_headers(dialect)[1 if is_empty else 0 :]
    is_reply = route.signature.view is Reply

    def perform(session: Session | None, arguments: Arguments) -> Answer:
        outcome = function(**arguments) if session is None else function(session=session, **arguments)
        if type(outcome) is Refused:
            return write_refusal(outcome.problem, dialect, telemetry.current_request_id())
        if is_reply:
            return _say(outcome, dialect)
        return status, headers, b"" if is_empty else write(outcome)

    return perform


def _with_key(route: Route, perform: Perform) -> Callable[[Session, Arguments, idempotency.Scope, bytes], Answer]:
    is_kept = not route.keeps_secret

    def perform_once(session: Session, arguments: Arguments, scope: idempotency.Scope, fingerprint: bytes) -> Answer:
        if (before := idempotency.claim_key(session, scope, fingerprint)) is not None:
            status, media_type, body = before
            return status, [*([("Content-Type", media_type)] if media_type else []), idempotency.REPLAYED], body
        status, headers, body = perform(session, arguments)
        if is_kept or status >= 400:
            idempotency.keep_answer(session, scope, status, headers[0][1] if body else None, body)
        return status, headers, body

    return perform_once


def _say(reply: Reply, dialect: Dialect) -> Answer:
    kept = [] if any(name == "Cache-Control" for name, _ in reply.headers) else [("Cache-Control", "no-store")]
    return reply.status, [*reply.headers, *dialect.headers, *kept], reply.body


def _success_headers(dialect: Dialect) -> list[tuple[str, str]]:
    return [("Content-Type", dialect.media_type), *dialect.headers, ("Cache-Control", "no-store")]
