"""Looks markets up for the topics that follow their rules."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from services.orders.base import among, many
from services.orders.markets.model import Market

_BY_ID = select(Market).where(among(Market.id, many("ids")))


def find_market(session: Session, market: str) -> Market:
    """A market by its name. Raises NotYetKnown."""
    return find_markets(session, [market])[market]


def find_markets(session: Session, names: Iterable[str]) -> dict[str, Market]:
    """Markets by name. Raises NotYetKnown."""
    wanted = set(names)
    found = {market.id: market for market in session.scalars(_BY_ID, {"ids": sorted(wanted)})}
    if missing := sorted(wanted - found.keys()):
        raise NotYetKnown(f"the market {' and '.join(map(repr, missing))} has not been heard of yet", field="$.market")
    return found
