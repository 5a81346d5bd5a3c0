"""API keys over HTTP: an administrator makes and revokes them, a machine exchanges its own for a token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import LIFETIME_S, Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, ShortText
from services.identity.api_keys import commands, queries
from services.identity.api_keys.model import ApiKey, ApiKeyText, State
from services.identity.web import vault_of_app

routes = Blueprint("api_keys", __name__)


class MakeKey(Body):
    """A key to make; ``device`` binds its tokens to one gate."""

    name: ShortText
    roles: Annotated[list[Identifier], Meta(min_length=1, max_length=20)]
    device: Identifier | None = None


class ExchangeKey(Body):
    """The secret of a key."""

    api_key: ApiKeyText


class ApiKeyView(View):
    """A key; ``prefix`` is how its secret begins."""

    id: str
    party_id: str
    name: str
    roles: list[str]
    device: str | None
    prefix: str
    state: State
    made_at: datetime

    @classmethod
    def of(cls, key: ApiKey) -> ApiKeyView:
        return cls(**_fields(key))


class MadeKeyView(ApiKeyView):
    """A key just made; its secret is shown this once."""

    api_key: str

    @classmethod
    def of_made(cls, made: commands.MadeKey) -> MadeKeyView:
        return cls(**_fields(made.key), api_key=made.secret)


class TokenView(View):
    """An access token for a machine."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = LIFETIME_S


def _fields(key: ApiKey) -> dict[str, object]:
    return {name: getattr(key, name) for name in ApiKeyView.__struct_fields__}


@routes.post("/v1/api-keys")
@command(role=("admin", "operator"), status=201, keeps_secret=True)
def make_key(session: Session, caller: Caller, body: MakeKey) -> MadeKeyView:
    """Make a key for a machine of one's own party; ``device`` is the gate that it may speak for."""
    made = commands.make_key(session, caller, name=body.name, roles=body.roles, device=body.device)
    return MadeKeyView.of_made(made)


@routes.post("/v1/api-keys/<key_id>/revoke")
@command(role=("admin", "operator"))
def revoke_key(session: Session, caller: Caller, key_id: str) -> ApiKeyView:
    """Revoke a key; its tokens are refused at once."""
    return ApiKeyView.of(commands.revoke_key(session, caller, key_id))


@routes.get("/v1/api-keys")
@query(role="admin")
def list_keys(session: Session, caller: Caller, params: Paging) -> Page[ApiKeyView]:
    """The keys of one's own party, newest first; an operator sees all."""
    return queries.list_keys(session, caller, params.cursor, params.limit).map(ApiKeyView.of)


@routes.get("/v1/api-keys/<key_id>")
@query(role="admin")
def show_key(session: Session, caller: Caller, key_id: str) -> ApiKeyView:
    """One key."""
    return ApiKeyView.of(queries.see_key(session, caller, key_id))


@routes.post("/v1/tokens")
@command(public=True, idempotent=False)
def exchange_key(session: Session, caller: Caller, body: ExchangeKey) -> TokenView:
    """Exchange an API key for an access token of ten minutes."""
    return TokenView(access_token=commands.exchange_key(session, caller, vault_of_app(), body.api_key))
