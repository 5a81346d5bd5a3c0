"""The trail of a piece, folded from its deliveries: pure, so the order in which things were heard plays no part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

import msgspec


class Leg(Protocol):
    """What a trail needs of a delivery."""

    id: str
    place: str
    state: str
    started_at: datetime
    departed_at: datetime | None
    received_at: datetime | None


class Step(msgspec.Struct, frozen=True):
    """Something that happened to a piece: loading, departed or received, and with which delivery."""

    at: datetime
    what: str
    delivery_id: str
    place: str | None


class Whereabouts(msgspec.Struct, frozen=True):
    """Where a piece is: in_warehouse, loading, in_transit or received, since when, and with which delivery."""

    state: str
    place: str | None = None
    since: datetime | None = None
    delivery_id: str | None = None


_STATES = {"loading": "loading", "departed": "in_transit", "received": "received"}


def fold_steps(legs: Iterable[Leg]) -> list[Step]:
    """The steps of a piece's deliveries in order of time; one that was cancelled leaves none."""
    in_order = sorted((leg for leg in legs if leg.state != "cancelled"), key=lambda leg: (leg.started_at, leg.id))
    return sorted((step for leg in in_order for step in _steps(leg)), key=lambda step: step.at)


def find_whereabouts(legs: Iterable[Leg]) -> Whereabouts:
    """Where the last step has left the piece; without any it lies where the catalog says, in its warehouse."""
    steps = fold_steps(legs)
    if not steps:
        return Whereabouts("in_warehouse")
    last = steps[-1]
    return Whereabouts(_STATES[last.what], last.place, last.at, last.delivery_id)


def _steps(leg: Leg) -> Iterator[Step]:
    yield Step(leg.started_at, "loading", leg.id, leg.place)
    if leg.departed_at is not None:
        yield Step(leg.departed_at, "departed", leg.id, None)
    if leg.received_at is not None:
        yield Step(leg.received_at, "received", leg.id, None)
