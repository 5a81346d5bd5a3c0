"""The exceptions of EPCIS 2.0 as problems: their class names are the standard's own, behind ``epcisException:``.

::

    EpcisProblem
    ├── ValidationException, QueryParameterException, SubscriptionControlsException 400
    ├── UnauthorisedException 401, ForbiddenException 403 (both ``SecurityException``)
    ├── NoSuchNameException, NoSuchResourceException 404
    ├── NotAcceptableException 406
    ├── ResourceAlreadyExistsException 409
    ├── CaptureLimitExceededException, QueryTooLargeException, QueryTooComplexException 413
    ├── URITooLongException 414, UnsupportedMediaTypeException 415
    ├── TooManyException 429 (``SecurityException``)
    └── ImplementationException 500, MethodException 405, UnavailableException 503 (all ``ImplementationException``)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from chassis.problems import Problem
from chassis.wire import InvalidField, UnknownParameter
from services.logistics.epcis.findings import Finding, NotReadable, TooLarge
from services.logistics.epcis.limits import MOST_BYTES, MOST_EVENTS

MOST_ERRORS = 100
LIMIT_HEADERS = {
    "GS1-EPCIS-Capture-Limit": str(MOST_EVENTS),
    "GS1-EPCIS-Capture-File-Size-Limit": str(MOST_BYTES),
}


class EpcisProblem(Problem):
    """Something is wrong with a request to the EPCIS repository."""

    wire_name: ClassVar[str] = ""

    @classmethod
    def type_name(cls) -> str:
        """The problem's type URI."""
        return f"epcisException:{cls.wire_name or cls.__name__}"


class ValidationException(EpcisProblem):
    """The document is not valid EPCIS."""

    status = 400


class QueryParameterException(EpcisProblem):
    """A parameter of the query is unknown or has a value that it cannot have."""

    status = 400


class SubscriptionControlsException(EpcisProblem):
    """The subscription's schedule or stream cannot be as it was asked for."""

    status = 400


class UnauthorisedException(EpcisProblem):
    """The request carries no valid credentials."""

    status = 401
    wire_name = "SecurityException"
    headers = {"WWW-Authenticate": "Bearer"}


class ForbiddenException(EpcisProblem):
    """The caller may not do this."""

    status = 403
    wire_name = "SecurityException"


class NoSuchNameException(EpcisProblem):
    """There is no query of this name."""

    status = 404


class NoSuchResourceException(EpcisProblem):
    """There is no such thing, or the caller may not see it."""

    status = 404


class NotAcceptableException(EpcisProblem):
    """There is no answer in the version or the form that was asked for."""

    status = 406


class ResourceAlreadyExistsException(EpcisProblem):
    """Something else goes by this name already."""

    status = 409


class CaptureLimitExceededException(EpcisProblem):
    """The document is larger than the repository takes at once."""

    status = 413
    headers = LIMIT_HEADERS


class QueryTooLargeException(EpcisProblem):
    """More events fit the query than may be answered."""

    status = 413


class QueryTooComplexException(EpcisProblem):
    """The query would take too long."""

    status = 413


class URITooLongException(EpcisProblem):
    """The address is too long."""

    status = 414


class UnsupportedMediaTypeException(EpcisProblem):
    """The body is of a media type that is not taken here."""

    status = 415


class ImplementationException(EpcisProblem):
    """Something went wrong on our side."""

    status = 500


class UnavailableException(EpcisProblem):
    """The repository cannot answer this for now."""

    status = 503
    wire_name = "ImplementationException"
    headers = {"Retry-After": "1"}


class MethodException(EpcisProblem):
    """The address does not take this method."""

    status = 405
    wire_name = "ImplementationException"


class TooManyException(EpcisProblem):
    """There were too many requests."""

    status = 429
    wire_name = "SecurityException"


_BY_STATUS: dict[int, type[EpcisProblem]] = {
    400: ValidationException,
    401: UnauthorisedException,
    403: ForbiddenException,
    404: NoSuchResourceException,
    405: MethodException,
    406: NotAcceptableException,
    409: ResourceAlreadyExistsException,
    413: CaptureLimitExceededException,
    414: URITooLongException,
    415: UnsupportedMediaTypeException,
    422: ValidationException,
    429: TooManyException,
    503: UnavailableException,
}


def rename_problem(problem: Problem) -> Problem:
    """A problem of the house in the words of the standard: what is 422 elsewhere is 400 here."""
    if isinstance(problem, EpcisProblem):
        return problem
    kind = _BY_STATUS.get(problem.status, ImplementationException)
    if isinstance(problem, InvalidField | UnknownParameter):
        kind = QueryParameterException
    return kind(problem.detail, **problem.members)


def refuse_findings(findings: Iterable[Finding]) -> ValidationException:
    """What is wrong with a document as the problem to raise."""
    told = list(findings)
    detail = f"{told[0].path}: {told[0].detail}" if told else ""
    return ValidationException(detail, errors=[msgspec.to_builtins(one) for one in told[:MOST_ERRORS]])


def refuse_unreadable(error: NotReadable) -> EpcisProblem:
    """A document that cannot be read, or is too large, as the problem to raise."""
    problem = refuse_findings(error.findings)
    if isinstance(error, TooLarge):
        return CaptureLimitExceededException(problem.detail, **problem.members)
    return problem
