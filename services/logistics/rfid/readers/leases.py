"""Who listens to which reader: leases that several workers share out evenly, and that a dead one loses (pure SQL statements)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.logistics.rfid.readers.model import Kind, Reader, State

LEASE = timedelta(seconds=10)
RENEW_S = 2.0
BEATEN_S = 15
"""A worker whose loop has not come round for so long takes no share."""
MQTT = "mqtt"
"""The name of the one lease on what readers publish."""

_WORKERS = text(
    "SELECT count(*) FROM (SELECT member FROM heartbeat WHERE loop = 'readers' AND at > :since "
    "UNION SELECT :member ::text) AS alive"
)
_RENEW = text(
    "UPDATE reader_lease SET until = :until, is_ready = coalesce(told.is_ready, false), shown = told.shown "
    "FROM unnest(:names ::text[], :ready ::bool[], :shown ::text[]) AS told (name, is_ready, shown) "
    "WHERE reader_lease.name = told.name AND holder = :member AND until > :now RETURNING reader_lease.name"
)
_CLAIM = text(
    "INSERT INTO reader_lease (name, holder, until) SELECT name, :member, :until FROM unnest(:names ::text[]) AS name "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, is_ready = false, shown = NULL "
    "WHERE reader_lease.until <= :now OR reader_lease.holder = excluded.holder RETURNING name"
)
_RELEASE = text(
    "UPDATE reader_lease SET until = :now, is_ready = false, shown = NULL WHERE holder = :member AND name = ANY(:names)"
)
_TAKEN = text("SELECT name FROM reader_lease WHERE until > :now AND holder <> :member AND name = ANY(:names)")


def hold(session: Session, member: str, name: str, *, now: datetime) -> bool:
    """Take or keep one lease by its name; whether the member has it now."""
    return bool(_claim(session, member, [name], now))


def share_readers(
    session: Session, member: str, held: Mapping[str, tuple[bool, str | None]], *, now: datetime
) -> list[Reader]:
    """Keep what is held (with how it stands with each), take what nobody has, and let go of what is more than one's share.

    Returns the LLRP readers that the member listens to until ``now + LEASE``.
    """
    readers = {one.id: one for one in session.scalars(_llrp_readers())}
    workers = session.scalar(_WORKERS, {"member": member, "since": now - timedelta(seconds=BEATEN_S)}) or 1
    share = -(-len(readers) // workers)
    mine = _renew(session, member, {name: told for name, told in held.items() if name in readers}, now)
    if surplus := sorted(mine)[share:]:
        release(session, member, surplus, now=now)
        mine -= {*surplus}
    if len(mine) < share and (others := sorted(readers.keys() - mine - {*surplus})):
        taken = {*session.scalars(_TAKEN, {"now": now, "member": member, "names": others})}
        free = [name for name in others if name not in taken]
        mine |= _claim(session, member, free[: share - len(mine)], now)
    return [readers[name] for name in sorted(mine)]


def release(session: Session, member: str, names: Collection[str], *, now: datetime) -> None:
    """Let others take over at once."""
    session.execute(_RELEASE, {"member": member, "names": sorted(names), "now": now})


def _llrp_readers():
    return select(Reader).where(Reader.kind == Kind.LLRP, Reader.state == State.ACTIVE).order_by(Reader.id)


def _renew(session: Session, member: str, held: Mapping[str, tuple[bool, str | None]], now: datetime) -> set[str]:
    if not held:
        return set()
    names = sorted(held)
    told = {"names": names, "ready": [held[name][0] for name in names], "shown": [held[name][1] for name in names]}
    return {*session.scalars(_RENEW, {**told, "member": member, "now": now, "until": now + LEASE})}


def _claim(session: Session, member: str, names: Collection[str], now: datetime) -> set[str]:
    if not names:
        return set()
    return {*session.scalars(_CLAIM, {"names": sorted(names), "member": member, "now": now, "until": now + LEASE})}
