"""Finds who may see new events besides their owner: companies that they name, that the owner names, that they are shared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from services.logistics.companies.queries import find_companies, known_companies
from services.logistics.epcis import storing
from services.logistics.epcis.model import NAMED
from services.logistics.epcis.naming import list_glns, list_party_ids
from services.logistics.epcis.preparing import Prepared
from services.logistics.epcis.sharing import filling

Row = tuple[str, Prepared]


def keep_parties(
    session: Session, new: Sequence[Row], told: dict[str, Collection[str]], *, owner_id: str
) -> dict[str, set[str]]:
    """Write who sees new events and say it: {row id: companies}. ``told`` are those that the capturer named itself."""
    if not new:
        return {}
    seen_by = _find_named(session, new)
    for id, others in told.items():
        seen_by[id].update(others)
    rows = {(party, id, NAMED) for id, others in seen_by.items() for party in others if party != owner_id}
    storing.write_parties(session, rows)
    _add_shared(session, new, seen_by, owner_id=owner_id)
    return {id: others - {owner_id} for id, others in seen_by.items()}


def _find_named(session: Session, new: Sequence[Row]) -> defaultdict[str, set[str]]:
    glns = {id: list_glns(one.keys) for id, one in new}
    ids = {id: list_party_ids(one.keys) for id, one in new}
    by_gln = find_companies(session, set().union(*glns.values()))
    known = known_companies(session, set().union(*ids.values()))
    seen_by: defaultdict[str, set[str]] = defaultdict(set)
    for id, _ in new:
        seen_by[id] = {by_gln[gln] for gln in glns[id] if gln in by_gln} | (ids[id] & known)
    return seen_by


def _add_shared(session: Session, new: Sequence[Row], seen_by: dict[str, set[str]], *, owner_id: str) -> None:
    for party, from_time in filling.find_followers(session, owner_id).items():
        for id, one in new:
            if one.event_time >= from_time:
                seen_by[id].add(party)
    named = {key for _, one in new for kind, key in one.keys if kind in filling.THING_KINDS}
    if touched := filling.find_touched(session, owner_id, named):
        filling.fill_chains(session, owner_id, touched)
        for id, party in filling.find_seers(session, touched, [id for id, _ in new]):
            seen_by[id].add(party)
