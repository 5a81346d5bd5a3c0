"""Making tickets, and taking each once."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import AccessEnded, Caller
from chassis.problems import Refused
from services.identity.attempts.commands import count_attempt
from services.identity.parties import queries as parties
from services.identity.tickets.model import (
    MOST_IN_A_WINDOW,
    VALID,
    StreamTicket,
    StreamTicketInvalid,
    hash_secret,
    make_secret,
)


class MadeTicket(msgspec.Struct, frozen=True):
    """A ticket as its maker gets it, and until when it may be used."""

    ticket: str
    expires_at: datetime


def make_ticket(session: Session, caller: Caller) -> MadeTicket | Refused:
    """A ticket that stands for the caller. Refused with TooManyAttempts when the caller made very many of late."""
    if (too_many := count_attempt(session, "ticket", caller.user_id, limit=MOST_IN_A_WINDOW)) is not None:
        return Refused(too_many)
    secret = make_secret()
    ticket = StreamTicket(
        id=clock.new_id("ticket"),
        secret_hash=hash_secret(secret),
        user_id=caller.user_id,
        party_id=caller.party_id,
        roles=sorted(caller.roles),
        kind=caller.kind,
        due_at=clock.now() + VALID,
    )
    session.add(ticket)
    return MadeTicket(f"{ticket.id}.{secret}", ticket.due_at)


def redeem_ticket(session: Session, caller: Caller, text: str) -> Caller:
    """Whom a ticket stands for; it is used up by that. Raises StreamTicketInvalid or AccessEnded.

    One statement takes the row away, so that of two who come with it at the same time one is refused.
    """
    id, _, secret = text.partition(".")
    taken = delete(StreamTicket).where(
        StreamTicket.id == id, StreamTicket.secret_hash == hash_secret(secret), StreamTicket.due_at > clock.now()
    )
    ticket = session.scalars(taken.returning(StreamTicket)).one_or_none()
    if ticket is None:
        raise StreamTicketInvalid()
    if not parties.may_act(session, ticket.party_id):
        raise AccessEnded("the company is suspended")
    return ticket.caller


def drop_ticket(session: Session, caller: Caller, ticket_id: str) -> None:
    """Throw a ticket away that nobody used in time."""
    session.execute(delete(StreamTicket).where(StreamTicket.id == ticket_id, StreamTicket.due_at <= clock.now()))
