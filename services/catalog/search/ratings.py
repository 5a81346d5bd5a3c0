"""The ratings of companies: the share of their deals that they kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from services.catalog.base import among
from services.catalog.search.keys import rating_of
from services.catalog.search.model import RatedDeal


@dataclass(frozen=True)
class Rating:
    """How many of a company's deals it kept and broke; deals that the other side broke count for neither."""

    kept: int = 0
    broken: int = 0

    @property
    def percent(self) -> int:
        """The share that it kept, with the prior."""
        return rating_of(self.kept, self.broken)

    @property
    def deals(self) -> int:
        """How many deals it is made of: it only rises."""
        return self.kept + self.broken


def find_ratings(session: Session, party_ids: Iterable[str]) -> dict[str, Rating]:
    """The ratings of companies, also of those of which nothing is known."""
    wanted = set(party_ids)
    if not wanted:
        return {}
    sides = union_all(
        *(
            select(column.label("party_id"), RatedDeal.outcome).where(
                among(column, wanted), or_(RatedDeal.outcome == "kept", RatedDeal.outcome == literal(side))
            )
            for side, column in (("seller", RatedDeal.seller_id), ("buyer", RatedDeal.buyer_id))
        )
    ).subquery()
    is_kept = sides.c.outcome == "kept"
    query = select(sides.c.party_id, func.count().filter(is_kept), func.count().filter(~is_kept)).group_by(
        sides.c.party_id
    )
    found = {party_id: Rating(kept, broken) for party_id, kept, broken in session.execute(query)}
    return {party_id: found.get(party_id, Rating()) for party_id in wanted}
