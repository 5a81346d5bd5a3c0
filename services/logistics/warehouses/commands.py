"""Registers gates, renames them and changes their rules."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.logistics.warehouses import queries
from services.logistics.warehouses.model import Gate, GateRulesVersion, NoSuchNeighbour
from services.logistics.warehouses.rules import GateRules


def register_gate(session: Session, caller: Caller, *, name: str, place: str, rules: GateRules) -> Gate:
    """A new gate of the caller's company, with the first version of its rules."""
    gate = Gate(id=clock.new_id("gate"), party_id=caller.party_id, name=name, place=place, created_at=clock.now())
    gate.follow(rules)
    session.add(gate)
    session.add(_write(gate.id, 1, rules, caller))
    return gate


def rename_gate(session: Session, caller: Caller, gate_id: str, *, name: str, place: str) -> Gate:
    """Another name and place of a gate. Raises NotFound."""
    gate = get(session, Gate, gate_id, caller)
    gate.name, gate.place = name, place
    return gate


def change_rules(session: Session, caller: Caller, gate_id: str, rules: GateRules) -> GateRulesVersion:
    """The rules of a gate from now on; the same again is no new version.

    Raises NotFound, or NoSuchNeighbour (``gates``).
    """
    gate = get(session, Gate, gate_id, caller)
    known = {one.id for one in queries.find_gates(session, caller, rules.neighbours)} - {gate_id}
    if strange := sorted(set(rules.neighbours) - known):
        raise NoSuchNeighbour("a neighbour is another gate of yours", field="$.rules.neighbours", gates=strange)
    present = queries.present_rules(session, gate_id)
    if present.read() == rules:
        return present
    changed = _write(gate_id, present.version + 1, rules, caller)
    session.add(changed)
    gate.follow(rules)
    return changed


def _write(gate_id: str, version: int, rules: GateRules, caller: Caller) -> GateRulesVersion:
    return GateRulesVersion(
        gate_id=gate_id,
        version=version,
        rules=msgspec.to_builtins(rules),
        made_at=clock.now(),
        made_by=caller.user_id,
    )
