"""Records over HTTP."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Instant, Params, Streamed, query
from chassis.uploads.writers import MEDIA_TYPES
from services.logistics.records import queries
from services.logistics.trace.naming import ThingName

routes = Blueprint("records", __name__)
_GIVES = (MEDIA_TYPES["xlsx"], MEDIA_TYPES["csv"])


class AskRecords(Params):
    """Of which lot, thing, product or paper (without ``id``: of all), from when until before when; without a beginning the last two
    years of food, six of the DSCSA and five of packages in the EU. ``format`` is xlsx or csv.
    """

    id: ThingName | None = None
    since: Instant | None = None
    until: Instant | None = None
    format: Literal["xlsx", "csv"] = "csv"


@routes.get("/v1/trace-records/fsma-204")
@query(gives=_GIVES)
def export_fsma(session: Session, caller: Caller, params: AskRecords) -> Streamed:
    """The key data elements of the critical tracking events of 21 CFR 1.1325-1.1350 as a sortable table; what is missing is
    said in each row.
    """
    return queries.export_fsma(session, caller, params.id, since=params.since, until=params.until, format=params.format)


@routes.get("/v1/trace-records/dscsa")
@query(gives=_GIVES)
def export_dscsa(session: Session, caller: Caller, params: AskRecords) -> Streamed:
    """Transaction information, history and statement of serialised medicines as a sortable table (21 USC 360eee)."""
    return queries.export_dscsa(
        session, caller, params.id, since=params.since, until=params.until, format=params.format
    )


@routes.get("/v1/trace-records/fmd")
@query(gives=_GIVES)
def export_fmd(session: Session, caller: Caller, params: AskRecords) -> Streamed:
    """Which packages of medicine are decommissioned, with alerts where one was so twice or was undone against the rules
    (Delegated Regulation (EU) 2016/161).
    """
    return queries.export_fmd(session, caller, params.id, since=params.since, until=params.until, format=params.format)
