"""Adding people, giving them roles and passwords, and letting them go."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis import clock
from chassis.access import learn_denial
from chassis.auth import PLATFORM, Caller
from chassis.database import get
from chassis.messages import emit
from events.identity import UserDescribed
from services.identity.users.model import NotToOneself, State, User, read_email

PASSWORD_BYTES = 18


def add_user(session: Session, caller: Caller, *, party_id: str, email: str, name: str, roles: Sequence[str]) -> User:
    """Add a user who has still to choose a password. Raises RolesInvalid, EmailInvalid or EmailTaken."""
    user = _new_user(party_id, email, name, roles)
    session.add(user)
    describe_user(session, user)
    return user


def give_roles(session: Session, caller: Caller, user_id: str, roles: Sequence[str]) -> User:
    """Replace a user's roles; tokens that are out keep the old ones. Raises RolesInvalid or NotToOneself."""
    user = get(session, User, user_id, caller)
    if user.id == caller.user_id and "admin" in user.roles and "admin" not in roles:
        raise NotToOneself("another administrator has to do this")
    user.give_roles(roles)
    _tell(session, user)
    return user


def deactivate_user(session: Session, caller: Caller, user_id: str) -> User:
    """Let a user go: every token is refused from now on. Raises IllegalMove or NotToOneself."""
    user = get(session, User, user_id, caller)
    if user.id == caller.user_id:
        raise NotToOneself("another administrator has to do this")
    user.move("deactivate")
    _tell(session, user)
    return user


def choose_password(session: Session, caller: Caller, user_id: str, password: str) -> User:
    """Give a user a password; who was invited becomes active. Raises IllegalMove for who was let go."""
    user = get(session, User, user_id, caller)
    was_invited = user.state is State.INVITED
    user.set_password(password)
    if was_invited:
        _tell(session, user)
    return user


def create_operator(session: Session, email: str, name: str) -> str:
    """Add somebody who runs the platform; the password is kept nowhere else. Raises EmailInvalid or EmailTaken."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user = _new_user(PLATFORM, email, name, ["operator"])
    user.set_password(password)
    session.add(user)
    describe_user(session, user)
    return password


def _new_user(party_id: str, email: str, name: str, roles: Sequence[str]) -> User:
    user = User(
        id=clock.new_id("user"),
        version=1,
        party_id=party_id,
        email=read_email(email),
        name=name,
        state=State.INVITED,
        password_hash=None,
        invited_at=clock.now(),
    )
    user.give_roles(roles)
    return user


def _tell(session: Session, user: User) -> None:
    user.version += 1
    describe_user(session, user)


def describe_user(session: Session, user: User) -> None:
    """Say how a user stands now, and shut them out here at once when they were let go."""
    described = UserDescribed(
        user_id=user.id,
        version=user.version,
        party_id=user.party_id,
        name=user.name,
        roles=list(user.roles),
        state=user.state,
    )
    emit(session, described, of=user)
    learn_denial(session, user.id, user.version, denied=user.state is State.DEACTIVATED)
