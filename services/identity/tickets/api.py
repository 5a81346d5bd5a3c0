"""Tickets over HTTP: whoever is signed in makes one, whoever serves the stream takes it."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import PARTY_ROLES, Caller
from chassis.http import Body, View, command
from chassis.problems import Refused
from services.identity.tickets import commands
from services.identity.tickets.model import TicketText

routes = Blueprint("tickets", __name__)


class RedeemTicket(Body):
    """A ticket that somebody came with."""

    ticket: TicketText


class TicketView(View):
    """A ticket, shown this once; ``?ticket=`` in the address of a stream takes it."""

    ticket: str
    expires_at: datetime


class BearerView(View):
    """Whom a ticket stood for."""

    user_id: str
    party_id: str
    roles: list[str]
    kind: str

    @classmethod
    def of(cls, caller: Caller) -> BearerView:
        return cls(user_id=caller.user_id, party_id=caller.party_id, roles=sorted(caller.roles), kind=caller.kind)


def _show(outcome: commands.MadeTicket | Refused) -> TicketView | Refused:
    if isinstance(outcome, Refused):
        return outcome
    return TicketView(ticket=outcome.ticket, expires_at=outcome.expires_at)


@routes.post("/v1/tickets")
@command(role=(*PARTY_ROLES, "operator"), idempotent=False, keeps_secret=True, status=201)
def make_ticket(session: Session, caller: Caller) -> TicketView | Refused:
    """Make a ticket that opens one stream in one's own name, within a minute."""
    return _show(commands.make_ticket(session, caller))


@routes.post("/v1/tickets/redeem")
@command(public=True, idempotent=False)
def redeem_ticket(session: Session, caller: Caller, body: RedeemTicket) -> BearerView:
    """Take a ticket and learn whom it stands for; it works once. It gives no token."""
    return BearerView.of(commands.redeem_ticket(session, caller, body.ticket))
