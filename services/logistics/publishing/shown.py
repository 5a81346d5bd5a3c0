"""What a public page shows, whoever reads it: texts, steps and documents, as far as the owner lets them be seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from services.logistics.publishing.links import Name
from services.logistics.publishing.model import Precision
from services.logistics.trace.facts import Fact
from services.logistics.trace.places import Place

MOST_STEPS = 100


class ShownStep(msgspec.Struct, frozen=True):
    """A business step on a day (UTC), with as much of its place as the owner shows."""

    step: str
    on: str
    place: str | None


class Shown(msgspec.Struct, frozen=True):
    """A page's contents; ``anchor`` is its address."""

    name: Name
    anchor: str
    publisher: str
    texts: dict[str, dict[str, str]]
    steps: list[ShownStep]
    documents: list[dict[str, Any]]

    def title(self, language: str) -> str:
        """Its title in a language, or in the one that there is."""
        return self._word("title", language) or f"{self.name.ai} {self.name.value}"

    def text(self, language: str) -> str:
        """Its text in a language, or in the one that there is."""
        return self._word("text", language)

    def _word(self, part: str, language: str) -> str:
        here = self.texts.get(language, {}).get(part)
        return here or next((told[part] for told in self.texts.values() if told.get(part)), "")


def choose_steps(
    facts: Iterable[Fact],
    places: Mapping[str, Place],
    *,
    owner_id: str,
    steps: Iterable[str],
    precision: Precision,
) -> list[ShownStep]:
    """The steps that a page shows: of the owner's own events, of the kinds that it publishes, one a day and place."""
    wanted, found = set(steps), []
    for fact in sorted(facts, key=lambda fact: fact.order):
        if fact.owner_id == owner_id and fact.biz_step in wanted:
            place = write_place(places.get(fact.place or ""), precision)
            found.append(ShownStep(fact.biz_step, fact.at.date().isoformat(), place))
    return list(dict.fromkeys(found))[:MOST_STEPS]


def write_place(place: Place | None, precision: Precision) -> str | None:
    """A place as exactly as the owner shows it; what nobody said is left out, and coordinates never stand on a page."""
    if place is None or precision == Precision.NONE:
        return None
    parts = {
        Precision.COUNTRY: (place.country,),
        Precision.CITY: (place.city, place.country),
        Precision.NAME: (place.name, place.city, place.country),
    }[precision]
    return ", ".join(part for part in parts if part) or None
