"""Writes out what is shared: who sees a captured event by which share, with a bounded number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.logistics.epcis.sharing.chains import Stay, follow_chains

THING_KINDS = (
    *("epc", "childEPC", "parentID", "inputEPC", "outputEPC"),
    *("epcClass", "childEPCClass", "inputEPCClass", "outputEPCClass", "lot"),
)

_SYNC = text("""
WITH stay AS (
    SELECT * FROM unnest(CAST(:shares AS text[]), CAST(:keys AS text[]), CAST(:since AS timestamptz[]),
        CAST(:until AS timestamptz[])) AS row (share, key, since, until)),
wanted AS (
    SELECT DISTINCT s.party_id, e.id AS event, s.id AS why
    FROM stay JOIN event_share s ON s.id = stay.share
    JOIN epcis_key k ON k.key = stay.key AND k.kind = ANY(CAST(:kinds AS text[]))
        AND k.event_time BETWEEN stay.since AND stay.until AND k.event_time >= s.from_time
    JOIN epcis_event e ON e.id = k.event AND e.owner_id = s.giver_id),
followed AS (
    INSERT INTO event_share_key (key, share) SELECT DISTINCT key, share FROM stay ON CONFLICT DO NOTHING),
gone AS (
    DELETE FROM epcis_party p WHERE p.why = ANY(CAST(:touched AS text[]))
    AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.party_id = p.party_id AND w.event = p.event AND w.why = p.why))
INSERT INTO epcis_party (party_id, event, why) SELECT party_id, event, why FROM wanted ON CONFLICT DO NOTHING
""")
_LOCK = {
    "shared": text("SELECT pg_advisory_xact_lock_shared(hashtext('epcis share'), hashtext(:giver))"),
    "alone": text("SELECT pg_advisory_xact_lock(hashtext('epcis share'), hashtext(:giver))"),
}
_HAS_CHAINS = text("""
SELECT EXISTS (SELECT 1 FROM event_share s WHERE s.giver_id = :giver AND s.scope = 'chain' AND s.revoked_at IS NULL)
""")
_GIVEN = text("""
SELECT DISTINCT s.party_id, s.from_time FROM event_share s
WHERE s.giver_id = :giver AND s.scope = 'all' AND s.revoked_at IS NULL
""")
_TOUCHED = text("""
SELECT DISTINCT s.id, s.key FROM event_share_key k JOIN event_share s ON s.id = k.share
WHERE k.key = ANY(CAST(:keys AS text[])) AND s.giver_id = :giver AND s.scope = 'chain' AND s.revoked_at IS NULL
""")
_SEEN_BY = text("""
SELECT p.event, p.party_id FROM epcis_party p WHERE p.why = ANY(CAST(:touched AS text[]))
AND p.event = ANY(CAST(:events AS text[]))
""")


def lock_shares(session: Session, giver: str) -> None:
    """Let no capture of a company run while one of its shares is made or ended: neither would see what the other wrote."""
    session.execute(_LOCK["alone"], {"giver": giver})


def lock_captures(session: Session, giver: str) -> None:
    """Let no share of a company be made or ended while it captures.

    Captures wait for each other only where the company shares along chains: one may pack what another moves, and whoever is
    second must see what the first has written.
    """
    told = {"giver": giver}
    has_chains = session.scalar(_HAS_CHAINS, told)
    session.execute(_LOCK["alone" if has_chains else "shared"], told)
    if not has_chains and session.scalar(_HAS_CHAINS, told):
        session.execute(_LOCK["alone"], told)


def fill_chains(session: Session, giver: str, keys: Mapping[str, str]) -> None:
    """Write out anew who sees what by some shares of a company along chains, given as {share: key}."""
    if keys:
        _sync(session, follow_chains(session, giver, keys), sorted(keys))


def clear_chain(session: Session, share: str) -> None:
    """Take back all that a share gave."""
    _sync(session, [], [share])


def find_touched(session: Session, giver: str, named: Collection[str]) -> dict[str, str]:
    """The shares along chains, {share: key}, that follow one of the keys."""
    rows = session.execute(_TOUCHED, {"giver": giver, "keys": sorted(named)})
    return {row.id: row.key for row in rows}


def find_seers(session: Session, touched: Collection[str], events: Collection[str]) -> set[tuple[str, str]]:
    """Who sees which of some events by some shares: (event, party)."""
    rows = session.execute(_SEEN_BY, {"touched": sorted(touched), "events": sorted(events)})
    return {(row.event, row.party_id) for row in rows}


def find_followers(session: Session, giver: str) -> dict[str, datetime]:
    """The companies that a company shares all its events with, each with the earliest time from which."""
    followers: dict[str, datetime] = {}
    for party_id, from_time in session.execute(_GIVEN, {"giver": giver}):
        followers[party_id] = min(from_time, followers.get(party_id, from_time))
    return followers


def _sync(session: Session, stays: list[Stay], touched: list[str]) -> None:
    columns = {
        "shares": [stay.share for stay in stays],
        "keys": [stay.key for stay in stays],
        "since": [stay.since for stay in stays],
        "until": [stay.until for stay in stays],
    }
    session.execute(_SYNC, {**columns, "kinds": list(THING_KINDS), "touched": touched})
