"""Registers gates."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.warehouses.model import Gate


def register_gate(
    session: Session,
    caller: Caller,
    *,
    name: str,
    place: str,
    closing: timedelta,
    longest: timedelta,
    ghost_reads: int,
    ghost_rssi_dbm: int,
    clock_skew: timedelta,
) -> Gate:
    """A new gate of the caller's company."""
    gate = Gate(
        id=clock.new_id("gate"),
        party_id=caller.party_id,
        name=name,
        place=place,
        closing=closing,
        longest=longest,
        ghost_reads=ghost_reads,
        ghost_rssi_dbm=ghost_rssi_dbm,
        clock_skew=clock_skew,
        created_at=clock.now(),
    )
    session.add(gate)
    return gate
