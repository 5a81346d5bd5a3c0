"""Named ways to fail, rendered as RFC 9457 documents.

::

    Problem 500
    ├── Invalid 422
    ├── Unauthorized 401
    ├── Forbidden 403
    ├── NotFound 404
    ├── Conflict 409
    ├── TooMany 429
    └── Unavailable 503
        └── NotYetKnown

A subclass lives beside the rule that raises it. Its name is the ``type`` (``urn:haihe:problem:coil_gone``), its docstring the
``title``, the argument the ``detail``, keyword arguments the extension members.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, ClassVar

import msgspec


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Problem(Exception):
    """The request could not be answered."""

    status: ClassVar[int] = 500
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str = "", **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members

    @classmethod
    def type_name(cls) -> str:
        """The problem's type URI."""
        return f"urn:haihe:problem:{_snake(cls.__name__)}"

    @classmethod
    def title(cls) -> str:
        """The first sentence of the docstring."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    def document(self) -> dict[str, Any]:
        """The problem document as a mapping, in the order it is rendered."""
        document: dict[str, Any] = {"type": self.type_name(), "title": self.title(), "status": self.status}
        if self.detail:
            document["detail"] = self.detail
        return document | self.members


class Invalid(Problem):
    """The request is not valid."""

    status = 422


class Unauthorized(Problem):
    """The request carries no valid credentials."""

    status = 401
    headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """The caller may not do this."""

    status = 403


class NotFound(Problem):
    """There is no such thing, or the caller may not see it."""

    status = 404


class Conflict(Problem):
    """The thing is not in a state in which this can be done."""

    status = 409


class TooMany(Problem):
    """There were too many requests."""

    status = 429


class Unavailable(Problem):
    """The platform cannot answer this for now."""

    status = 503
    headers = {"Retry-After": "1"}


class NotYetKnown(Unavailable):
    """Something this depends on has not been heard of yet."""


class Refused(msgspec.Struct):
    """A refusal that leaves a trace: returned by a command, so that the edge commits before it renders the problem."""

    problem: Problem
