"""Deliveries as their parties see them: with pieces, weigh tickets and what did not fit."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.discrepancies import queries as discrepancies
from services.logistics.shipments import queries
from services.logistics.shipments.model import Delivery, State
from services.logistics.weighing import queries as weighing


class Details(msgspec.Struct, frozen=True):
    """A delivery with its pieces, its tickets and what did not fit."""

    delivery: Delivery
    piece_ids: list[str]
    tickets: list[weighing.Standing]
    discrepancies: list[discrepancies.Details]


def add_details(session: Session, deliveries: Collection[Delivery]) -> list[Details]:
    """Deliveries with what belongs to them, in one statement for each kind."""
    ids = [delivery.id for delivery in deliveries]
    pieces, tickets, findings = (
        queries.pieces_of(session, ids),
        weighing.tickets_of(session, ids),
        discrepancies.discrepancies_of(session, ids),
    )
    return [Details(one, pieces[one.id], tickets[one.id], findings[one.id]) for one in deliveries]


def see_delivery(session: Session, delivery_id: str, caller: Caller) -> Details:
    """A delivery that the caller is party to. Raises NotFound."""
    return add_details(session, [see(session, Delivery, delivery_id, caller)])[0]


def list_deliveries(
    session: Session, caller: Caller, *, deal_id: str | None, state: State | None, cursor: str | None, limit: int
) -> Page[Details]:
    """The deliveries that the caller is party to, newest first."""
    where: list[ColumnElement[bool]] = []
    if deal_id is not None:
        where.append(Delivery.deal_id == deal_id)
    if state is not None:
        where.append(Delivery.state == state)
    found = page(session, Delivery, caller, cursor, limit, *where)
    return Page(add_details(session, found.items), found.next)
