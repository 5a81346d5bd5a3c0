"""What is wrong with a document or an event, in the words of the standard: ``epcisException`` types and paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

VALIDATION = "epcisException:ValidationException"
MOST_FINDINGS = 100
"""Of one event; a document that is wrong throughout need not be told so a million times."""
LIMIT = "epcisException:CaptureLimitExceededException"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: where (``$.epcisBody.eventList[0].bizStep``), what, and by which rule."""

    path: str
    detail: str
    rule: str


class NotReadable(Exception):
    """A document that cannot be taken as EPCIS. ``kind`` is its epcisException."""

    def __init__(self, *findings: Finding, kind: str = VALIDATION) -> None:
        super().__init__("; ".join(f"{one.path}: {one.detail}" for one in findings[:3]))
        self.findings, self.kind = findings, kind


def refuse(path: str, detail: str, rule: str = "syntax") -> NotReadable:
    """One finding as an exception to raise."""
    return NotReadable(Finding(path, detail, rule))


def write_problem(findings: Iterable[Finding], kind: str = VALIDATION) -> dict[str, Any]:
    """The body of an RFC 7807 answer: status 413 for a limit, else 400."""
    told = list(findings)
    return {
        "type": kind,
        "title": "The document is too large" if kind == LIMIT else "The document is not valid EPCIS",
        "status": 413 if kind == LIMIT else 400,
        "detail": f"{told[0].path}: {told[0].detail}" if told else "",
        "errors": [msgspec.to_builtins(one) for one in told[:100]],
    }
