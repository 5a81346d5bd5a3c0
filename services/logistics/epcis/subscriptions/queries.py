"""Shows a company its subscriptions."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import NotFound
from services.logistics.epcis.exceptions import NoSuchResourceException
from services.logistics.epcis.query.queries import see_named_query
from services.logistics.epcis.subscriptions.model import EpcisSubscription


def list_subscriptions(
    session: Session, caller: Caller, query_name: str, cursor: str | None, limit: int
) -> Page[EpcisSubscription]:
    """The subscriptions to a query, newest first. Raises NoSuchNameException."""
    query = see_named_query(session, query_name, caller)
    return page(session, EpcisSubscription, caller, cursor, limit, EpcisSubscription.query_id == query.id)


def see_subscription(session: Session, caller: Caller, query_name: str, subscription_id: str) -> EpcisSubscription:
    """One subscription to a query. Raises NoSuchNameException or NoSuchResourceException."""
    query = see_named_query(session, query_name, caller)
    try:
        found = see(session, EpcisSubscription, subscription_id, caller)
    except NotFound:
        found = None
    if found is None or found.query_id != query.id:
        raise NoSuchResourceException(f"{query_name} has no subscription {subscription_id[:100]!r}")
    return found
