"""Identity knows *who*: companies and what identifies them, their users and machines, and the keys that tokens are
signed with.

It tells others of companies, of users and machines (both as users), and of signing keys. It hears, besides itself, what
saved searches found, as it alone knows where to mail that to.

Locks are taken in this order: party, licence, ticket, user, API key, session, signing key, alert, stream ticket.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import Describer, Errand, Invariant, Service, join_handlers
from chassis.settings import Settings
from services.identity import (  # noqa: F401
    alerts,
    api_keys,
    attempts,
    licences,
    parties,
    passwords,
    sessions,
    signing,
    tickets,
    users,
)
from services.identity.alerts import consumers as alert_consumers
from services.identity.alerts.commands import MAIL as ALERT_MAIL
from services.identity.alerts.commands import send_due
from services.identity.alerts.mail import record_alert_mail, send_alert_mail
from services.identity.alerts.model import Alert
from services.identity.api_keys import api as api_key_routes
from services.identity.api_keys.commands import describe_key
from services.identity.api_keys.model import ApiKey
from services.identity.attempts.commands import end_window
from services.identity.attempts.model import Attempt
from services.identity.base import Base
from services.identity.licences import api as licence_routes
from services.identity.licences.commands import pass_time
from services.identity.licences.model import Licence
from services.identity.notices import consumers as notice_consumers
from services.identity.notices.commands import NOTICE_MAIL
from services.identity.notices.mail import record_notice_mail, send_notice_mail
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
from services.identity.tickets import api as ticket_routes
from services.identity.tickets.commands import drop_ticket
from services.identity.tickets.model import StreamTicket
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
        name="licences_wait",
        sentence="A licence waits for its beginning or its end exactly while it is submitted or approved.",
        query="SELECT id FROM licence WHERE due_at IS DISTINCT FROM CASE WHEN state = 'submitted' THEN valid_until "
        "WHEN state = 'approved' THEN CASE due_at WHEN valid_from THEN valid_from ELSE valid_until END END",
    ),
    Invariant(
        name="licences_have_a_record",
        sentence="The last entry in the record of a licence says the state that it is in.",
        query="SELECT l.id FROM licence l LEFT JOIN LATERAL (SELECT s.what FROM licence_step s "
        "WHERE s.licence_id = l.id AND s.what <> 'began' ORDER BY s.at DESC, s.id DESC LIMIT 1) s ON true "
        "WHERE s.what IS DISTINCT FROM l.state",
    ),
    Invariant(
        name="alerts_have_lines",
        sentence="An alert says what was found, and leaves nothing out before it is full.",
        query="SELECT id FROM alert WHERE jsonb_array_length(lines) NOT BETWEEN CASE WHEN more > 0 THEN 50 ELSE 1 END AND 50",
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
    nouns=("sessions", "passwords", "parties", "licences", "users", "api-keys", "tokens", "tickets", "keys", "me"),
    blueprints=(
        party_routes.routes,
        licence_routes.routes,
        user_routes.routes,
        password_routes.routes,
        session_routes.routes,
        api_key_routes.routes,
        signing_routes.routes,
        ticket_routes.routes,
    ),
    handlers=join_handlers(alert_consumers.HANDLERS, notice_consumers.HANDLERS),
    timers={
        Alert: send_due,
        Licence: pass_time,
        Ticket: void_ticket,
        Family: end_family,
        SigningKey: retire_due_key,
        Attempt: end_window,
        StreamTicket: drop_ticket,
    },
    errands={
        ALERT_MAIL: Errand(call=send_alert_mail, record=record_alert_mail),
        MAIL: Errand(call=send_reset_mail, record=record_reset_mail),
        NOTICE_MAIL: Errand(call=send_notice_mail, record=record_notice_mail),
    },
    describers={
        "party": Describer(Party, describe_party),
        "user": Describer(User, describe_user),
        "api-key": Describer(ApiKey, describe_key),
        "key": Describer(SigningKey, announce_key),
    },
    invariants=INVARIANTS,
    setup=set_up,
)
