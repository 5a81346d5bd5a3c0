"""Shares a company's events with another, and ends that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.problems import NotYetKnown
from services.logistics.companies.queries import known_companies
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.preparing import write_key
from services.logistics.epcis.sharing import filling
from services.logistics.epcis.sharing.model import EventShare, OwnEvents, Scope


def share_events(
    session: Session, caller: Caller, *, party_id: str, epc: str | None, from_time: datetime
) -> EventShare:
    """Let another company see the caller's events from a time on: all, or those along the chain of custody of an EPC or a lot.

    Raises OwnEvents, or NotYetKnown when the other company has not been heard of.
    """
    if party_id == caller.party_id:
        raise OwnEvents(field="$.party_id")
    if not known_companies(session, [party_id]):
        raise NotYetKnown(f"the company {party_id!r} has not been heard of yet", field="$.party_id")
    filling.lock_shares(session, caller.party_id)
    share = EventShare(
        id=clock.new_id("share"),
        giver_id=caller.party_id,
        party_id=party_id,
        scope=Scope.CHAIN if epc else Scope.ALL,
        epc=epc,
        key=write_key(canonical(epc)) if epc else None,
        from_time=from_time,
        created_at=clock.now(),
        revoked_at=None,
    )
    session.add(share)
    session.flush()
    if share.key is not None:
        filling.fill_chains(session, caller.party_id, {share.id: share.key})
    return share


def revoke_share(session: Session, caller: Caller, share_id: str) -> EventShare:
    """End a share: the other company no longer sees what it saw by it alone. Raises NotTheGiver or ShareRevoked."""
    share = get(session, EventShare, share_id, caller)
    share.revoke(caller.party_id, clock.now())
    filling.lock_shares(session, share.giver_id)
    session.flush()
    filling.clear_chain(session, share.id)
    return share
