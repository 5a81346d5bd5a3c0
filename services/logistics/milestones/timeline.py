"""Puts the timeline of a delivery together: what EPCIS folds to, what the delivery itself knows, what is planned and estimated.

Computed when somebody looks, from what is captured by then: there is no copy that could be older than the events, be wrong
after a correction, or need filling for what was captured before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from sqlalchemy.orm import Session

from services.logistics.discrepancies.model import State as Standing
from services.logistics.discrepancies.queries import Details as Odd
from services.logistics.epcis import lookups
from services.logistics.manual import capturing
from services.logistics.manual.events import name_gate, name_warehouse
from services.logistics.milestones import plans
from services.logistics.milestones.codes import Classifier, Code
from services.logistics.milestones.containers import name_container
from services.logistics.milestones.eta import Eta, Plan, estimate
from services.logistics.milestones.fold import MOST_LEVELS, Milestone, Scope, Told, fold, parents_in
from services.logistics.pieces import queries as pieces
from services.logistics.shipments import queries as shipments
from services.logistics.shipments.details import Details
from services.logistics.shipments.model import Delivery, State

PREPARING = timedelta(days=30)
"""Goods are picked and packed so long before their truck is loaded."""


class Entry(msgspec.Struct, frozen=True):
    """A milestone that is planned, estimated or actual; ``ref`` tells those of one kind at one place apart."""

    classifier: Classifier
    milestone: Milestone
    ref: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same milestone when more is known of it."""
        one = self.milestone
        return one.code.value, self.classifier.value, one.container or "", self.ref or one.place or ""

    @property
    def digest(self) -> str:
        """All that it says."""
        return sha256(msgspec.json.encode(self.milestone)).hexdigest()


class Timeline(msgspec.Struct, frozen=True):
    """The milestones of a delivery in order of time, and when it will arrive, as long as it has not."""

    delivery: Delivery
    entries: list[Entry]
    eta: Eta | None


def draw_timeline(session: Session, details: Details) -> Timeline:
    """The timeline of a delivery."""
    delivery = details.delivery
    plan = plans.find_plan(session, delivery.id)
    containers = list(plan.containers) if plan else []
    scope, told = _gather(session, details, containers)
    actual = _complete(fold(told, scope), delivery)
    dates = plan.dates if plan and delivery.state != State.CANCELLED else Plan()
    eta = _estimate(session, delivery, dates, actual)
    entries = [Entry(Classifier.ACTUAL, one) for one in actual]
    entries += [_entry_of(one) for one in details.discrepancies if one.discrepancy.state != Standing.WITHDRAWN]
    entries += _planned(dates, plan.planned_by if plan else "")
    if eta is not None:
        entries.append(Entry(Classifier.ESTIMATED, _plain(Code.RECEIVED, eta.at, detail=eta.basis.value)))
    order = {classifier: n for n, classifier in enumerate(Classifier)}
    entries.sort(key=lambda one: (one.milestone.at, order[one.classifier], one.key))
    return Timeline(delivery, entries, eta)


def _gather(session: Session, details: Details, containers: list[str]) -> tuple[Scope, list[Told]]:
    """The events that name a piece, a container, a parent of either, or the delivery's paper, by those who may tell of it."""
    delivery = details.delivery
    since = delivery.started_at - PREPARING
    named = [name_container(number) for number in containers]
    names = _names_of(session, details.piece_ids)
    scope = Scope(delivery.id, names, named, started_at=delivery.started_at, received_at=_arrived_at(delivery))
    parties = {delivery.buyer_id, delivery.seller_id, delivery.warehouse_id, delivery.weigher_id} - {None}
    asked: set[str] = set()
    wanted = {*scope.pieces, *named, scope.paper}
    found: dict[str, Told] = {}
    for _ in range(MOST_LEVELS):
        fresh = wanted - asked
        if not fresh:
            break
        asked |= fresh
        kept = lookups.events_naming(session, fresh, since=since, owners=parties, also_given={scope.paper, *named})
        found |= {one.id: Told(one.event_time, one.event_id, one.owner_id, one.event) for one in kept}
        wanted |= {parent for one in kept for parent in parents_in(one.event, asked)}
    return scope, list(found.values())


def _names_of(session: Session, piece_ids: list[str]) -> dict[str, str]:
    """Every name that the pieces go by: their ids, the tags that they wear, and those that they were captured under."""
    names = lookups.names_of_pieces(session, piece_ids)
    for piece_id, tag in pieces.tags_of_pieces(session, piece_ids).items():
        names[capturing.name_piece(piece_id, tag)] = piece_id
        names[capturing.name_piece(piece_id, None)] = piece_id
    return names


def _arrived_at(delivery: Delivery) -> datetime | None:
    """When it was received; None too where only the time for its tickets was over, which says nothing of the truck."""
    if delivery.received_at is None or delivery.departed_at is None:
        return None
    return delivery.received_at if delivery.received_at < delivery.departed_at + delivery.receive_within else None


def _complete(folded: list[Milestone], delivery: Delivery) -> list[Milestone]:
    """What the delivery itself knows stands where no event says so: loaded, left, received."""
    told = {one.code for one in folded}
    gate = name_gate(delivery.gate_id)
    known = (
        (Code.LOADED, delivery.started_at, name_warehouse(delivery.warehouse_id), delivery.warehouse_id),
        (Code.GATE_OUT, delivery.departed_at, gate, delivery.warehouse_id),
        (Code.RECEIVED, _arrived_at(delivery), None, delivery.buyer_id),
    )
    missing = [
        _plain(code, at, place=place, told_by=(party,)) for code, at, place, party in known if at and code not in told
    ]
    return sorted([*folded, *missing], key=lambda one: (one.at, one.event_ids))


def _estimate(session: Session, delivery: Delivery, plan: Plan, actual: list[Milestone]) -> Eta | None:
    """Nothing is estimated of what has arrived, or will not; strangers' word of the departure moves nothing."""
    parties = {delivery.buyer_id, delivery.seller_id, delivery.warehouse_id}
    if delivery.state not in (State.LOADING, State.DEPARTED) or any(one.code == Code.RECEIVED for one in actual):
        return None
    left = [one.at for one in actual if one.code == Code.GATE_OUT and parties & set(one.told_by)]
    trips = shipments.trips_of_lane(session, delivery)
    return estimate(plan, min(left, default=delivery.departed_at), trips)


def _planned(plan: Plan, planned_by: str) -> list[Entry]:
    dates = ((Code.GATE_OUT, plan.departs_at), (Code.RECEIVED, plan.arrives_at))
    return [Entry(Classifier.PLANNED, _plain(code, at, told_by=(planned_by,))) for code, at in dates if at is not None]


def _entry_of(odd: Odd) -> Entry:
    one = odd.discrepancy
    piece_ids = (one.piece_id,) if odd.is_own and one.piece_id else ()
    place = name_gate(one.gate_id) if one.gate_id else None
    told_by = (one.warehouse_id,) if one.warehouse_id else ()
    milestone = _plain(Code.DISCREPANCY, one.at, place=place, told_by=told_by, detail=one.kind, piece_ids=piece_ids)
    return Entry(Classifier.ACTUAL, milestone, one.id)


def _plain(
    code: Code,
    at: datetime,
    *,
    place: str | None = None,
    told_by: tuple[str, ...] = (),
    detail: str | None = None,
    piece_ids: tuple[str, ...] = (),
) -> Milestone:
    return Milestone(code, at, at, place, None, None, piece_ids, (), told_by, detail)
