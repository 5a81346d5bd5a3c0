"""Says whether somebody works in a company."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from services.logistics.staff.model import ACTIVE, NotYourStaff, Staff


def check_works_at(session: Session, user_id: str, party_id: str) -> None:
    """Raises NotYourStaff for a user of another company or one who may not act, NotYetKnown where nobody was heard of."""
    found = session.execute(select(Staff.party_id, Staff.state).where(Staff.id == user_id)).one_or_none()
    if found is None:
        raise NotYetKnown(f"the user {user_id!r} has not been heard of yet", field="$.user_id")
    if tuple(found) != (party_id, ACTIVE):
        raise NotYourStaff("name an active user of your own company", field="$.user_id")
