"""Which key signs now, and which are taken."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import auth, clock
from chassis.auth import Caller
from chassis.problems import Unavailable
from services.identity.signing.model import SigningKey, State
from services.identity.vault import Vault


class NoSigningKey(Unavailable):
    """No key signs tokens yet: the platform is still being set up."""


def sign_token(session: Session, vault: Vault, caller: Caller) -> str:
    """An access token for a caller, by the newest key that signs. Raises NoSigningKey."""
    key = find_signer(session)
    if key is None:
        raise NoSigningKey()
    return auth.sign_token(vault.open(key.sealed), key.id, caller, issuer=vault.issuer)


def find_signer(session: Session) -> SigningKey | None:
    """The newest active key that may sign now."""
    signs = select(SigningKey).where(SigningKey.state == State.ACTIVE, SigningKey.signs_from <= clock.now())
    return session.scalar(signs.order_by(SigningKey.signs_from.desc(), SigningKey.id).limit(1))


def list_keys(session: Session, caller: Caller) -> list[SigningKey]:
    """The keys whose tokens are taken, oldest first. They are few: each rotation retires those before it."""
    visible = select(SigningKey).where(SigningKey.visible_to(caller)).order_by(SigningKey.signs_from, SigningKey.id)
    return list(session.scalars(visible))
