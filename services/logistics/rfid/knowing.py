"""What is known beside the reads of a session: whose tags they are, what papers expect, what is packed in what, what was inside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.epcis.contents import contents_at
from services.logistics.pieces import queries as pieces
from services.logistics.rfid.epc import decode_epc
from services.logistics.rfid.model import Passage, Sighting, State
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.passages import Context
from services.logistics.shipments import queries as shipments
from services.logistics.warehouses.model import Gate
from services.logistics.warehouses.rules import GateRules


class Known(msgspec.Struct, frozen=True):
    """What is known of tags (hex digits): their links and pieces; what of pieces: their deliveries here, and links.

    A tag without a link is one that nobody knows, or of a company whose tags do not count here. ``contents`` are the
    children of each parent, as links.
    """

    links: Mapping[str, str]
    piece_of: Mapping[str, str]
    expected: Mapping[str, str]
    piece_by_link: Mapping[str, str]
    contents: Mapping[str, frozenset[str]]
    is_inside: Mapping[str, bool]

    def context(self) -> Context:
        """The same, as the stages take it; what is on one delivery belongs together where nothing is known to be packed."""
        parent_of = {child: parent for parent, children in self.contents.items() for child in children}
        parents: dict[str, str] = {}
        for epc, link in self.links.items():
            if parent := parent_of.get(link) or (link if link in self.contents else None):
                parents[epc] = parent
        for epc, piece_id in self.piece_of.items():
            if piece_id in self.expected:
                parents.setdefault(epc, self.expected[piece_id])
        return Context(
            expected=frozenset(epc for epc, piece_id in self.piece_of.items() if piece_id in self.expected),
            parents=parents,
            is_inside=self.is_inside,
        )


def find_known(
    session: Session,
    gate: Gate,
    rules: GateRules,
    epcs: Collection[str],
    *,
    since: datetime,
    until: datetime,
    others: Collection[str] = (),
    again: Collection[str] = (),
) -> Known:
    """What is known of the tags of a session that went from one time to another; ``others`` are no EPCs (ISO 15961)."""
    expected = shipments.pieces_expected(session, gate.id, since=since, again=again)
    links = {epc: link for epc in epcs if epc not in others and (link := name_tag(epc, rules.prefixes))}
    contents = contents_at(session, sorted(set(links.values())), party_id=gate.party_id, at=until) if links else {}
    tags = pieces.tags_of_pieces(session, expected) if contents and expected else {}
    return Known(
        links=links,
        piece_of=pieces.pieces_by_tag(session, list(epcs), expected=expected),
        expected=expected,
        piece_by_link={found.link: piece for piece, tag in tags.items() if tag and (found := decode_epc(tag))},
        contents=contents,
        is_inside=_last_ways(session, gate, epcs, since) if rules.has_sides else {},
    )


def name_tag(epc: str, prefixes: Collection[str]) -> str | None:
    """The link of a tag; None when nobody knows what it says, or it is none of the companies that count."""
    identity = decode_epc(epc)
    if identity is None:
        return None
    company = identity.urn.rsplit(":", 1)[-1].partition(".")[0]
    return identity.link if not prefixes or company in prefixes else None


def _last_ways(session: Session, gate: Gate, epcs: Collection[str], before: datetime) -> dict[str, bool]:
    """Whether each tag was last seen coming in, at whichever gate of the same warehouse."""
    way = Sighting.direction.in_((Direction.IN.value, Direction.OUT.value))
    found = (
        select(Sighting.epc, Sighting.direction)
        .join(Passage, Passage.id == Sighting.passage_id)
        .where(among(Sighting.epc, epcs), Sighting.last_seen < before, way, Sighting.is_ghost.is_(False))
        .where(Passage.warehouse_id == gate.party_id, Passage.state == State.CLOSED)
        .ext(distinct_on(Sighting.epc))
        .order_by(Sighting.epc, Sighting.last_seen.desc())
    )
    return {epc: direction == Direction.IN.value for epc, direction in session.execute(found)}
