"""Shares of events over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, View, command, query
from chassis.values import Identifier
from services.logistics.epcis.sharing import commands, queries
from services.logistics.epcis.sharing.model import EventShare

routes = Blueprint("event_shares", __name__)

GIVERS = ("admin", "seller", "warehouse")
Epc = Annotated[str, Meta(max_length=500, pattern=r"^[A-Za-z][A-Za-z0-9+.\-]*:[!-~]+(?![\s\S])")]
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class ShareEvents(Body):
    """Whom to show one's events to: those since ``from_time``, and with an ``epc`` (or a lot) along its chain of custody only."""

    party_id: Identifier
    epc: Epc | None = None
    from_time: Instant = BEGINNING


class ShareView(View):
    """A share of events: who gives them to whom, from when on, and along the chain of which thing where it is not all."""

    id: str
    giver_id: str
    party_id: str
    scope: str
    epc: str | None
    from_time: datetime
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, share: EventShare) -> ShareView:
        """The view of a share."""
        return cls(**{name: getattr(share, name) for name in cls.__struct_fields__})


@routes.post("/v1/event-shares")
@command(role=GIVERS, status=201)
def share_events(session: Session, caller: Caller, body: ShareEvents) -> ShareView:
    """Let another company see EPCIS events of one's own."""
    share = commands.share_events(
        session, caller, party_id=body.party_id, epc=body.epc, from_time=body.from_time.astimezone(UTC)
    )
    return ShareView.of(share)


@routes.get("/v1/event-shares")
@query()
def list_shares(session: Session, caller: Caller, params: Paging) -> Page[ShareView]:
    """What the caller's company shares with others and others with it, newest first."""
    return queries.list_shares(session, caller, params.cursor, params.limit).map(ShareView.of)


@routes.get("/v1/event-shares/<share_id>")
@query()
def show_share(session: Session, caller: Caller, share_id: str) -> ShareView:
    """One share."""
    return ShareView.of(queries.show_share(session, caller, share_id))


@routes.post("/v1/event-shares/<share_id>/revoke")
@command(role=GIVERS)
def revoke_share(session: Session, caller: Caller, share_id: str) -> ShareView:
    """End a share at once: what was seen by it alone is not there any more."""
    return ShareView.of(commands.revoke_share(session, caller, share_id))
