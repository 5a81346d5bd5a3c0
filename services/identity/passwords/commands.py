"""Invitations, resets, and the password that comes of them; a new ticket voids those before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import PLATFORM, Caller
from chassis.database import get, get_many
from chassis.errands import owe
from chassis.problems import Conflict, Forbidden
from services.identity.attempts import commands as attempts
from services.identity.parties import queries as parties
from services.identity.passwords import queries
from services.identity.passwords.model import INVITATION_VALID, RESET_VALID, State, Ticket, read_token
from services.identity.sessions import commands as sessions
from services.identity.users import commands as users
from services.identity.users import queries as user_queries
from services.identity.users.model import State as UserState
from services.identity.users.model import User
from services.identity.vault import Vault

MAIL = "reset_mail"
SYSTEM = Caller.system("identity")
MAILS_IN_WINDOW = 3
MAILS_FOR_ADDRESS_IN_WINDOW = 30


class UserGone(Conflict):
    """The user was let go."""


class OtherParty(Forbidden):
    """An administrator acts for one company only."""


class Invited(msgspec.Struct, frozen=True):
    """A user, and the one-time token by which they choose a password."""

    user: User
    token: str


def invite_user(
    session: Session, caller: Caller, vault: Vault, *, party_id: str, email: str, name: str, roles: Sequence[str]
) -> Invited:
    """Add a user and the token by which they choose their password; only an operator does so for another party.

    Raises NotFound, OtherParty, RolesInvalid or EmailTaken.
    """
    if party_id != PLATFORM:
        parties.see_party(session, caller, party_id)
    if party_id != caller.party_id and not caller.is_operator:
        raise OtherParty("invite into your own company")
    user = users.add_user(session, caller, party_id=party_id, email=email, name=name, roles=roles)
    return Invited(user, _issue_ticket(session, user.id, INVITATION_VALID).token(vault))


def reset_user(session: Session, caller: Caller, vault: Vault, user_id: str) -> Invited:
    """A fresh token for a user; the old password works until it is used. Raises UserGone."""
    user = user_queries.see_user(session, caller, user_id)
    if user.state is UserState.DEACTIVATED:
        raise UserGone(f"{user.name} cannot sign in any more")
    valid = INVITATION_VALID if user.state is UserState.INVITED else RESET_VALID
    return Invited(user, _issue_ticket(session, user.id, valid).token(vault))


def forget_password(session: Session, caller: Caller, email: str, *, address: str | None = None) -> None:
    """Owe a mail with a token to whoever signs in with an address; nobody is told whether there is such a user.

    ``address`` is where the request came from, where that is known: too many from one place are passed over.
    """
    if address and attempts.count_attempt(session, "forgotten from", address, limit=MAILS_FOR_ADDRESS_IN_WINDOW):
        return
    user = user_queries.find_by_email(session, email)
    if user is None or attempts.count_attempt(session, "forgotten", email, limit=MAILS_IN_WINDOW):
        return
    ticket = _issue_ticket(session, user.id, RESET_VALID)
    owe(session, MAIL, user.id, {"email": user.email, "name": user.name, "ticket_id": ticket.id})


def choose_password(session: Session, caller: Caller, vault: Vault, token: str, password: str) -> User:
    """Use a ticket up: the user has a new password and every session of before is ended. Raises TicketInvalid."""
    ticket = get(session, Ticket, read_token(vault, token), SYSTEM)
    ticket.use()
    user = users.choose_password(session, SYSTEM, ticket.user_id, password)
    sessions.end_sessions(session, user.id, reason="a new password was chosen")
    return user


def void_ticket(session: Session, caller: Caller, ticket_id: str) -> None:
    """Make a ticket void whose time is over."""
    ticket = get(session, Ticket, ticket_id, caller)
    if ticket.can("cancel") and ticket.due_at is not None and ticket.due_at <= clock.now():
        ticket.cancel()


def _issue_ticket(session: Session, user_id: str, valid: timedelta) -> Ticket:
    for ticket in get_many(session, Ticket, queries.find_open_tickets(session, user_id), SYSTEM):
        ticket.cancel()
    ticket = Ticket(id=clock.new_id("ticket"), user_id=user_id, state=State.OPEN, due_at=clock.now() + valid)
    session.add(ticket)
    return ticket
