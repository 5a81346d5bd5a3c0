"""What a service has heard of tokens: keys that check them, and users, machines and parties that may no longer act.

The two tables are projections of identity's events in each service's own database; ``auth.Verifier`` reads them.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.auth import LIFETIME_S, Access, Caller, Verifier
from chassis.database import Chassis, Database, project
from chassis.settings import BadSetting, Settings

# Identity gives no token to whom it has shut out: a denial matters only as long as tokens from before it may live.
DENIALS_MATTER = timedelta(seconds=6 * LIFETIME_S)


class AccessKey(Chassis):
    """A public key of identity's; ``state`` is active or retired, and a retired key checks no token."""

    __tablename__ = "access_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    public_key: Mapped[str]
    state: Mapped[str]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()


class AccessDenial(Chassis):
    """Whether a user, a machine's key or a party is shut out."""

    __tablename__ = "access_denial"

    subject: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    denied: Mapped[bool]
    heard_at: Mapped[datetime] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()


def learn_key(session: Session, kid: str, version: int, *, public_key: str, state: str) -> None:
    """Keep the state of a signing key; ``public_key`` is unpadded base64url. An older version changes nothing."""
    project(session, AccessKey, {"kid": kid}, version, public_key=public_key, state=state)


def learn_denial(session: Session, subject: str, version: int, *, denied: bool) -> None:
    """Keep whether an id is shut out. An older version changes nothing."""
    project(session, AccessDenial, {"subject": subject}, version, denied=denied, heard_at=clock.now())


def read_access(session: Session) -> Access:
    """The keys, and the denials that a living token may still run into."""
    keys = session.execute(select(AccessKey.kid, AccessKey.public_key, AccessKey.state))
    since = clock.now() - DENIALS_MATTER
    denied = session.scalars(select(AccessDenial.subject).where(AccessDenial.denied, AccessDenial.heard_at > since))
    return Access({kid: read_key(key) if state == "active" else None for kid, key, state in keys}, frozenset(denied))


def make_verifier(database: Database, settings: Settings) -> Verifier:
    """The verifier of a service, fed from its own database. Raises BadSetting when there is no key to begin with."""
    raw = read_first_key(settings)
    return Verifier({kid_of(raw): raw}, lambda: database.look(read_access), issuer=settings.token_issuer)


def read_first_key(settings: Settings) -> bytes:
    """The raw public key that a platform starts with, from its PEM. Raises BadSetting."""
    try:
        if settings.verify_key:
            key = serialization.load_pem_public_key(settings.verify_key.encode())
        else:
            key = serialization.load_pem_private_key(settings.signing_key.encode(), password=None).public_key()
    except ValueError as error:
        raise BadSetting(f"HAIHE_VERIFY_KEY or HAIHE_SIGNING_KEY is no PEM of an Ed25519 key: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BadSetting("HAIHE_VERIFY_KEY or HAIHE_SIGNING_KEY is a key of another kind than Ed25519")
    return key.public_bytes_raw()


def kid_of(public_key: bytes) -> str:
    """The name of a key: the beginning of its SHA-256, in base64url."""
    return write_key(hashlib.sha256(public_key).digest()[:12])


def read_key(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def write_key(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
