"""The subscription interface of EPCIS 2.0 over HTTP: webhooks for named queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from flask import Blueprint, current_app
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.http import Headers, Params, Reply, View, command, query
from services.logistics.epcis.dialect import EPCIS, JSON, PREFIX, quote_id, read_format, write_view
from services.logistics.epcis.object_event import write_time
from services.logistics.epcis.subscriptions import commands, queries
from services.logistics.epcis.subscriptions.model import EpcisSubscription

routes = Blueprint("epcis_subscriptions", __name__, url_prefix=PREFIX)
routes.dialect = EPCIS  # type: ignore[attr-defined]

SUBSCRIBERS = ("warehouse", "seller", "purchaser", "admin")
TOKEN_LIFE = timedelta(days=1)


class SubscriptionPaging(Params):
    """The page of a list of subscriptions."""

    perPage: Annotated[int, Meta(ge=1, le=100)] = 30  # noqa: N815
    nextPageToken: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{1,200}(?![\s\S])")] | None = None  # noqa: N815


class SubscriptionView(View, rename="camel"):
    """A subscription, as the standard shapes it, and how it stands; the secret is never shown."""

    subscriptionID: str  # noqa: N815
    query_name: str
    dest: str
    created_at: datetime
    initial_record_time: datetime
    min_record_time: datetime
    epc_format: str
    state: str
    report_if_empty: bool
    stream: bool | UnsetType = UNSET
    schedule: dict[str, Any] | UnsetType = UNSET
    last_notified_at: datetime | UnsetType = UNSET
    failing_since: datetime | UnsetType = UNSET
    last_error: str | UnsetType = UNSET

    @classmethod
    def of(cls, one: EpcisSubscription) -> SubscriptionView:
        """The view of a subscription."""
        return cls(
            subscriptionID=one.id,
            query_name=one.query_name,
            dest=one.dest,
            created_at=one.created_at,
            initial_record_time=one.initial_record_time,
            min_record_time=one.min_record_time,
            epc_format=one.epc_format,
            state=str(one.state),
            report_if_empty=one.report_if_empty,
            stream=True if one.schedule is None else UNSET,
            schedule=UNSET if one.schedule is None else one.schedule,
            last_notified_at=one.last_notified_at or UNSET,
            failing_since=one.failing_since or UNSET,
            last_error=one.last_error or UNSET,
        )


@routes.get("/queries/<name>/subscriptions")
@query()
def list_subscriptions(
    session: Session, caller: Caller, headers: Headers, params: SubscriptionPaging, name: str
) -> Reply:
    """The subscriptions of the caller's company to a query, newest first."""
    page = queries.list_subscriptions(session, caller, name, params.nextPageToken, params.perPage)
    extra = []
    if page.next:
        path = f"{PREFIX}/queries/{quote_id(name)}/subscriptions"
        link = f'<{path}?perPage={params.perPage}&nextPageToken={page.next}>; rel="next"'
        extra = [("Link", link), ("GS1-Next-Page-Token-Expires", write_time(clock.now() + TOKEN_LIFE))]
    return write_view(headers, page.map(SubscriptionView.of).items, name="subscriptions", extra=extra)


@routes.post("/queries/<name>/subscriptions")
@command(role=SUBSCRIBERS, idempotent=False, status=201, accept=(JSON,))
def subscribe(session: Session, caller: Caller, headers: Headers, name: str, body: bytes) -> Reply:
    """Have the answers to a named query pushed to an address, as they come or by a schedule."""
    private = current_app.extensions["settings"].webhooks_private
    made = commands.subscribe(session, caller, name, body, epc_format=read_format(headers), private=private)
    place = ("Location", f"{PREFIX}/queries/{quote_id(name)}/subscriptions/{made.id}")
    return write_view(headers, SubscriptionView.of(made), name="subscription", status=201, extra=[place])


@routes.get("/queries/<name>/subscriptions/<subscription_id>")
@query()
def show_subscription(session: Session, caller: Caller, headers: Headers, name: str, subscription_id: str) -> Reply:
    """One subscription, with what became of its last push."""
    found = queries.see_subscription(session, caller, name, subscription_id)
    return write_view(headers, SubscriptionView.of(found), name="subscription")


@routes.delete("/queries/<name>/subscriptions/<subscription_id>")
@command(role=SUBSCRIBERS, idempotent=False)
def unsubscribe(session: Session, caller: Caller, name: str, subscription_id: str) -> None:
    """End a subscription; nothing is pushed any more."""
    commands.unsubscribe(session, caller, name, subscription_id)
