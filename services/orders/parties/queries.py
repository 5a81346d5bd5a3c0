"""Looks companies up for the topics that need to know who trades."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from services.orders.base import among, many
from services.orders.parties.model import Party, check_apart

_BY_ID = select(Party).where(among(Party.id, many("ids")))


def find_trader(session: Session, party_id: str) -> Party:
    """A company that may trade. Raises NotYetKnown or PartySuspended."""
    return _find(session, party_id)[party_id]


def find_traders(session: Session, *, buyer_id: str, seller_id: str) -> tuple[Party, Party]:
    """Buyer and seller, who may trade with each other. Raises NotYetKnown, PartySuspended or SelfDealing."""
    found = _find(session, buyer_id, seller_id)
    check_apart(found[buyer_id], found[seller_id])
    return found[buyer_id], found[seller_id]


def _find(session: Session, *party_ids: str) -> dict[str, Party]:
    found = {party.id: party for party in session.scalars(_BY_ID, {"ids": list(party_ids)})}
    if missing := sorted(set(party_ids) - found.keys()):
        raise NotYetKnown(f"{' and '.join(missing)} has not been heard of yet")
    for party in found.values():
        party.check_may_trade()
    return found
