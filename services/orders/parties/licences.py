"""What licences a trader must hold: an offer keeps what its goods ask for, a company what identity said that it holds.

One licence must cover a whole need: its scheme, and all of the scope that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from chassis.problems import Conflict
from events import catalog
from events.identity import Licence
from services.orders.parties.model import Party

Side = Literal["seller", "buyer"]


class LicenceNeeded(Conflict):
    """A company may not trade in such goods without a licence that it does not hold."""


def check_licensed(party: Party, needs: Iterable[catalog.LicenceNeeded], side: Side, now: datetime) -> None:
    """Whether a company may trade on a side. Raises LicenceNeeded that names the scheme and the scope."""
    if need := find_missing(party.licences or (), needs, side, now):
        of = f" for {', '.join(need.scope)}" if need.scope else ""
        raise LicenceNeeded(
            f"{party.name} lacks the licence {need.scheme}{of}",
            scheme=need.scheme,
            scope=need.scope,
            side=side,
            party_id=party.id,
        )


def find_missing(
    held: Iterable[Licence], needs: Iterable[catalog.LicenceNeeded], side: Side, now: datetime
) -> catalog.LicenceNeeded | None:
    """The first thing that is asked of a side and not held by it, or None."""
    licences = list(held)
    return next((need for need in needs if side in need.held_by and not _is_held(licences, need, now)), None)


def find_hidden(
    held: Iterable[Licence], needs: Iterable[catalog.LicenceNeeded], now: datetime
) -> catalog.LicenceNeeded | None:
    """What a buyer lacks without which it does not even see the goods, or None: ``offers.shown`` says the same in SQL."""
    return find_missing(held, [need for need in needs if need.hides], "buyer", now)


def join_needs(each: Iterable[Sequence[catalog.LicenceNeeded] | None]) -> list[catalog.LicenceNeeded]:
    """What several things ask for, each need once."""
    joined: list[catalog.LicenceNeeded] = []
    for needs in each:
        joined += [need for need in needs or () if need not in joined]
    return joined


def _is_held(licences: Sequence[Licence], need: catalog.LicenceNeeded, now: datetime) -> bool:
    return any(
        licence.scheme == need.scheme and set(need.scope) <= set(licence.scope) and now < licence.valid_until
        for licence in licences
    )
