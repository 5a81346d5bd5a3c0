"""Whether the papers of something are those that its market asks for, and until when: rules over values, no tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from services.catalog.markets.rules import DocumentRule


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A document that something carries: ``rule`` is the market's rule that it answers."""

    rule: str
    languages: tuple[str, ...] = ()
    issued_on: date | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def span(self, rule: DocumentRule) -> tuple[datetime | None, datetime | None]:
        """From when and until when it counts for a rule; None where that is open."""
        ends = [self.valid_until] if self.valid_until else []
        if rule.most_age_days is not None and self.issued_on is not None:
            ends.append(_midnight_after(self.issued_on, rule.most_age_days))
        begins = [self.valid_from] if self.valid_from else []
        if self.issued_on is not None:
            begins.append(_midnight_after(self.issued_on, -2))
        return max(begins, default=None), min(ends, default=None)


class Standing(msgspec.Struct, frozen=True):
    """Why something may not be listed, or None, and when that may change as time passes."""

    blocked: str | None = None
    due_at: datetime | None = None


FREE = Standing()


def find_standing(rules: Collection[DocumentRule], papers: Sequence[Paper], at: datetime) -> Standing:
    """How something stands at a time with the papers that it has.

    The first of the rules' required documents that is not in force blocks it: ``<rule>_missing``,
    ``<rule>_missing_<language>``, or ``<rule>_expired`` where it was there once.
    """
    blocked, turns = None, []
    for rule in rules:
        if rule.required:
            own = [paper for paper in papers if paper.rule == rule.name]
            blocked = blocked or _find_lack(rule, own, at)
            turns += [turn for paper in own for turn in paper.span(rule) if turn is not None and turn > at]
    return Standing(blocked, min(turns, default=None))


def _find_lack(rule: DocumentRule, papers: Sequence[Paper], at: datetime) -> str | None:
    in_force = [paper for paper in papers if _counts(paper, rule, at)]
    if not in_force:
        return f"{rule.name}_expired" if any(_is_over(paper, rule, at) for paper in papers) else f"{rule.name}_missing"
    had = {language for paper in in_force for language in paper.languages}
    lacking = next((language for language in rule.languages if language not in had), None)
    return f"{rule.name}_missing_{lacking}" if lacking else None


def _counts(paper: Paper, rule: DocumentRule, at: datetime) -> bool:
    begins, ends = paper.span(rule)
    return (begins is None or begins <= at) and (ends is None or at < ends)


def _is_over(paper: Paper, rule: DocumentRule, at: datetime) -> bool:
    ends = paper.span(rule)[1]
    return ends is not None and ends <= at


def _midnight_after(day: date, days: int) -> datetime:
    """The end of the day that is so many days after another, in UTC."""
    return datetime.combine(day + timedelta(days=days + 1), time(), UTC)
