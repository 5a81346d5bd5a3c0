"""Settles a gate: what its reads say now, against what was told of them before.

The database is the state and the stages are the function. Whatever changed is put down with the gate's open passage; the stretch
of time that it may reach is read and judged anew; what was told and is not so is taken back, what is so and was not told is
told. So the passages that stand are a function of the set of reads: neither order, repetition, nor the death of a process
matters (RFID.md 4.4).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.discrepancies import commands as discrepancies
from services.logistics.discrepancies.kinds import Finding, Kind
from services.logistics.rfid import amending, contradicting, neighbours, parking, pending, stretches, writing
from services.logistics.rfid.model import Passage, ReaderWatermark, State
from services.logistics.rfid.passing import find_meaning
from services.logistics.rfid.pending import Change
from services.logistics.rfid.stages.directions import Direction, find_ways
from services.logistics.rfid.stages.sessions import PortalRules, Span, find_sessions
from services.logistics.rfid.stages.sessions import Session as TagSession
from services.logistics.rfid.stages.watermarks import SILENT_US
from services.logistics.rfid.stretches import Stretch, from_us, to_us
from services.logistics.shipments import commands as shipments
from services.logistics.shipments.matching import Passing
from services.logistics.warehouses import queries as gates
from services.logistics.warehouses.model import Gate, GateRulesVersion
from services.logistics.warehouses.rules import Role, portal_rules
from services.logistics.zones import commands as zones

FOREVER_US = 2**62
BEHIND = timedelta(milliseconds=1_500)
"""A reader that speaks every second is believed to have told all up to so long after it last said so."""
_digest = msgspec.json.Encoder().encode


class Outcome(msgspec.Struct):
    """What settling came to: sessions with what stands for them, and the passages that do not stand any more."""

    new: list[tuple[str, TagSession, dict[str, str]]]
    gone: list[Passage]
    running: list[TagSession]
    others: frozenset[str] = frozenset()


def settle_window(session: Session, caller: Caller, gate: Gate, window: Passage) -> None:
    """Settle what changed at a gate since it was last looked at, and let go of the open passage or wait for what still runs."""
    now = clock.now()
    since = window.changed_from or window.late_from or window.delayed_from or now
    if gates.rules_at(session, gate.id, since).read().role == Role.ZONE:
        _follow(session, caller, gate, window, to_us(now))
        return
    limit_us = _find_limit(session, gate, window, now)
    due = pending.find_pending(window, gate, now)
    changes = [*_find_contradicting(session, gate, due.changes, limit_us, now), *due.changes]
    running: dict[Span, TagSession] = {}
    for change in changes:  # each is told before the next is looked at: what both reach is told once
        version = gates.rules_at(session, gate.id, change.since)
        outcome = _compare(session, gate, version, change, limit_us, now)
        running |= {tags.span: tags for tags in outcome.running}
        spare = window if window.state == State.OPEN and not due.holds else None
        _tell(session, caller, gate, version, outcome, spare=spare, is_late=change.is_late)
    pending.go_on(session, gate, window, due, running.values(), now)


def _find_contradicting(
    session: Session, gate: Gate, changes: Collection[Change], limit_us: int, now: datetime
) -> list[Change]:
    """Too late reads stand alone, unless they say of a tag that it went the other way: then they are of its passage after all."""
    found = []
    for change in (one for one in changes if one.is_late):
        version = gates.rules_at(session, gate.id, change.since)
        if not version.read().has_sides:
            continue
        portal = portal_rules(version.read())
        for _, tags, _ in _compare(session, gate, version, change, limit_us, now).new:
            ways = {
                epc: way.direction
                for epc, way in find_ways(tags, portal, {}).items()
                if way.direction != Direction.UNKNOWN
            }
            since, until = from_us(tags.span.first_us), from_us(tags.span.last_us)
            if ways and contradicting.is_contradicted(session, gate, ways, since=since, until=until):
                contradicting.let_count(session, gate.id, since, until)
                found.append(Change(since, until))
    return found


def _follow(session: Session, caller: Caller, gate: Gate, window: Passage, until_us: int) -> None:
    """Where goods stay nothing passes: their tags are followed."""
    if span := pending.find_span(window):
        zones.follow_zones(session, caller, gate.id, stretches.load_reads(session, gate.id, *span), until_us)
    session.delete(window)


def _find_limit(session: Session, gate: Gate, window: Passage, now: datetime) -> int:
    """Up to when all reads are taken to have come: all there will be, when it is quiet and no reader lags behind."""
    is_quiet = window.heard_at is None or window.heard_at + gate.closing <= now
    speaking = ReaderWatermark.heard_at >= now - timedelta(microseconds=SILENT_US)
    of_gate = select(ReaderWatermark.seen_until).where(ReaderWatermark.gate_id == gate.id, speaking)
    slowest = min(session.scalars(of_gate), default=now)
    if slowest + BEHIND < now:
        return to_us(slowest)
    return FOREVER_US if is_quiet else to_us(now)


def _compare(
    session: Session, gate: Gate, version: GateRulesVersion, change: Change, limit_us: int, now: datetime
) -> Outcome:
    """What stands now in the stretch that a change reaches, against what was told of it."""
    rules = version.read()
    portal = portal_rules(rules)
    stretch, told = _load_with_told(session, gate, portal, change)
    found: dict[str, tuple[TagSession, dict[str, str]]] = {}
    running = []
    for tags in find_sessions(stretch.buckets, stretch.beams, portal):
        if not _is_over(tags, portal, limit_us, to_us(now)):
            running.append(tags)
            continue
        lost = neighbours.find_lost(session, gate.id, rules.neighbours, tags)
        found[_digest_of(tags, lost)] = (tags, lost)
    new = [(digest, *found[digest]) for digest in found.keys() - {one.digest for one in told}]
    gone = [one for one in told if one.digest not in found]
    for _, tags, lost in new:
        if rules.neighbours:
            neighbours.have_losers_look(session, rules.neighbours, tags, lost)
    return Outcome(sorted(new, key=lambda one: one[1].span), gone, running, stretch.others)


def _load_with_told(session: Session, gate: Gate, portal: PortalRules, change: Change) -> tuple[Stretch, list[Passage]]:
    """The stretch of a change and what was told of it: so wide that nothing told is half in it."""
    while True:
        stretch = _load(session, gate, portal, change)
        told = _told_in(session, gate.id, stretch, is_late=change.is_late)
        since = min([stretch.since, *(one.first_seen for one in told if one.first_seen)])
        until = max([stretch.until, *(one.last_seen for one in told if one.last_seen)])
        if since >= stretch.since and until <= stretch.until:
            return stretch, told
        change = Change(since, until, change.is_late)


def _load(session: Session, gate: Gate, portal: PortalRules, change: Change) -> Stretch:
    """The stretch of a change without the reads of tags that stand there, and further back where they have stood for long."""
    if change.is_late:
        return stretches.load_late(session, gate.id, portal, change.since, change.until)
    since, until = change.since, change.until
    while True:
        stretch = stretches.load_stretch(session, gate.id, portal, since, until)
        runs = stretches.add_slots(session, gate.id, [*stretch.buckets, *stretch.parked])
        fresh = parking.put_down_parked(session, gate.id, runs, portal)
        if not fresh:
            return stretch
        _ask_for_parked(session, gate, fresh)
        times = [time for spans in fresh.values() for span in spans for time in span]
        since, until = min(since, *times), max(until, *times)


def _ask_for_parked(session: Session, gate: Gate, fresh: dict[str, list[tuple[datetime, datetime]]]) -> None:
    findings = [Finding(Kind.PARKED_TAG, epc=epc) for epc in sorted(fresh)]
    at = max(until for spans in fresh.values() for _, until in spans)
    discrepancies.put_down(
        session, findings, passage_id=None, warehouse_id=gate.party_id, at=min(at, clock.now()), gate_id=gate.id
    )


def _told_in(session: Session, gate_id: str, stretch: Stretch, *, is_late: bool) -> list[Passage]:
    begins = Passage.first_seen.between(stretch.since, stretch.until)
    reaches = and_(Passage.first_seen < stretch.since, Passage.last_seen >= stretch.since)
    told = select(Passage).where(
        Passage.gate_id == gate_id,
        Passage.state == State.CLOSED,
        Passage.is_late.is_(is_late),
        begins if stretch.is_anchored else or_(begins, reaches),
    )
    return list(session.scalars(told.order_by(Passage.first_seen).with_for_update()))


def _is_over(tags: TagSession, portal: PortalRules, limit_us: int, now_us: int) -> bool:
    if tags.span.has_beam:
        return tags.span.last_us <= min(limit_us, now_us)
    return tags.span.last_us + portal.quiet_us <= limit_us


def _digest_of(tags: TagSession, lost: dict[str, str]) -> str:
    """What a passage is made of, in short."""
    return sha256(_digest((tags, sorted(lost.items())))).hexdigest()


def _tell(
    session: Session,
    caller: Caller,
    gate: Gate,
    version: GateRulesVersion,
    outcome: Outcome,
    *,
    spare: Passage | None,
    is_late: bool,
) -> None:
    """Take back what does not stand, and tell what does; the first passage gets the row that is to ``spare``."""
    if not outcome.new and not outcome.gone:
        return
    went = amending.read_deliveries(session, outcome.gone)
    again = frozenset(id for each in went.values() for id, departs in each if departs)
    rules = version.read()

    def pass_gate(at: datetime, seen: frozenset[str]) -> Passing:
        return shipments.pass_gate(session, caller, gate_id=gate.id, at=at, seen=seen, again=again)

    known = {"others": outcome.others, "again": again}
    new = [
        (digest, find_meaning(session, gate, rules, tags, pass_gate=pass_gate, lost=lost, **known))
        for digest, tags, lost in outcome.new
    ]
    left = again - {id for _, one in new for id in one.passing.departed}
    gone: Collection[Passage] = outcome.gone
    if rules.role != Role.PACKING:  # what a station proposes is in no passage
        new, gone = amending.amend_passages(session, new, outcome.gone, went)
    if new or gone:
        writing.replace_passages(session, gate, version.version, new, gone, spare=spare, is_late=is_late, left=left)
