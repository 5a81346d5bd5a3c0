"""Licences over HTTP: the operator records and decides, a company submits its own with proof."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, View, command, query
from chassis.values import Identifier, LongText, ShortText
from services.identity.licences import commands, queries
from services.identity.licences.model import State
from services.identity.licences.queries import ShownLicence

routes = Blueprint("licences", __name__)

SchemeText = Annotated[str, Meta(max_length=40, pattern=r"^[a-z][a-z0-9_]*(?![\s\S])")]


class RecordLicence(Body):
    """A licence of a company: without ``party_id`` of the caller's own.

    ``scheme`` is what markets ask for it under, ``scope`` the classes or goods that it is for, in the market's own
    codes. ``evidence`` says where it can be checked: the register's address, the number of the paper, its hash.
    """

    scheme: SchemeText
    number: ShortText
    scope: Annotated[list[ShortText], Meta(max_length=500)] = []
    valid_from: Instant
    valid_until: Instant
    evidence: LongText
    party_id: Identifier | None = None


class Decision(Body):
    """Why."""

    reason: ShortText


class ListLicences(Paging):
    """Which licences to show."""

    party_id: Identifier | None = None
    scheme: Identifier | None = None
    state: State | None = None


class StepView(View):
    """An entry of a licence's record: submitted, approved, began, refused, revoked or expired."""

    what: str
    by: str
    at: datetime
    reason: str | None


class LicenceView(View):
    """A licence; ``due_at`` is when it begins or ends by itself."""

    id: str
    party_id: str
    state: State
    due_at: datetime | None
    scheme: str
    number: str
    scope: list[str]
    valid_from: datetime
    valid_until: datetime
    evidence: str
    recorded_at: datetime
    history: list[StepView]

    @classmethod
    def of(cls, shown: ShownLicence) -> LicenceView:
        own = {name: getattr(shown.licence, name) for name in cls.__struct_fields__ if name != "history"}
        steps = [StepView(what=step.what, by=step.by, at=step.at, reason=step.reason) for step in shown.steps]
        return cls(**own, history=steps)


@routes.post("/v1/licences")
@command(role=("operator", "admin"), status=201)
def record_licence(session: Session, caller: Caller, body: RecordLicence) -> LicenceView:
    """Record a licence: the operator's word counts at once, a company's waits for the operator."""
    wanted = commands.LicenceWanted(
        scheme=body.scheme,
        number=body.number,
        scope=body.scope,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        evidence=body.evidence,
    )
    return LicenceView.of(commands.record_licence(session, caller, body.party_id or caller.party_id, wanted))


@routes.post("/v1/licences/<licence_id>/approve")
@command(role="operator")
def approve_licence(session: Session, caller: Caller, licence_id: str) -> LicenceView:
    """Let a licence that a company submitted count."""
    return LicenceView.of(commands.approve_licence(session, caller, licence_id))


@routes.post("/v1/licences/<licence_id>/refuse")
@command(role="operator")
def refuse_licence(session: Session, caller: Caller, licence_id: str, body: Decision) -> LicenceView:
    """Refuse a licence that a company submitted."""
    return LicenceView.of(commands.refuse_licence(session, caller, licence_id, body.reason))


@routes.post("/v1/licences/<licence_id>/revoke")
@command(role="operator")
def revoke_licence(session: Session, caller: Caller, licence_id: str, body: Decision) -> LicenceView:
    """Let an approved licence count no more."""
    return LicenceView.of(commands.revoke_licence(session, caller, licence_id, body.reason))


@routes.get("/v1/licences")
@query()
def list_licences(session: Session, caller: Caller, params: ListLicences) -> Page[LicenceView]:
    """Your company's licences, newest first; the operator sees everybody's."""
    found = queries.list_licences(
        session,
        caller,
        party_id=params.party_id,
        scheme=params.scheme,
        state=params.state,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(LicenceView.of)


@routes.get("/v1/licences/<licence_id>")
@query()
def show_licence(session: Session, caller: Caller, licence_id: str) -> LicenceView:
    """One licence with its record."""
    return LicenceView.of(queries.see_licence(session, caller, licence_id))
