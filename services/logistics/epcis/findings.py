"""What is wrong with a document or an event: where, what, and by which rule."""

from __future__ import annotations

import msgspec

MOST_FINDINGS = 100
"""Of one event; a document that is wrong throughout need not be told so a million times."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: where (``$.epcisBody.eventList[0].bizStep``), what, and by which rule."""

    path: str
    detail: str
    rule: str


class NotReadable(Exception):
    """A document that cannot be taken as EPCIS."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(f"{one.path}: {one.detail}" for one in findings[:3]))
        self.findings = findings


class TooLarge(NotReadable):
    """A document that is larger than the repository takes at once."""

    def __init__(self, detail: str) -> None:
        super().__init__(Finding("$", detail, "limit"))


def refuse(path: str, detail: str, rule: str = "syntax") -> NotReadable:
    """One finding as an exception to raise."""
    return NotReadable(Finding(path, detail, rule))
