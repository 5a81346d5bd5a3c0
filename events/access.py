"""How every service takes identity's news in: the keys that check tokens, and who is shut out.

``ACCESS_HANDLERS`` is part of each service's subscription; it feeds the chassis's own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from chassis.access import learn_denial, learn_key
from chassis.auth import Caller
from chassis.envelope import Event
from events.identity import PartyDescribed, SigningKeyAnnounced, UserDescribed

Handler = Callable[[Session, Caller, Any], None]
Handlers = Mapping[type[Event], Handler]


def on_party_described(session: Session, caller: Caller, event: PartyDescribed) -> None:
    """A suspended company's users and machines are refused."""
    learn_denial(session, event.party_id, event.version, denied=event.state != "admitted")


def on_user_described(session: Session, caller: Caller, event: UserDescribed) -> None:
    """A leaver and a revoked key are refused."""
    learn_denial(session, event.user_id, event.version, denied=event.state == "deactivated")


def on_signing_key_announced(session: Session, caller: Caller, event: SigningKeyAnnounced) -> None:
    """Tokens of a new key are taken, those of a retired one no longer."""
    learn_key(session, event.kid, event.version, public_key=event.public_key, state=event.state)


ACCESS_HANDLERS: Handlers = {
    PartyDescribed: on_party_described,
    UserDescribed: on_user_described,
    SigningKeyAnnounced: on_signing_key_announced,
}


def with_access(handlers: Handlers) -> Handlers:
    """A service's handlers and these: where both hear an event, this one is run first."""
    merged = dict(handlers)
    for event, learn in ACCESS_HANDLERS.items():
        merged[event] = _both(learn, handlers[event]) if event in handlers else learn
    return merged


def _both(first: Handler, second: Handler) -> Handler:
    def handle(session: Session, caller: Caller, event: Any) -> None:
        first(session, caller, event)
        second(session, caller, event)

    return handle
