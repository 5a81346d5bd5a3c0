"""Looking users up."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.identity.users.model import State, User


def see_user(session: Session, caller: Caller, user_id: str) -> User:
    """One user that the caller may see. Raises NotFound."""
    return see(session, User, user_id, caller)


def list_users(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[User]:
    """The users that the caller may see, newest first."""
    return page(session, User, caller, cursor, limit)


def find_by_email(session: Session, email: str) -> User | None:
    """Who signs in with an email address; nobody who was let go."""
    return session.scalar(select(User).where(User.email == email.lower(), User.state != State.DEACTIVATED))


def find_active(session: Session, user_ids: Iterable[str]) -> dict[str, User]:
    """Those of some users who can sign in, by id."""
    query = select(User).where(User.id.in_(sorted(user_ids)), User.state == State.ACTIVE)
    return {user.id: user for user in session.scalars(query)}


def find_by_roles(session: Session, party_id: str, roles: Iterable[str]) -> list[User]:
    """The users of a company who can sign in and have one of some roles, at most fifty."""
    query = select(User).where(User.party_id == party_id, User.state == State.ACTIVE, User.roles.overlap(sorted(roles)))
    return list(session.scalars(query.order_by(User.id).limit(50)))
