"""Shows a company its gates, and what the rules of each are and were."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.warehouses.model import Gate, GateRulesVersion

MOST_VERSIONS = 200


def see_gate(session: Session, gate_id: str, caller: Caller) -> Gate:
    """A gate of the caller's company. Raises NotFound."""
    return see(session, Gate, gate_id, caller)


def list_gates(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[Gate]:
    """The gates of the caller's company, newest first."""
    return page(session, Gate, caller, cursor, limit)


def find_gates(session: Session, caller: Caller, gate_ids: Collection[str]) -> list[Gate]:
    """Those of the gates that the caller may see, by id."""
    if not gate_ids:
        return []
    shown = select(Gate).where(Gate.id.in_(sorted(set(gate_ids))))
    if not caller.is_system:
        shown = shown.where(Gate.visible_to(caller))
    return list(session.scalars(shown.order_by(Gate.id)))


def see_rules(session: Session, gate_id: str, caller: Caller) -> GateRulesVersion:
    """The rules of a gate of the caller's company that are in force. Raises NotFound."""
    see_gate(session, gate_id, caller)
    return present_rules(session, gate_id)


def list_rules(session: Session, gate_id: str, caller: Caller) -> list[GateRulesVersion]:
    """The versions of a gate's rules, newest first; at most the last 200. Raises NotFound."""
    see_gate(session, gate_id, caller)
    return list(session.scalars(_versions(gate_id).limit(MOST_VERSIONS)))


def present_rules(session: Session, gate_id: str) -> GateRulesVersion:
    """The version of a gate's rules that is in force."""
    return session.scalars(_versions(gate_id).limit(1)).one()


def rules_at(session: Session, gate_id: str, at: datetime) -> GateRulesVersion:
    """The version that was in force at a time; before the first one, the first."""
    found = session.scalar(_versions(gate_id).where(GateRulesVersion.made_at <= at).limit(1))
    return found or session.scalars(select(GateRulesVersion).filter_by(gate_id=gate_id, version=1)).one()


def name_gates(session: Session, gate_ids: Collection[str]) -> dict[str, str]:
    """Gate id to its place and name, as people read it."""
    found = session.execute(select(Gate.id, Gate.place, Gate.name).where(Gate.id.in_(gate_ids)))
    return {id: f"{place}, {name}" for id, place, name in found}


def _versions(gate_id: str) -> Select[tuple[GateRulesVersion]]:
    versions = select(GateRulesVersion).where(GateRulesVersion.gate_id == gate_id)
    return versions.order_by(GateRulesVersion.version.desc())
