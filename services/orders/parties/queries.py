"""Looks companies up for the topics that need to know who trades."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from services.orders.base import among, many
from services.orders.parties.model import Party, check_apart, check_third

_BY_ID = select(Party).where(among(Party.id, many("ids")))


def find_trader(session: Session, party_id: str) -> Party:
    """A company that may trade. Raises NotYetKnown or PartySuspended."""
    return _find(session, party_id)[party_id]


def find_seller(session: Session, party_id: str, *, weigher_id: str | None) -> Party:
    """A company that may sell, and the third party that it names. Raises NotYetKnown, PartySuspended or NotThirdParty."""
    found = _find(session, party_id, *([weigher_id] if weigher_id else []))
    if weigher_id:
        check_third(found[weigher_id], found[party_id])
    return found[party_id]


def find_traders(
    session: Session, *, buyer_id: str, seller_id: str, weigher_id: str | None = None
) -> tuple[Party, Party]:
    """Buyer and seller, who may trade with each other, and are both apart from who weighs.

    Raises NotYetKnown, PartySuspended, SelfDealing or NotThirdParty.
    """
    found = _find(session, buyer_id, seller_id, *([weigher_id] if weigher_id else []))
    check_apart(found[buyer_id], found[seller_id])
    if weigher_id:
        check_third(found[weigher_id], found[buyer_id], found[seller_id])
    return found[buyer_id], found[seller_id]


def find_names(session: Session, party_ids: Iterable[str]) -> dict[str, str]:
    """What companies are called, those that were heard of, whatever their state."""
    return {party.id: party.name for party in session.scalars(_BY_ID, {"ids": sorted(party_ids)})}


def _find(session: Session, *party_ids: str) -> dict[str, Party]:
    found = {party.id: party for party in session.scalars(_BY_ID, {"ids": list(party_ids)})}
    if missing := sorted(set(party_ids) - found.keys()):
        raise NotYetKnown(f"{' and '.join(missing)} has not been heard of yet")
    for party in found.values():
        party.check_may_trade()
    return found
