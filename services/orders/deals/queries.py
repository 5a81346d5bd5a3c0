"""Looks deals up: to show them, and how far one has come for those who move it on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import NotYetKnown
from services.orders.base import among
from services.orders.deals.delivery import Delivery
from services.orders.deals.ended import EndedPart
from services.orders.deals.line import Line
from services.orders.deals.model import Deal
from services.orders.deals.progress import Progress
from services.orders.deals.states import State
from services.orders.pieces.model import NotReceivedYet


class Standing(msgspec.Struct, frozen=True):
    """A deal with its deliveries, their lines and its ended parts, each in the order of their ids."""

    deal: Deal
    deliveries: list[Delivery] = []
    lines: dict[str, list[Line]] = {}
    ended: list[EndedPart] = []

    def lines_of(self, delivery: Delivery) -> list[Line]:
        """The lines of one of its deliveries."""
        return self.lines.get(delivery.id, [])


def find_deal(session: Session, caller: Caller, deal_id: str) -> Standing:
    """One deal. Raises NotFound."""
    return _stand(session, [see(session, Deal, deal_id, caller)])[0]


def list_deals(
    session: Session, caller: Caller, *, state: State | None, offer_id: str | None, cursor: str | None, limit: int
) -> Page[Standing]:
    """The deals of the caller's company, newest first; the operator's page has everybody's."""
    said = {Deal.state: state, Deal.offer_id: offer_id}
    where = [column == value for column, value in said.items() if value is not None]
    found = page(session, Deal, caller, cursor, limit, *where)
    return Page(_stand(session, found.items), found.next)


def _stand(session: Session, deals: Sequence[Deal]) -> list[Standing]:
    """Deals that were found visible with what belongs to them: a statement for each kind, none for lines of no delivery."""
    ids = [deal.id for deal in deals]
    deliveries = _gather(session, Delivery, Delivery.deal_id, ids)
    lines = _gather(session, Line, Line.delivery_id, [each.id for found in deliveries.values() for each in found])
    ended = _gather(session, EndedPart, EndedPart.deal_id, ids)
    return [Standing(deal, deliveries[deal.id], lines, ended[deal.id]) for deal in deals]


def _gather(session: Session, model: Any, of: Any, ids: Sequence[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    if not ids:
        return found
    for row in session.scalars(select(model).where(among(of, ids)).order_by(model.id)):
        found[getattr(row, of.key)].append(row)
    return found


def find_lines(session: Session, delivery: Delivery) -> list[Line]:
    """The lines of a delivery whose lock is held."""
    return list(session.scalars(select(Line).where(Line.delivery_id == delivery.id).order_by(Line.id)))


def find_progress(session: Session, deal: Deal) -> Progress:
    """How far a deal whose lock is held has come; that is the lock of its deliveries too."""
    deliveries = select(Delivery).where(Delivery.deal_id == deal.id).order_by(Delivery.id)
    found = session.scalars(deliveries.execution_options(populate_existing=True))
    return Progress(deal, list(found), find_ended(session, deal))


def find_ended(session: Session, deal: Deal) -> list[EndedPart]:
    """The parts of a deal that ended; none are asked for while none can have."""
    if not deal.returned:
        return []
    return list(session.scalars(select(EndedPart).where(EndedPart.deal_id == deal.id).order_by(EndedPart.id)))


def check_received(session: Session, caller: Caller, promises: Mapping[str, str]) -> None:
    """Whether pieces, each in a deal, are none that the caller bought and has still to receive.

    Raises NotReceivedYet, or NotYetKnown when they are settled and the catalog has still to say whose they are.
    """
    if not promises:
        return
    bought = select(Deal.id).where(among(Deal.id, set(promises.values())), Deal.buyer_id == caller.party_id)
    deals = set(session.scalars(bought))
    mine = sorted(piece_id for piece_id, deal_id in promises.items() if deal_id in deals)
    if not mine:
        return
    deliveries = select(Delivery.piece_ids).where(among(Delivery.deal_id, deals), Delivery.passed_at.is_not(None))
    passed = {piece_id for ids in session.scalars(deliveries) for piece_id in ids}
    if waiting := [id for id in mine if id not in passed]:
        raise NotReceivedYet(", ".join(waiting), piece_ids=waiting, field="$.piece_ids")
    raise NotYetKnown(f"whose it is now has not been heard of yet: {', '.join(mine)}", field="$.piece_ids", pieces=mine)
