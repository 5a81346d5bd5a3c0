"""Looking licences up: to show them with their record, and those in force for a company's description."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

import events.identity
from chassis import clock
from chassis.auth import Caller
from chassis.database import Page, page, see
from services.identity.licences.model import Licence, LicenceStep, State


class ShownLicence(msgspec.Struct, frozen=True):
    """A licence with its record, oldest first."""

    licence: Licence
    steps: list[LicenceStep]


def see_licence(session: Session, caller: Caller, licence_id: str) -> ShownLicence:
    """One licence that the caller may see. Raises NotFound."""
    return show_licence(session, see(session, Licence, licence_id, caller))


def list_licences(
    session: Session,
    caller: Caller,
    *,
    party_id: str | None,
    scheme: str | None,
    state: State | None,
    cursor: str | None,
    limit: int,
) -> Page[ShownLicence]:
    """The licences that the caller may see, newest first."""
    said = {Licence.party_id: party_id, Licence.scheme: scheme, Licence.state: state}
    where: list[ColumnElement[bool]] = [column == value for column, value in said.items() if value is not None]
    found = page(session, Licence, caller, cursor, limit, *where)
    return Page(_show(session, found.items), found.next)


def show_licence(session: Session, licence: Licence) -> ShownLicence:
    """A licence that was loaded, with its record."""
    session.flush()
    return _show(session, [licence])[0]


def _show(session: Session, licences: Sequence[Licence]) -> list[ShownLicence]:
    statement = select(LicenceStep).where(LicenceStep.licence_id.in_([licence.id for licence in licences]))
    steps: defaultdict[str, list[LicenceStep]] = defaultdict(list)
    for step in session.scalars(statement.order_by(LicenceStep.at, LicenceStep.id)):
        steps[step.licence_id].append(step)
    return [ShownLicence(licence, steps[licence.id]) for licence in licences]


def find_in_force(session: Session, party_id: str) -> list[events.identity.Licence]:
    """The licences of a company that were approved and have begun, oldest record first, as others are told of them."""
    statement = select(Licence).where(
        Licence.party_id == party_id, Licence.state == State.APPROVED, Licence.valid_from <= clock.now()
    )
    return [
        events.identity.Licence(
            scheme=each.scheme, number=each.number, scope=list(each.scope), valid_until=each.valid_until
        )
        for each in session.scalars(statement.order_by(Licence.id))
    ]
