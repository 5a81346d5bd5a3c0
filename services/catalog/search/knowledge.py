"""What a question is read by: the trade's words, which attributes can be asked for, and the words that things have.

It is kept in the process: packs are looked at again after some seconds; words, which only a question without hits needs,
when there are new ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.units import UNITS
from events.catalog import LicenceNeeded
from events.identity import Licence
from services.catalog.markets.attributes import Attribute
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import list_packs
from services.catalog.markets.texts import fold_name
from services.catalog.markets.words import Bilingual
from services.catalog.parties.queries import find_licences
from services.catalog.search.access import OPERATOR, Lock, Viewer, viewer_of
from services.catalog.search.dictionary import Dictionary
from services.catalog.search.model import SearchedLock, SearchedWord
from services.catalog.search.places import groups_of_names
from services.catalog.search.spelling import MOST_WORDS, Vocabulary

PACKS_STAND_S = 5.0
MOST_LOCKS = 10_000
_WORDS_OF_UNITS = {
    fold_name(word): unit.code for unit in reversed(UNITS.values()) for word in (unit.code, unit.en, unit.zh) if word
} | {'"': "INH", "inch": "INH", "inches": "INH", "寸": "INH"}


@dataclass(frozen=True)
class Knowledge:
    """Packs, and what follows from them."""

    packs: Sequence[Pack] = ()

    @cached_property
    def dictionary(self) -> Dictionary:
        """The names of all markets and of places."""
        return Dictionary(tuple(_groups(self.packs)))

    @cached_property
    def _filters(self) -> dict[str, list[tuple[Pack, Attribute]]]:
        found: dict[str, list[tuple[Pack, Attribute]]] = {}
        for pack in self.packs:
            for attribute in pack.attributes:
                if attribute.filter:
                    found.setdefault(attribute.filter, []).append((pack, attribute))
        return found

    def attributes_of(self, name: str, market: str | None) -> list[Attribute]:
        """The attributes that are asked for by a name: those of the market, or of all."""
        found = self._filters.get(name, [])
        return [attribute for pack, attribute in found if market in (None, pack.market)] or [each for _, each in found]

    def names_of(self, facet: str) -> dict[str, dict[str, str]]:
        """What the values of a facet are called, by value, in both languages."""
        if facet == "market":
            return {pack.market: _both(pack.name) for pack in self.packs}
        if facet == "type":
            return {type.name: _both(type.label) for pack in self.packs for type in pack.types}
        return {
            choice.code: _both(choice.name)
            for pack, attribute in reversed(self._filters.get(facet.removeprefix("a."), []))
            if attribute.choices
            for choice in pack.choices[attribute.choices]
        }

    def unit_called(self, word: str) -> str | None:
        """The code of a unit by what people call it."""
        folded = fold_name(word)
        found = (pack.unit_codes[folded] for pack in self.packs if folded in pack.unit_codes)
        return _WORDS_OF_UNITS.get(folded) or _WORDS_OF_UNITS.get(word.strip().lower()) or next(found, None)

    def codes_called(self, attribute: Attribute, text: str) -> list[str]:
        """The codes of a choice by any of its names."""
        folded = fold_name(text)
        found = (pack.codes.get((attribute.choices or "", folded)) for pack in self.packs if attribute.choices)
        return list(dict.fromkeys(code for code in found if code is not None))


def _both(name: Bilingual) -> dict[str, str]:
    return {"zh": name.zh, "en": name.en}


def _groups(packs: Iterable[Pack]) -> list[tuple[str, ...]]:
    groups = groups_of_names()
    for pack in packs:
        groups += [tuple(group) for group in pack.synonyms]
        searched = {each.choices for each in pack.attributes if each.choices and each.searchable}
        groups += [(each.name.zh, each.name.en, *each.also) for name in sorted(searched) for each in pack.choices[name]]
    return groups


@dataclass
class _Kept:
    knowledge: Knowledge = field(default_factory=Knowledge)
    looked_at: float = float("-inf")
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    last_word: int = 0
    words: int = 0


_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


def _keep(session: Session) -> _Kept:
    return _kept.setdefault(session.get_bind(), _Kept())


def find_knowledge(session: Session) -> Knowledge:
    """The present knowledge, at most some seconds old."""
    kept = _keep(session)
    if time.monotonic() - kept.looked_at > PACKS_STAND_S:
        packs = tuple(list_packs(session))
        if [*map(id, packs)] != [*map(id, kept.knowledge.packs)]:
            kept.knowledge = Knowledge(packs)
        kept.looked_at = time.monotonic()
    return kept.knowledge


def find_vocabulary(session: Session) -> Vocabulary:
    """The words of all that was ever found, the newest too, and those of the dictionary."""
    kept, known = _keep(session), find_knowledge(session).dictionary.latin_words
    count = session.scalar(select(func.count()).select_from(SearchedWord)) or 0
    added = _list_words(session, kept.last_word)
    if kept.words + len(added) != count:
        # A word may be committed after others that have a higher number.
        kept.vocabulary, kept.words, added = Vocabulary(), 0, _list_words(session, 0)
    kept.words += len(added)
    kept.last_word = added[-1][1] if added else kept.last_word
    kept.vocabulary.add(known)
    kept.vocabulary.add(word for word, _ in added)
    return kept.vocabulary


def _list_words(session: Session, after: int) -> list[tuple[str, int]]:
    query = select(SearchedWord.word, SearchedWord.number).where(SearchedWord.number > after)
    return [(word, number) for word, number in session.execute(query.order_by(SearchedWord.number).limit(MOST_WORDS))]


def find_viewer(session: Session, caller: Caller) -> Viewer:
    """What a caller may see, by its company's licences as they are now."""
    return OPERATOR if caller.is_operator else find_viewers(session, [caller.party_id])[caller.party_id]


def find_viewers(session: Session, party_ids: Iterable[str]) -> dict[str, Viewer]:
    """What companies may see, by their licences as they are now."""
    wanted = sorted(set(party_ids))
    rows = session.execute(select(SearchedLock.id, SearchedLock.needs).limit(MOST_LOCKS))
    locks = {id: Lock(id, tuple(msgspec.convert(needs, list[LicenceNeeded]))) for id, needs in rows}
    licences = find_licences(session, wanted) if locks else {}
    read = {party_id: msgspec.convert(held, list[Licence]) for party_id, held in licences.items()}
    return {party_id: viewer_of(party_id, read.get(party_id, []), locks, clock.now()) for party_id in wanted}
