"""Tags that two gates hear at once: each passed the one that heard it best (RFID.md 4.3).

What decides are the reads of both gates, so either of them finds the same however their passages close. A gate that finds that
it heard a tag better than a neighbour which has told of it already has that neighbour look again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.rfid.model import Passage, Sighting, State
from services.logistics.rfid.stages.ghosts import NEIGHBOUR_US, Claim, arbitrate, weigh
from services.logistics.rfid.stages.reads import Bucket
from services.logistics.rfid.stages.sessions import Session as TagSession
from services.logistics.rfid.stages.sessions import Span
from services.logistics.rfid.stretches import from_us
from services.logistics.rfid.taking import look_again

NEAR = timedelta(microseconds=NEIGHBOUR_US)
_HEARD = text(
    "SELECT r.gate_id, (extract(epoch FROM min(r.at)) * 1000000) ::bigint, (extract(epoch FROM max(r.at)) * 1000000) ::bigint, "
    "coalesce(r.reader_id, ''), r.antenna, r.epc, max(r.rssi_dbm), sum(r.count) ::int "
    "FROM tag_read r WHERE r.gate_id = ANY(:gate_ids) AND r.mark IS NULL AND r.at BETWEEN :since AND :until "
    "AND r.epc = ANY(:epcs) "
    "GROUP BY r.gate_id, r.reader_id, r.antenna, r.epc, date_bin('250 ms', r.at, TIMESTAMPTZ 'epoch')"
)


def find_lost(session: Session, gate_id: str, neighbours: Iterable[str], tags: TagSession) -> dict[str, str]:
    """The tags of a session that a neighbouring gate heard better, and which gate that was."""
    gate_ids = sorted(set(neighbours) - {gate_id})
    if not gate_ids or not tags.tags:
        return {}
    asked = {
        "gate_ids": gate_ids,
        "since": from_us(tags.span.first_us) - NEAR,
        "until": from_us(tags.span.last_us) + NEAR,
        "epcs": [epc for epc, _ in tags.tags],
    }
    heard: dict[tuple[str, str], list[Bucket]] = {}
    for row in session.execute(_HEARD, asked):
        bucket = Bucket(*row[1:])
        heard.setdefault((row[0], bucket.epc), []).append(bucket)
    claims = [Claim(gate_id, tags.span, epc, weigh(seen)) for epc, seen in tags.tags]
    claims += [_claim(where, epc, seen) for (where, epc), seen in heard.items()]
    held = {claim.epc: claim.portal_id for claim in arbitrate(claims)}
    return {epc: held[epc] for epc, _ in tags.tags if held[epc] != gate_id}


def _claim(gate_id: str, epc: str, seen: list[Bucket]) -> Claim:
    span = Span(min(one.first_us for one in seen), max(one.last_us for one in seen))
    return Claim(gate_id, span, epc, weigh(seen))


def have_losers_look(session: Session, neighbours: Iterable[str], tags: TagSession, lost: Mapping[str, str]) -> None:
    """Have neighbours look again whose passages tell of tags that passed here."""
    won = [epc for epc, _ in tags.tags if epc not in lost]
    since, until = from_us(tags.span.first_us) - NEAR, from_us(tags.span.last_us) + NEAR
    told = (
        select(Passage.gate_id, Sighting.last_seen)
        .join(Sighting, Sighting.passage_id == Passage.id)
        .where(among(Passage.gate_id, neighbours), Passage.state == State.CLOSED, among(Sighting.epc, won))
        .where(Passage.first_seen <= until, Passage.last_seen >= since, Sighting.lost_to.is_(None))
    )
    times: dict[str, list] = {}
    for gate_id, at in session.execute(told):
        times.setdefault(gate_id, []).append(at)
    for gate_id in sorted(times):
        look_again(session, [gate_id], min(times[gate_id]), max(times[gate_id]))
