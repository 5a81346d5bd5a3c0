"""Making and revoking API keys, and exchanging one for an access token."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.access import learn_denial
from chassis.auth import AccessEnded, Caller
from chassis.database import get, see
from chassis.messages import emit
from chassis.problems import NotFound
from events.identity import UserDescribed
from services.identity.api_keys.model import ApiKey, ApiKeyInvalid, State, roles_of_machines
from services.identity.parties import queries as parties
from services.identity.signing import queries as signing
from services.identity.users.model import check_roles
from services.identity.vault import Vault

SYSTEM = Caller.system("identity")


class MadeKey(msgspec.Struct, frozen=True):
    """A key, and the secret that is shown once."""

    key: ApiKey
    secret: str


def make_key(session: Session, caller: Caller, *, name: str, roles: Sequence[str], device: str | None) -> MadeKey:
    """Make a key of the caller's own party. Raises RolesInvalid."""
    key = ApiKey(
        id=clock.new_id("key"),
        version=1,
        party_id=caller.party_id,
        name=name,
        roles=check_roles(roles, allowed=roles_of_machines(caller.party_id)),
        device=device,
        state=State.ACTIVE,
        made_at=clock.now(),
    )
    secret = key.make_secret()
    session.add(key)
    describe_key(session, key)
    return MadeKey(key, secret)


def revoke_key(session: Session, caller: Caller, key_id: str) -> ApiKey:
    """Revoke a key: its tokens are refused too. Raises IllegalMove."""
    key = get(session, ApiKey, key_id, caller)
    key.revoke()
    describe_key(session, key)
    return key


def exchange_key(session: Session, caller: Caller, vault: Vault, api_key: str) -> str:
    """An access token for a machine. Raises ApiKeyInvalid or AccessEnded."""
    key_id, _, secret = api_key.partition(".")
    try:
        key = see(session, ApiKey, key_id, SYSTEM)
    except NotFound:
        raise ApiKeyInvalid() from None
    if not key.is_secret(secret) or key.state is not State.ACTIVE:
        raise ApiKeyInvalid()
    if not parties.may_act(session, key.party_id):
        raise AccessEnded("the company is suspended")
    machine = Caller(key.id, key.party_id, frozenset(key.roles), "machine", key.device)
    return signing.sign_token(session, vault, machine)


def describe_key(session: Session, key: ApiKey) -> None:
    """Say how a key stands now, as of a user, and shut it out here at once when it was revoked."""
    is_revoked = key.state is State.REVOKED
    described = UserDescribed(
        user_id=key.id,
        version=key.version,
        party_id=key.party_id,
        name=key.name,
        roles=list(key.roles),
        state="deactivated" if is_revoked else "active",
    )
    emit(session, described, of=key)
    learn_denial(session, key.id, key.version, denied=is_revoked)
