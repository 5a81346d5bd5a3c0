"""Users over HTTP: an administrator invites people, gives them roles, and lets them go; everybody asks who they are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, ShortText
from services.identity.passwords import commands as passwords
from services.identity.sessions import commands as sessions
from services.identity.users import commands, queries
from services.identity.users.model import EmailText, State, User
from services.identity.web import vault_of_app

routes = Blueprint("users", __name__)

Roles = Annotated[list[Identifier], Meta(min_length=1, max_length=20)]


class InviteUser(Body):
    """Somebody to invite; ``party_id`` is for operators, who may invite into any company."""

    email: EmailText
    name: ShortText
    roles: Roles
    party_id: Identifier | None = None


class GiveRoles(Body):
    """The roles that a user has from now on."""

    roles: Roles


class UserView(View):
    """A user."""

    id: str
    party_id: str
    email: str
    name: str
    roles: list[str]
    state: State
    invited_at: datetime

    @classmethod
    def of(cls, user: User) -> UserView:
        return cls(**_fields(user))


class InvitedView(UserView):
    """A user just invited; the one-time token is shown this once."""

    invitation: str

    @classmethod
    def of_invited(cls, invited: passwords.Invited) -> InvitedView:
        return cls(**_fields(invited.user), invitation=invited.token)


class ResetView(View):
    """The one-time token by which a user chooses a new password; it is shown this once."""

    user_id: str
    token: str


class MeView(View):
    """Who the token says is asking."""

    user_id: str
    party_id: str
    kind: Literal["user", "machine", "operator", "system", "public"]
    roles: list[str]
    device: str | None


def _fields(user: User) -> dict[str, object]:
    return {name: getattr(user, name) for name in UserView.__struct_fields__}


@routes.post("/v1/users")
@command(role=("admin", "operator"), status=201, keeps_secret=True)
def invite_user(session: Session, caller: Caller, body: InviteUser) -> InvitedView:
    """Invite somebody into one's own company; an operator invites operators, or into the company of ``party_id``."""
    invited = passwords.invite_user(
        session,
        caller,
        vault_of_app(),
        party_id=body.party_id or caller.party_id,
        email=body.email,
        name=body.name,
        roles=body.roles,
    )
    return InvitedView.of_invited(invited)


@routes.post("/v1/users/<user_id>/roles")
@command(role=("admin", "operator"))
def give_roles(session: Session, caller: Caller, user_id: str, body: GiveRoles) -> UserView:
    """Replace the roles of a user; new tokens carry them."""
    return UserView.of(commands.give_roles(session, caller, user_id, body.roles))


@routes.post("/v1/users/<user_id>/deactivate")
@command(role=("admin", "operator"))
def deactivate_user(session: Session, caller: Caller, user_id: str) -> UserView:
    """Let a user go: tokens are refused and sessions ended at once."""
    return UserView.of(sessions.let_user_go(session, caller, user_id))


@routes.post("/v1/users/<user_id>/reset")
@command(role=("admin", "operator"), keeps_secret=True)
def reset_user(session: Session, caller: Caller, user_id: str) -> ResetView:
    """Make a one-time token by which a user chooses a new password."""
    invited = passwords.reset_user(session, caller, vault_of_app(), user_id)
    return ResetView(user_id=invited.user.id, token=invited.token)


@routes.get("/v1/users")
@query()
def list_users(session: Session, caller: Caller, params: Paging) -> Page[UserView]:
    """The users of one's own company, newest first; an operator sees all."""
    return queries.list_users(session, caller, params.cursor, params.limit).map(UserView.of)


@routes.get("/v1/users/<user_id>")
@query()
def show_user(session: Session, caller: Caller, user_id: str) -> UserView:
    """One user."""
    return UserView.of(queries.see_user(session, caller, user_id))


@routes.get("/v1/me")
@query()
def show_me(caller: Caller) -> MeView:
    """Who the token says is asking, and what they may do."""
    return MeView(
        user_id=caller.user_id,
        party_id=caller.party_id,
        kind=caller.kind,
        roles=sorted(caller.roles),
        device=caller.device,
    )
