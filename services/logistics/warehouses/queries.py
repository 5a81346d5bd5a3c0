"""Shows a company its gates."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.warehouses.model import Gate


def see_gate(session: Session, gate_id: str, caller: Caller) -> Gate:
    """A gate of the caller's company. Raises NotFound."""
    return see(session, Gate, gate_id, caller)


def see_device_gate(session: Session, gate_id: str, caller: Caller) -> Gate:
    """The gate whose own key the caller is. Raises NotFound, or NotThisGate for any other key of the company."""
    gate = see_gate(session, gate_id, caller)
    gate.check_is_device(caller)
    return gate


def list_gates(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[Gate]:
    """The gates of the caller's company, newest first."""
    return page(session, Gate, caller, cursor, limit)
