"""Recording licences, deciding on them, and what time does to them; each change is told with the whole company.

A licence changes under the lock of its company, whose description carries it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from services.identity.licences.model import Licence, LicenceStep, NotYourCompany, State, check_period
from services.identity.licences.queries import ShownLicence, show_licence
from services.identity.parties.commands import describe_party
from services.identity.parties.model import Party


class LicenceWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A licence as it is recorded."""

    scheme: str
    number: str
    scope: list[str]
    valid_from: datetime
    valid_until: datetime
    evidence: str


def record_licence(session: Session, caller: Caller, party_id: str, wanted: LicenceWanted) -> ShownLicence:
    """Record a licence: the operator's is approved at once, a company's own waits for the operator.

    Raises NotYourCompany, NotFound, LicencePeriodWrong or LicenceRecorded.
    """
    if not caller.is_operator and party_id != caller.party_id:
        raise NotYourCompany(field="$.party_id")
    now = clock.now()
    check_period(wanted.valid_from, wanted.valid_until, now)
    party = get(session, Party, party_id, caller)
    licence = Licence(
        id=clock.new_id("licence"),
        party_id=party.id,
        state=State.SUBMITTED,
        recorded_at=now,
        **msgspec.structs.asdict(wanted),
    )
    licence.wait(now)
    session.add(licence)
    session.flush()
    _note(session, caller, licence, "submitted", None)
    if caller.is_operator:
        _move(session, caller, party, licence, "approve", None)
    return show_licence(session, licence)


def approve_licence(session: Session, caller: Caller, licence_id: str) -> ShownLicence:
    """Let a licence count. Raises IllegalMove or LicencePeriodWrong."""
    party, licence = _hold(session, caller, licence_id)
    if licence.can("approve"):
        check_period(licence.valid_from, licence.valid_until, clock.now())
    _move(session, caller, party, licence, "approve", None)
    return show_licence(session, licence)


def refuse_licence(session: Session, caller: Caller, licence_id: str, reason: str) -> ShownLicence:
    """Say why a licence does not count. Raises IllegalMove."""
    party, licence = _hold(session, caller, licence_id)
    _move(session, caller, party, licence, "refuse", reason)
    return show_licence(session, licence)


def revoke_licence(session: Session, caller: Caller, licence_id: str, reason: str) -> ShownLicence:
    """Let a licence that was approved count no more; deals that were struck go on. Raises IllegalMove."""
    party, licence = _hold(session, caller, licence_id)
    _move(session, caller, party, licence, "revoke", reason)
    return show_licence(session, licence)


def pass_time(session: Session, caller: Caller, licence_id: str) -> None:
    """Bring a licence into force when its time begins, or end it; nothing happens to one that waits for nothing yet."""
    party, licence = _hold(session, caller, licence_id)
    now = clock.now()
    if licence.due_at is None or now < licence.due_at:
        return
    if now >= licence.valid_until:
        _move(session, caller, party, licence, "expire", None)
        return
    licence.wait(now)
    _note(session, caller, licence, "began", None)
    _tell(session, party)


def _hold(session: Session, caller: Caller, licence_id: str) -> tuple[Party, Licence]:
    party = get(session, Party, see(session, Licence, licence_id, caller).party_id, caller)
    return party, get(session, Licence, licence_id, caller)


def _move(session: Session, caller: Caller, party: Party, licence: Licence, move: str, reason: str | None) -> None:
    was_told = licence.state == State.APPROVED
    licence.advance(move, clock.now())
    _note(session, caller, licence, str(licence.state), reason)
    if was_told or licence.state == State.APPROVED:
        _tell(session, party)


def _tell(session: Session, party: Party) -> None:
    party.version += 1
    describe_party(session, party)


def _note(session: Session, caller: Caller, licence: Licence, what: str, reason: str | None) -> None:
    step = LicenceStep(
        id=clock.new_id("step"), licence_id=licence.id, what=what, by=caller.user_id, at=clock.now(), reason=reason
    )
    session.add(step)
