"""Shows what did not fit: to the warehouse all of it, to the parties of a delivery what concerns that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.discrepancies.model import Discrepancy
from services.logistics.shipments import queries as shipments


class Details(msgspec.Struct, frozen=True):
    """A discrepancy, and whether its piece is one of its delivery's own."""

    discrepancy: Discrepancy
    is_own: bool

    def is_ours(self, caller: Caller) -> bool:
        """Whether the caller is the warehouse whose task it is, or the operator."""
        return caller.is_operator or caller.party_id == self.discrepancy.warehouse_id

    def names_piece_to(self, caller: Caller) -> bool:
        """Whether the caller may know the piece: somebody else's is named to the warehouse alone."""
        return self.is_own or self.is_ours(caller)


def add_details(session: Session, found: Collection[Discrepancy]) -> list[Details]:
    """Discrepancies with whose pieces they are about."""
    pieces = shipments.pieces_of(session, {one.delivery_id for one in found if one.delivery_id})
    return [Details(one, one.piece_id in pieces.get(one.delivery_id or "", ())) for one in found]


def see_discrepancy(session: Session, discrepancy_id: str, caller: Caller) -> Details:
    """A discrepancy at the caller's gate or of its delivery. Raises NotFound."""
    return add_details(session, [see(session, Discrepancy, discrepancy_id, caller)])[0]


def list_discrepancies(
    session: Session, caller: Caller, *, cursor: str | None, limit: int, **wanted: str | None
) -> Page[Details]:
    """The discrepancies at the caller's gates and of its deliveries, newest first; ``wanted`` are columns and their values.

    Who looks into it is the warehouse's own business: by ``owner_id`` a company finds its own tasks alone.
    """
    where: list[ColumnElement[bool]] = [
        getattr(Discrepancy, name) == value for name, value in wanted.items() if value is not None
    ]
    if wanted.get("owner_id") is not None and not caller.is_operator:
        where.append(Discrepancy.warehouse_id == caller.party_id)
    found = page(session, Discrepancy, caller, cursor, limit, *where)
    return Page(add_details(session, found.items), found.next)


def discrepancies_of(session: Session, delivery_ids: Collection[str]) -> dict[str, list[Details]]:
    """What did not fit, by delivery."""
    found: dict[str, list[Details]] = defaultdict(list)
    for details in add_details(session, _select(session, Discrepancy.delivery_id, delivery_ids)):
        found[details.discrepancy.delivery_id].append(details)
    return found


def discrepancies_at(session: Session, passage_ids: Collection[str]) -> dict[str, list[Discrepancy]]:
    """What did not fit, by passage."""
    found: dict[str, list[Discrepancy]] = defaultdict(list)
    for one in _select(session, Discrepancy.passage_id, passage_ids):
        found[one.passage_id].append(one)
    return found


def _select(session: Session, column: InstrumentedAttribute[str | None], ids: Collection[str]) -> list[Discrepancy]:
    return list(session.scalars(select(Discrepancy).where(column.in_(ids)).order_by(Discrepancy.id)))
