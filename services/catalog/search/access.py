"""Who may see what: the marks on a document, and the marks that a caller can show.

A document has a mark for each audience (everybody, or single companies) together with its *lock*, the licences without
which a buyer does not even see it. A caller shows the marks of its audiences with every lock that its licences open. The
locks are few, and known from a table: one that is not known yet opens for nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from events.catalog import LicenceNeeded
from events.identity import Licence

EVERYBODY = "*"
NO_LOCK = "-"
PUBLIC = f"{EVERYBODY}|{NO_LOCK}"
"""The mark that everybody can show."""
OWN = "own"
BUYER = "buyer"
NEVER = 2**63 - 1


@dataclass(frozen=True)
class Lock:
    """The licences that open something, as the events say them."""

    id: str
    needs: tuple[LicenceNeeded, ...]

    def opens_for(self, licences: Iterable[Licence], at: datetime) -> bool:
        """Whether for each need there is one licence in force with its whole scope."""
        held = [licence for licence in licences if licence.valid_until > at]
        return all(
            any(licence.scheme == need.scheme and set(need.scope) <= set(licence.scope) for licence in held)
            for need in self.needs
        )


def hiding_lock(licences: Iterable[LicenceNeeded]) -> Lock:
    """What a buyer must hold to see something."""
    return _lock(need for need in licences if need.hides)


def buying_lock(licences: Iterable[LicenceNeeded]) -> Lock:
    """What a buyer must hold to buy something."""
    return _lock(licences)


def _lock(licences: Iterable[LicenceNeeded]) -> Lock:
    needs = {(need.scheme, tuple(sorted(need.scope))) for need in licences if BUYER in need.held_by}
    kept = tuple(LicenceNeeded(scheme=scheme, held_by=[BUYER], scope=list(scope)) for scheme, scope in sorted(needs))
    if not kept:
        return Lock(NO_LOCK, ())
    return Lock(hashlib.sha256(msgspec.json.encode(kept)).hexdigest()[:16], kept)


def marks_of(owner_id: str, audience: Iterable[str] | None, lock: Lock) -> frozenset[str]:
    """The marks on a document; its owner sees it always."""
    seen_by = [EVERYBODY] if audience is None else sorted(set(audience))
    return frozenset({f"{owner_id}|{OWN}", *(f"{each}|{lock.id}" for each in seen_by)})


@dataclass(frozen=True)
class Viewer:
    """Somebody who searches: the marks that it can show (None: sees all), and the locks under which it may buy."""

    party_id: str | None = None
    marks: tuple[str, ...] | None = None
    opened: tuple[str, ...] = (NO_LOCK,)


def viewer_of(party_id: str, licences: list[Licence], locks: Mapping[str, Lock], at: datetime) -> Viewer:
    """A company with the locks that its licences open."""
    opened = (NO_LOCK, *sorted(lock.id for lock in locks.values() if lock.opens_for(licences, at)))
    marks = [f"{audience}|{lock}" for audience in (EVERYBODY, party_id) for lock in opened]
    return Viewer(party_id, (*marks, f"{party_id}|{OWN}"), opened)


OPERATOR = Viewer()
"""Sees all."""
