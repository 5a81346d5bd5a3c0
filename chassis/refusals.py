"""Everything that goes wrong on the way to a route, as problems: Flask's own errors, and bugs without their detail."""

from __future__ import annotations

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as MethodNotAllowedError
from werkzeug.routing import RoutingException

from chassis import metrics
from chassis.problems import Forbidden, Invalid, NotFound, Problem
from chassis.telemetry import Trace, current_trace
from chassis.wire import HOUSE_DIALECT, Dialect

log = structlog.get_logger(__name__)


class InternalError(Problem):
    """Something went wrong on our side."""


class MissingRole(Forbidden):
    """The caller's roles do not include one that this needs."""


class DeviceOnly(Forbidden):
    """The key of a device hands in what the device has read, and nothing else."""


class NoRoute(NotFound):
    """There is nothing at this address."""


class MethodNotAllowed(Problem):
    """The address does not take this method."""

    status = 405


class TooLarge(Problem):
    """The body is larger than this route takes."""

    status = 413


class UnsupportedMediaType(Problem):
    """The body is not of a media type that this route takes."""

    status = 415


class BadRequest(Invalid):
    """The request is not well-formed."""


_OF_FLASK: dict[int | None, type[Problem]] = {
    400: BadRequest,
    404: NoRoute,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedMediaType,
}


def problem_of(error: Exception) -> Problem:
    """Any exception as a problem; one that is not foreseen is logged with its stack and told without detail."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException) and error.code in _OF_FLASK:
        return _OF_FLASK[error.code]()
    log.error("bug", exc_info=error)
    return InternalError()


def write_refusal(
    problem: Problem, dialect: Dialect, request_id: str | None, accept: str = ""
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of a problem in a blueprint's dialect, in the form that ``accept`` asks for."""
    media_type, write = dialect.problem_form(accept)
    problem = dialect.rename(problem) if dialect.rename else problem
    headers = [("Content-Type", media_type), *problem.headers.items(), *dialect.headers]
    return problem.status, headers, write(problem, request_id)


def handle_flask_error(app: Flask, error: Exception) -> Response | Exception:
    """Flask's error handler for what never reached a route (404, 405 and the like)."""
    if isinstance(error, RoutingException):
        return error
    trace = current_trace.get() or Trace(request.headers.get("X-Request-Id"), None)
    dialect, accept = _dialect_at(app, request.path), request.headers.get("Accept", "")
    if request.method == "OPTIONS" and isinstance(error, MethodNotAllowedError) and dialect.options is not None:
        return _write_options(dialect, error, trace.request_id)
    status, headers, body = write_refusal(problem_of(error), dialect, trace.request_id, accept)
    headers.append(("X-Request-Id", trace.request_id))
    if isinstance(error, HTTPException) and status == 405:
        headers.append(("Allow", ", ".join(sorted(getattr(error, "valid_methods", None) or ()))))
    metrics.REQUESTS.labels(app.name, request.method if status != 405 else "other", "none", str(status)).inc()
    return Response(body, status, headers)


def _write_options(dialect: Dialect, error: MethodNotAllowedError, request_id: str) -> Response:
    """What may be done at a path, from the routes that are there."""
    assert dialect.options is not None
    allowed = sorted({*(error.valid_methods or ()), "OPTIONS"})
    told = [("Allow", ", ".join(allowed)), *dialect.options(request.path), ("X-Request-Id", request_id)]
    response = Response(b"", 204, [*dialect.headers, *told])
    response.headers.pop("Content-Type", None)
    return response


def _dialect_at(app: Flask, path: str) -> Dialect:
    for blueprint in app.blueprints.values():
        dialect = getattr(blueprint, "dialect", HOUSE_DIALECT)
        if dialect.prefix != "/" and path.startswith(dialect.prefix):
            return dialect
    return HOUSE_DIALECT
