"""Plans deliveries, and tells their milestones when what is known of them has changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.messages import emit_many
from events.logistics import EpcisEventCaptured, ShipmentMilestone
from services.logistics.milestones import concerned
from services.logistics.milestones.codes import Classifier
from services.logistics.milestones.containers import read_container
from services.logistics.milestones.model import ArrivesBeforeItLeaves, DeliveryPlan, MilestoneTold, NotYourTruck
from services.logistics.milestones.timeline import Entry, Timeline, draw_timeline
from services.logistics.shipments import details as shipments
from services.logistics.shipments.details import Details
from services.logistics.shipments.model import State

MOST_DELIVERIES = 200

_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('milestones/' || :delivery_id, 0))")


def plan_delivery(
    session: Session,
    caller: Caller,
    delivery_id: str,
    *,
    departs_at: datetime | None,
    arrives_at: datetime | None,
    containers: Collection[str],
) -> Details:
    """Say when a delivery is to leave and to arrive, and in which containers; what was said before is replaced.

    Raises NotFound, NotYourTruck, ArrivesBeforeItLeaves or NotAContainer.
    """
    found = shipments.see_delivery(session, delivery_id, caller)
    delivery = found.delivery
    if caller.party_id not in (delivery.buyer_id, delivery.seller_id, delivery.warehouse_id):
        raise NotYourTruck("you only weigh it")
    if departs_at is not None and arrives_at is not None and arrives_at <= departs_at:
        raise ArrivesBeforeItLeaves("swap them", field="$.arrives_at")
    said = {
        "departs_at": departs_at,
        "arrives_at": arrives_at,
        "containers": sorted({read_container(number) for number in containers}),
        "planned_by": caller.party_id,
        "planned_at": clock.now(),
    }
    planned = insert(DeliveryPlan).values(delivery_id=delivery.id, **said)
    session.execute(planned.on_conflict_do_update(index_elements=["delivery_id"], set_=said))
    tell_milestones(session, caller, [delivery.id])
    return found


def follow_events(session: Session, caller: Caller, events: Sequence[EpcisEventCaptured]) -> None:
    """EPCIS events have come in: tell what they change in the deliveries that they are about."""
    tell_milestones(session, caller, concerned.find_deliveries(session, [event.id for event in events]))


def tell_milestones(session: Session, caller: Caller, delivery_ids: Collection[str]) -> None:
    """Tell each milestone of deliveries that is not as it was last told; one that is no more is told withdrawn, and of a delivery
    that was called off what was planned and estimated.

    One delivery is told by one transaction at a time, in the order of their ids; of more than ``MOST_DELIVERIES``, as a crate that
    goes round for years has carried, the latest.
    """
    for delivery_id in sorted(delivery_ids)[-MOST_DELIVERIES:]:
        session.execute(_HOLD, {"delivery_id": delivery_id})
        _tell(session, draw_timeline(session, shipments.see_delivery(session, delivery_id, caller)))


def _tell(session: Session, timeline: Timeline) -> None:
    told = {_key(row): row for row in _rows(session, timeline.delivery.id)}
    version = max((row.version for row in told.values()), default=0)
    now = {entry.key: entry for entry in timeline.entries}
    if timeline.delivery.state == State.CANCELLED:  # what has happened stands, and nothing more of it will
        told = {key: row for key, row in told.items() if row.classifier != Classifier.ACTUAL}
        now = {}
    changed = [entry for key, entry in now.items() if key not in told or _says_other(told[key], entry)]
    gone = [row for key, row in told.items() if key not in now and not row.is_withdrawn]
    events: list[ShipmentMilestone] = []
    for entry in changed:
        version += 1
        _keep(session, timeline.delivery.id, entry.key, entry.digest, version, withdrawn_since=None)
        events.append(_event(timeline, entry, version))
    for row in gone:
        version += 1
        _keep(session, timeline.delivery.id, _key(row), row.digest, version, withdrawn_since=clock.now())
        events.append(_withdrawn(timeline, row, version))
    emit_many(session, events)


def _rows(session: Session, delivery_id: str) -> list[MilestoneTold]:
    rows = select(MilestoneTold).where(MilestoneTold.delivery_id == delivery_id)
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def _key(row: MilestoneTold) -> tuple[str, str, str, str]:
    return row.code, row.classifier, row.container, row.place


def _says_other(row: MilestoneTold, entry: Entry) -> bool:
    return row.is_withdrawn or row.digest != entry.digest


def _keep(
    session: Session,
    delivery_id: str,
    key: tuple[str, str, str, str],
    digest: str,
    version: int,
    *,
    withdrawn_since: datetime | None,
) -> None:
    code, classifier, container, place = key
    name = {"delivery_id": delivery_id, "code": code, "classifier": classifier, "container": container, "place": place}
    said = {"digest": digest, "version": version, "is_withdrawn": withdrawn_since is not None}
    kept = insert(MilestoneTold).values(**name, **said)
    session.execute(kept.on_conflict_do_update(index_elements=list(name), set_=said))


def _event(timeline: Timeline, entry: Entry, version: int) -> ShipmentMilestone:
    one, delivery = entry.milestone, timeline.delivery
    return ShipmentMilestone(
        delivery_id=delivery.id,
        deal_id=delivery.deal_id,
        version=version,
        party_ids=_parties(timeline),
        code=one.code.value,
        classifier=entry.classifier.value,
        at=one.at,
        until=one.until,
        place=one.place,
        container=one.container,
        dcsa_code=one.dcsa_code,
        piece_ids=list(one.piece_ids),
        event_ids=list(one.event_ids),
        detail=one.detail,
    )


def _withdrawn(timeline: Timeline, row: MilestoneTold, version: int) -> ShipmentMilestone:
    return ShipmentMilestone(
        delivery_id=timeline.delivery.id,
        deal_id=timeline.delivery.deal_id,
        version=version,
        party_ids=_parties(timeline),
        code=row.code,
        classifier=row.classifier,  # type: ignore[arg-type]
        at=clock.now(),
        until=clock.now(),
        place=row.place or None,
        container=row.container or None,
        is_withdrawn=True,
    )


def _parties(timeline: Timeline) -> list[str]:
    delivery = timeline.delivery
    parties = {delivery.buyer_id, delivery.seller_id, delivery.warehouse_id, delivery.weigher_id}
    return sorted(parties - {None})
