"""Who is asking: callers and their roles, and the tokens that say so.

Tokens are JWTs that identity signs with Ed25519 for ten minutes. A verifier takes ``kid`` only to choose among the
keys it knows (RFC 8725): headers that point elsewhere (``jku``, ``jwk``, ``x5u``) are never read. What a verified
token says is remembered, but its end and the denials are looked at on each request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

import jwt
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chassis import clock
from chassis.problems import Unauthorized

ALGORITHM = "EdDSA"
ISSUER = "haihe"
AUDIENCE = "haihe"
TOKEN_TYPE = "at+jwt"
LIFETIME_S = 600
LEEWAY_S = 10
REFRESH_S = 1.0
REMEMBERED_TOKENS = 4_096
MAX_TOKEN_BYTES = 4_096
PLATFORM = "platform"
PARTY_ROLES = ("purchaser", "seller", "signatory", "finance", "warehouse", "admin", "reader")
PLATFORM_ROLES = ("operator", "bank_feed")
log = structlog.get_logger(__name__)

Kind = Literal["user", "machine", "operator", "system", "public"]


class Caller(msgspec.Struct, frozen=True):
    """Who is asking: a user or machine of a party, an operator of the platform, a service itself, or nobody known."""

    user_id: str
    party_id: str
    roles: frozenset[str] = frozenset()
    kind: Kind = "user"
    device: str | None = None

    @classmethod
    def system(cls, service: str) -> Caller:
        """A service that acts on news, on time passing, or on the outcome of an errand."""
        return cls(f"system:{service}", PLATFORM, kind="system")

    @property
    def is_system(self) -> bool:
        """Whether this is a service itself."""
        return self.kind == "system"

    @property
    def is_operator(self) -> bool:
        """Whether this is a person who runs the platform."""
        return self.kind == "operator"

    def has(self, role: str) -> bool:
        """Whether the caller was given a role."""
        return role in self.roles


PUBLIC = Caller("public", "public", kind="public")


class NotSignedIn(Unauthorized):
    """A valid access token is needed."""


class TokenExpired(Unauthorized):
    """The access token is past its end."""


class AccessEnded(Unauthorized):
    """The user, the key or the company behind this token may no longer act."""


def sign_token(private_key: Ed25519PrivateKey, kid: str, caller: Caller, *, issuer: str = ISSUER) -> str:
    """An access token of ten minutes for a caller."""
    issued_at = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": caller.user_id,
        "party": caller.party_id,
        "roles": sorted(caller.roles),
        "kind": caller.kind,
        "iat": issued_at,
        "exp": issued_at + LIFETIME_S,
    }
    if caller.device:
        claims["device"] = caller.device
    return jwt.encode(claims, private_key, ALGORITHM, headers={"kid": kid, "typ": TOKEN_TYPE})


class _Claims(msgspec.Struct, frozen=True):
    sub: str
    party: str
    roles: frozenset[str]
    kind: Literal["user", "machine", "operator"]
    iat: int
    exp: int
    device: str | None = None


# The end and the beginning are checked against our own clock, on each request.
_CHECKS = {
    "require": ["exp", "iat", "iss", "aud", "sub"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class Access(msgspec.Struct, frozen=True):
    """What a service has heard of tokens: raw Ed25519 keys by ``kid`` (None: retired), and the ids that are refused."""

    keys: Mapping[str, bytes | None]
    denied: frozenset[str]


class Verifier:
    """Turns an Authorization header into a Caller; one in each process and service, shared by its threads.

    ``first_keys`` are public keys by ``kid`` that it was started with, so that it works before anything was heard;
    ``load`` reads what was heard since, at most once a second, and its word wins.
    """

    def __init__(self, first_keys: Mapping[str, bytes], load: Callable[[], Access], *, issuer: str = ISSUER) -> None:
        self._issuer = issuer
        self._first_keys = dict(first_keys)
        self._load = load
        self._access = Access({}, frozenset())
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._refreshed_at = float("-inf")
        self._refreshing = threading.Lock()
        self._check = lru_cache(REMEMBERED_TOKENS)(self._check_signature)
        self._use(self._access)

    def caller(self, authorization: str | None) -> Caller:
        """The caller of a bearer token. Raises NotSignedIn, TokenExpired or AccessEnded."""
        if not authorization or authorization[:7].lower() != "bearer " or len(authorization) > MAX_TOKEN_BYTES:
            raise NotSignedIn("an Authorization header with a bearer token is needed")
        self.refresh()
        try:
            caller, begins_at, ends_at = self._check(authorization[7:])
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError):
            raise NotSignedIn("the token is not one of ours") from None
        now = clock.now().timestamp()
        if now >= ends_at:
            raise TokenExpired("get a new one with the refresh token or the API key")
        if now < begins_at - LEEWAY_S:
            raise NotSignedIn("the token is not valid yet")
        self.check_access(caller)
        return caller

    def check_access(self, caller: Caller) -> None:
        """Raises AccessEnded when the user, the key or the company has been shut out, by what was heard at the last ``refresh``."""
        denied = self._access.denied
        if denied and (caller.user_id in denied or caller.party_id in denied):
            raise AccessEnded("ask the administrator of your company or the platform")

    def refresh(self) -> None:
        """Read what was heard when the last look is more than a second ago; one thread does it, the others go on."""
        if time.monotonic() - self._refreshed_at < REFRESH_S or not self._refreshing.acquire(blocking=False):
            return
        try:
            access = self._load()
            if access != self._access:
                self._use(access)
        except Exception:
            log.exception("access_not_refreshed")
        finally:
            self._refreshed_at = time.monotonic()
            self._refreshing.release()

    def forget(self) -> None:
        """Look again at the next request."""
        self._refreshed_at = float("-inf")

    def _use(self, access: Access) -> None:
        keys = {**self._first_keys, **access.keys}
        changed = access.keys != self._access.keys or not self._keys
        self._keys = {kid: Ed25519PublicKey.from_public_bytes(raw) for kid, raw in keys.items() if raw is not None}
        self._access = access
        if changed:
            self._check.cache_clear()

    def _check_signature(self, token: str) -> tuple[Caller, int, int]:
        header = jwt.get_unverified_header(token)
        key = self._keys.get(header.get("kid", ""))
        if key is None or header.get("typ") != TOKEN_TYPE:
            raise jwt.InvalidTokenError("unknown kid or type")
        claims = jwt.decode(token, key, [ALGORITHM], options=_CHECKS, audience=AUDIENCE, issuer=self._issuer)
        said = msgspec.convert(claims, _Claims)
        return Caller(said.sub, said.party, said.roles, said.kind, said.device), said.iat, said.exp
