"""Rotating the keys that sign tokens."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from chassis import clock
from chassis.access import kid_of, learn_key, write_key
from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.messages import emit
from events.identity import SigningKeyAnnounced
from services.identity.signing import queries
from services.identity.signing.model import HEAD_START, LastKey, SigningKey, State
from services.identity.vault import Vault

SYSTEM = Caller.system("identity")


def keep_first_key(session: Session, caller: Caller, vault: Vault) -> None:
    """Put the platform's first key down, unless there is any key already."""
    if not queries.list_keys(session, caller):
        _add(session, vault, vault.first_key, clock.now())


def rotate_keys(session: Session, caller: Caller, vault: Vault) -> SigningKey:
    """Announce a new key, which signs after a head start; those before it are retired when their tokens have ended."""
    signs_from = clock.now() + HEAD_START
    before = [key.id for key in queries.list_keys(session, SYSTEM)]
    for key in get_many(session, SigningKey, before, SYSTEM):
        key.supersede(by=signs_from)
    return _add(session, vault, Ed25519PrivateKey.generate(), signs_from)


def retire_key(session: Session, caller: Caller, kid: str) -> SigningKey:
    """Take no token of a key any more, at once: who holds one must sign in again. Raises LastKey or IllegalMove."""
    key = get(session, SigningKey, kid, SYSTEM)
    signer = queries.find_signer(session)
    if signer is not None and signer.id == key.id:
        others = [other for other in queries.list_keys(session, SYSTEM) if other.id != key.id]
        if not others:
            raise LastKey("rotate first")
        for other in get_many(session, SigningKey, [other.id for other in others], SYSTEM):
            other.signs_from = min(other.signs_from, clock.now())
    _retire(session, key)
    return key


def retire_due_key(session: Session, caller: Caller, kid: str) -> None:
    """Retire a key whose time has come."""
    key = get(session, SigningKey, kid, caller)
    if key.is_over():
        _retire(session, key)


def _retire(session: Session, key: SigningKey) -> None:
    key.retire()
    announce_key(session, key)


def _add(session: Session, vault: Vault, private_key: Ed25519PrivateKey, signs_from: datetime) -> SigningKey:
    raw = private_key.public_key().public_bytes_raw()
    key = SigningKey(
        id=kid_of(raw),
        version=1,
        public_key=write_key(raw),
        sealed=vault.seal(private_key),
        state=State.ACTIVE,
        signs_from=signs_from,
        due_at=None,
    )
    session.add(key)
    announce_key(session, key)
    return key


def announce_key(session: Session, key: SigningKey) -> None:
    """Say how a key stands now; our own verifier knows it at once."""
    announced = SigningKeyAnnounced(kid=key.id, version=key.version, public_key=key.public_key, state=key.state)
    emit(session, announced, of=key)
    learn_key(session, key.id, key.version, public_key=key.public_key, state=key.state)
