"""Signing in over HTTP. Login, refresh and logout bring an identity of their own and take no Idempotency-Key."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Body, View, command
from chassis.problems import Refused
from services.identity.sessions import commands
from services.identity.sessions.model import RefreshText
from services.identity.users.model import EmailText
from services.identity.web import address_of_caller, vault_of_app

routes = Blueprint("sessions", __name__)

GivenPassword = Annotated[str, Meta(max_length=200, pattern=r"^[^\u0000]*(?![\s\S])")]


class SignIn(Body):
    """Who signs in."""

    email: EmailText
    password: GivenPassword


class RefreshToken(Body):
    """The refresh token of a session."""

    refresh_token: RefreshText


class TokensView(View):
    """An access token for ten minutes, and the refresh token that gets the next one."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user_id: str
    party_id: str
    roles: list[str]

    @classmethod
    def of(cls, signed_in: commands.SignedIn) -> TokensView:
        return cls(
            access_token=signed_in.access_token,
            refresh_token=signed_in.refresh_token,
            expires_in=signed_in.expires_in_s,
            user_id=signed_in.user.id,
            party_id=signed_in.user.party_id,
            roles=signed_in.user.roles,
        )


def _show(outcome: commands.SignedIn | Refused) -> TokensView | Refused:
    return outcome if isinstance(outcome, Refused) else TokensView.of(outcome)


@routes.post("/v1/sessions")
@command(public=True, idempotent=False)
def sign_in(session: Session, caller: Caller, body: SignIn) -> TokensView | Refused:
    """Sign in with email address and password; at most ten tries in ten minutes."""
    address = address_of_caller()
    vault = vault_of_app()
    return _show(commands.sign_in(session, caller, vault, email=body.email, password=body.password, address=address))


@routes.post("/v1/sessions/refresh")
@command(public=True, idempotent=False)
def refresh(session: Session, caller: Caller, body: RefreshToken) -> TokensView | Refused:
    """Get the next tokens; a refresh token works once, and one that comes twice ends the session."""
    return _show(commands.refresh(session, caller, vault_of_app(), body.refresh_token))


@routes.post("/v1/sessions/logout")
@command(public=True, idempotent=False)
def sign_out(session: Session, caller: Caller, body: RefreshToken) -> None:
    """End the session; its access token works until its ten minutes are over."""
    commands.sign_out(session, caller, vault_of_app(), body.refresh_token)
