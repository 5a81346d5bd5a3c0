"""Identity knows *who*: companies and what identifies them, their users and machines, and the keys that tokens are
signed with.

It tells others of companies, of users and machines (both as users), and of signing keys. It hears nothing but itself.

Locks are taken in this order: party, ticket, user, API key, session, signing key.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import Describer, Errand, Invariant, Service
from chassis.settings import Settings
from services.identity import api_keys, attempts, parties, passwords, sessions, signing, users  # noqa: F401
from services.identity.api_keys import api as api_key_routes
from services.identity.api_keys.commands import describe_key
from services.identity.api_keys.model import ApiKey
from services.identity.attempts.commands import end_window
from services.identity.attempts.model import Attempt
from services.identity.base import Base
from services.identity.parties import api as party_routes
from services.identity.parties.commands import describe_party
from services.identity.parties.model import Party
from services.identity.passwords import api as password_routes
from services.identity.passwords.commands import MAIL, void_ticket
from services.identity.passwords.mail import record_reset_mail, send_reset_mail
from services.identity.passwords.model import Ticket
from services.identity.sessions import api as session_routes
from services.identity.sessions.commands import end_family
from services.identity.sessions.model import Family
from services.identity.signing import api as signing_routes
from services.identity.signing.commands import announce_key, keep_first_key, retire_due_key
from services.identity.signing.model import SigningKey
from services.identity.users import api as user_routes
from services.identity.users.commands import describe_user
from services.identity.users.model import User
from services.identity.vault import open_vault


def set_up(session: Session, caller: Caller, settings: Settings) -> None:
    """Put the first signing key down."""
    keep_first_key(session, caller, open_vault(settings.signing_key, settings.token_issuer))


INVARIANTS = (
    Invariant(
        name="leavers_are_signed_out",
        sentence="A user who was let go has no open session.",
        query="SELECT f.id FROM refresh_family f JOIN user_account u ON u.id = f.user_id "
        "WHERE f.state = 'open' AND u.state = 'deactivated'",
    ),
    Invariant(
        name="companies_are_identified",
        sentence="Every company has an identifier.",
        query="SELECT p.id FROM party p WHERE NOT EXISTS (SELECT 1 FROM party_identifier i WHERE i.party_id = p.id)",
    ),
    Invariant(
        name="users_belong_to_companies",
        sentence="Every user and every key is of an admitted company or of the platform.",
        query="SELECT a.id FROM (SELECT id, party_id FROM user_account UNION ALL SELECT id, party_id FROM api_key) a "
        "WHERE a.party_id <> 'platform' AND NOT EXISTS (SELECT 1 FROM party p WHERE p.id = a.party_id)",
    ),
    Invariant(
        name="active_users_have_passwords",
        sentence="A user is active once a password was chosen.",
        query="SELECT id FROM user_account WHERE state = 'active' AND password_hash IS NULL",
    ),
)

SERVICE = Service(
    name="identity",
    base=Base,
    nouns=("sessions", "passwords", "parties", "users", "api-keys", "tokens", "keys", "me"),
    blueprints=(
        party_routes.routes,
        user_routes.routes,
        password_routes.routes,
        session_routes.routes,
        api_key_routes.routes,
        signing_routes.routes,
    ),
    timers={Ticket: void_ticket, Family: end_family, SigningKey: retire_due_key, Attempt: end_window},
    errands={MAIL: Errand(call=send_reset_mail, record=record_reset_mail)},
    describers={
        "parties": Describer(Party, describe_party),
        "users": Describer(User, describe_user),
        "api-keys": Describer(ApiKey, describe_key),
        "keys": Describer(SigningKey, announce_key),
    },
    invariants=INVARIANTS,
    setup=set_up,
)
