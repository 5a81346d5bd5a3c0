"""Signing keys over HTTP: the public halves as a JWK Set for everybody, rotation for the operator."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import View, command, query
from services.identity.signing import commands, queries
from services.identity.signing.model import SigningKey
from services.identity.web import vault_of_app

routes = Blueprint("keys", __name__)


class JwkView(View):
    """A public key as RFC 8037 writes it."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    use: Literal["sig"] = "sig"
    alg: Literal["EdDSA"] = "EdDSA"
    kid: str
    x: str

    @classmethod
    def of(cls, key: SigningKey) -> JwkView:
        return cls(kid=key.id, x=key.public_key)


class JwkSetView(View):
    """The keys whose tokens are taken (RFC 7517)."""

    keys: list[JwkView]


@routes.get("/v1/keys")
@query(public=True)
def list_keys(session: Session, caller: Caller) -> JwkSetView:
    """The public keys that access tokens are checked with."""
    return JwkSetView(keys=[JwkView.of(key) for key in queries.list_keys(session, caller)])


@routes.post("/v1/keys")
@command(role="operator", status=201)
def rotate_keys(session: Session, caller: Caller) -> JwkView:
    """Announce a new key: it signs after a minute, and those before it are retired when their tokens have ended."""
    return JwkView.of(commands.rotate_keys(session, caller, vault_of_app()))


@routes.post("/v1/keys/<kid>/retire")
@command(role="operator")
def retire_key(session: Session, caller: Caller, kid: str) -> JwkView:
    """Take no token of a key any more, at once: for a key that got into wrong hands."""
    return JwkView.of(commands.retire_key(session, caller, kid))
