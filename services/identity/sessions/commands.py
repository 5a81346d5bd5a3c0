"""Signing in, refreshing and signing out. A refusal here leaves a trace, so it is returned and not raised."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import LIFETIME_S, AccessEnded, Caller
from chassis.database import get, get_many
from chassis.problems import Refused
from services.identity.attempts import commands as attempts
from services.identity.parties import queries as parties
from services.identity.sessions import queries
from services.identity.sessions.model import (
    LIFETIME,
    Family,
    RefreshInvalid,
    RefreshReused,
    State,
    WrongCredentials,
    read_refresh_token,
)
from services.identity.signing import queries as signing
from services.identity.users import commands as user_commands
from services.identity.users import queries as users
from services.identity.users.model import State as UserState
from services.identity.users.model import User, check_password
from services.identity.vault import Vault

SYSTEM = Caller.system("identity")
LOGINS_IN_WINDOW = 10
WRONG_OF_ADDRESS_IN_WINDOW = 100
MOST_SESSIONS = 20


class SignedIn(msgspec.Struct, frozen=True):
    """A user's access token, and the refresh token that gets the next one."""

    user: User
    access_token: str
    refresh_token: str
    expires_in_s: int = LIFETIME_S


def sign_in(
    session: Session, caller: Caller, vault: Vault, *, email: str, password: str, address: str | None = None
) -> SignedIn | Refused:
    """Begin a session. Refused with WrongCredentials, TooManyAttempts or AccessEnded.

    ``address`` is where the request came from, where that is known: wrong guesses at many users are counted by it.
    """
    if problem := attempts.check_failures(session, "address", address, limit=WRONG_OF_ADDRESS_IN_WINDOW):
        return Refused(problem)
    if problem := attempts.count_attempt(session, "login", email, limit=LOGINS_IN_WINDOW):
        return Refused(problem)
    user = users.find_by_email(session, email)
    if not check_password(user.password_hash if user else None, password) or user is None:
        attempts.count_failure(session, "address", address)
        return Refused(WrongCredentials())
    attempts.forget_attempts(session, "login", email)
    if not _may_act(session, user):
        return Refused(AccessEnded("ask the operator of the platform"))
    _end_oldest(session, user.id)
    began_at = clock.now()
    family = Family(
        id=clock.new_id("session"),
        user_id=user.id,
        generation=1,
        state=State.OPEN,
        began_at=began_at,
        due_at=began_at + LIFETIME,
    )
    session.add(family)
    return _signed_in(session, vault, family, user)


def refresh(session: Session, caller: Caller, vault: Vault, refresh_token: str) -> SignedIn | Refused:
    """The next tokens of a session.

    Raises RefreshInvalid; refused with RefreshReused, and the session ended, when the token came before, and with
    AccessEnded when the user was let go or the company suspended.
    """
    family_id, generation = read_refresh_token(vault, refresh_token)
    family = get(session, Family, family_id, SYSTEM)
    if not family.is_open():
        raise RefreshInvalid()
    if generation != family.generation:
        family.end("a refresh token came twice")
        return Refused(RefreshReused())
    user = users.see_user(session, SYSTEM, family.user_id)
    if user.state is not UserState.ACTIVE:
        family.end("the user was let go")
        return Refused(AccessEnded())
    if not _may_act(session, user):
        return Refused(AccessEnded("the company is suspended"))
    family.generation += 1
    return _signed_in(session, vault, family, user)


def sign_out(session: Session, caller: Caller, vault: Vault, refresh_token: str) -> None:
    """End a session; one that is over stays as it is. Raises RefreshInvalid for a token that is not ours."""
    family_id, _ = read_refresh_token(vault, refresh_token)
    family = get(session, Family, family_id, SYSTEM)
    if family.can("end"):
        family.end("signed out")


def end_sessions(session: Session, user_id: str, *, reason: str) -> None:
    """End every session of a user."""
    for family in get_many(session, Family, queries.find_open_families(session, user_id), SYSTEM):
        if family.can("end"):
            family.end(reason)


def let_user_go(session: Session, caller: Caller, user_id: str) -> User:
    """Deactivate a user and end their sessions. Raises IllegalMove or NotToOneself."""
    user = user_commands.deactivate_user(session, caller, user_id)
    end_sessions(session, user.id, reason="the user was let go")
    return user


def end_family(session: Session, caller: Caller, family_id: str) -> None:
    """End a session whose time is over."""
    family = get(session, Family, family_id, caller)
    if family.can("end") and not family.is_open():
        family.end("its time was over")


def _may_act(session: Session, user: User) -> bool:
    return user.state is UserState.ACTIVE and parties.may_act(session, user.party_id)


def _end_oldest(session: Session, user_id: str) -> None:
    """One user has a bounded number of sessions; the oldest makes room."""
    too_many = sorted(queries.find_open_families(session, user_id))[: -MOST_SESSIONS + 1]
    for family in get_many(session, Family, too_many, SYSTEM):
        if family.can("end"):
            family.end("a newer session took its place")


def _signed_in(session: Session, vault: Vault, family: Family, user: User) -> SignedIn:
    acting = Caller(user.id, user.party_id, frozenset(user.roles), user.kind)
    return SignedIn(user, signing.sign_token(session, vault, acting), family.token(vault))
