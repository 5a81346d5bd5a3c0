"""What a session means: what passed, which deliveries left, what does not fit, the EPCIS events and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from services.logistics.discrepancies.kinds import Finding, Kind
from services.logistics.epcis.digital_links import take_apart
from services.logistics.notes import queries as notes
from services.logistics.notes.model import State as NoteState
from services.logistics.rfid import stretches
from services.logistics.rfid.judging import Code, Judgement, Reason, judge_passage
from services.logistics.rfid.knowing import Known, find_known
from services.logistics.rfid.stages import passages as stages
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.packing import find_carrier
from services.logistics.rfid.stages.pallets import Pallet, Verdict, infer_pallets
from services.logistics.rfid.stages.sessions import Session as TagSession
from services.logistics.rfid.telling import Passed, Told, tell_passage, way_of
from services.logistics.shipments.matching import Passing
from services.logistics.warehouses.model import Gate
from services.logistics.warehouses.rules import GateRules, Role, portal_rules

NEAR = "one_side"
"""What says of a tag that it came near a gate and did not pass (``stages.directions``)."""
_ODD = {Kind.NOT_READ: Code.NOT_READ, Kind.WRONG_TRUCK: Code.WRONG_TRUCK}
_CARRIERS = ("00", "8003")
"""Application identifiers of logistic units and of returnable assets."""
_OF_NOTE = {NoteState.ISSUED: Code.NOT_CONFIRMED, NoteState.EXPIRED: Code.NOTE_EXPIRED}


class Meant(msgspec.Struct, frozen=True):
    """What a session means. ``lost`` are tags that a neighbouring gate heard better, by that gate."""

    found: stages.Passage
    known: Known
    lost: Mapping[str, str]
    passed: tuple[Passed, ...]
    passing: Passing
    told: tuple[Told, ...]
    findings: tuple[Finding, ...]
    judgement: Judgement
    plate: str | None

    @property
    def counted(self) -> list[stages.Observation]:
        """The tags that passed."""
        return [one for one in self.found.observations if _counts(one, self.lost)]


def find_meaning(
    session: Session,
    gate: Gate,
    rules: GateRules,
    tags: TagSession,
    *,
    pass_gate: Callable[[datetime, frozenset[str]], Passing],
    lost: Mapping[str, str],
    others: Collection[str] = (),
    again: Collection[str] = (),
) -> Meant:
    """What a session means. ``pass_gate`` says which deliveries pieces leave with at a time; ``again``: see there."""
    since, until = stretches.from_us(tags.span.first_us), stretches.from_us(tags.span.last_us)
    epcs = [epc for epc, _ in tags.tags]
    known = find_known(session, gate, rules, epcs, since=since, until=until, others=others, again=again)
    found = _assume_way(stages.judge(gate.id, tags, portal_rules(rules), known.context()), rules)
    counted = [one for one in found.observations if _counts(one, lost)]
    ways = {known.links[one.epc]: one.direction for one in counted if one.epc in known.links}
    pallets = infer_pallets(ways, known.contents)
    inferred = _infer_ways(pallets, ways)
    leaving = _leaving(counted, inferred, known, rules)
    passing = pass_gate(until, leaving)
    passed = _list_passed(counted, inferred, known, passing)
    told = tell_passage(
        gate_id=gate.id,
        warehouse_id=gate.party_id,
        at=until,
        rules=rules,
        passed=passed,
        pallets=pallets,
        kinds=_kinds_of_more(pallets, ways, known),
    )
    findings = (*passing.findings, *_find_odd(found, counted, pallets, known, rules))
    reasons = _reasons(session, found, counted, inferred, findings, known, lost)
    plates = {one.delivery_id: one.plate for one in passing.carried}
    return Meant(
        found=found,
        known=known,
        lost=lost,
        passed=passed,
        passing=passing,
        told=tuple(told),
        findings=findings,
        judgement=judge_passage(reasons, tags=len(counted)),
        plate=next((plates[id] for id in (*passing.departed, *plates) if plates[id]), None),
    )


def _counts(one: stages.Observation, lost: Mapping[str, str]) -> bool:
    return not one.is_ghost and one.by != NEAR and one.epc not in lost


def _assume_way(found: stages.Passage, rules: GateRules) -> stages.Passage:
    """At a gate that only sends or only receives and cannot tell, everything goes that way."""
    assumed = {Role.DISPATCH: Direction.OUT, Role.RECEIVING: Direction.IN}.get(rules.role)
    if assumed is None or rules.has_sides:
        return found
    way = {"direction": assumed, "by": "role"}
    observations = tuple(msgspec.structs.replace(one, **way) for one in found.observations)
    return msgspec.structs.replace(found, observations=observations)


def _infer_ways(pallets: Iterable[Pallet], ways: Mapping[str, Direction]) -> dict[str, Direction]:
    """What was not read of pallets and passed with them: which way."""
    seen = {link: Passed(link, way) for link, way in ways.items()}
    return {
        link: way
        for pallet in pallets
        if (way := way_of(pallet, seen)) is not None
        for link in pallet.inferred
        if link not in ways
    }


def _leaving(
    counted: Iterable[stages.Observation], inferred: Mapping[str, Direction], known: Known, rules: GateRules
) -> frozenset[str]:
    """The pieces that left: all that went out and, where the gate cannot tell the way, all that passed."""
    if rules.role not in (Role.DISPATCH, Role.BOTH):
        return frozenset()
    ways = {Direction.OUT} if rules.has_sides or rules.role == Role.DISPATCH else {Direction.OUT, Direction.UNKNOWN}
    seen = {known.piece_of[one.epc] for one in counted if one.direction in ways and one.epc in known.piece_of}
    followed = {
        known.piece_by_link[link] for link, way in inferred.items() if way in ways and link in known.piece_by_link
    }
    return frozenset(seen | followed)


def _list_passed(
    counted: Iterable[stages.Observation], inferred: Mapping[str, Direction], known: Known, passing: Passing
) -> tuple[Passed, ...]:
    """Everything that passed and has a name, with the papers under which it did."""
    ways = {
        known.links[one.epc]: (one.direction, known.piece_of.get(one.epc)) for one in counted if one.epc in known.links
    }
    ways |= {link: (way, known.piece_by_link.get(link)) for link, way in inferred.items()}
    under = {piece_id: one for one in passing.carried for piece_id in one.piece_ids}
    passed = []
    for link, (way, piece_id) in sorted(ways.items()):
        one = under.get(piece_id or "") if way != Direction.IN else None
        papers = (one.delivery_id, one.deal_id) if one else (None, None)
        passed.append(Passed(link, way, piece_id, *papers))
    return tuple(passed)


def _kinds_of_more(pallets: list[Pallet], ways: Mapping[str, Direction], known: Known) -> dict[str, str]:
    """Of the one pallet that came: whether things came along that are in no pallet and on no delivery (RFID.md 4.3)."""
    packed = {link for parent, children in known.contents.items() for link in (parent, *children)}
    on_delivery = {
        known.links[epc] for epc, piece in known.piece_of.items() if piece in known.expected and epc in known.links
    }
    more = ways.keys() - packed - on_delivery
    if not more or len(pallets) != 1:
        return {}
    classes = {_class_of(link) for link in known.contents[pallets[0].parent]}
    kind = "mismatch_quantity" if all(_class_of(link) in classes for link in more) else "mismatch_class"
    return {pallets[0].parent: kind}


def _class_of(link: str) -> str:
    return link.partition("/21/")[0]


def _find_odd(
    found: stages.Passage, counted: list[stages.Observation], pallets: list[Pallet], known: Known, rules: GateRules
) -> list[Finding]:
    """What a person has to look into, beside what does not fit the deliveries."""
    findings = []
    if not counted and found.span.has_beam:
        findings.append(Finding(Kind.EMPTY_SESSION))
    if rules.role == Role.PACKING and not pallets and (carrier := _find_packed(counted, known)) is not None:
        findings.append(Finding(Kind.PACKED_TOGETHER, parent=carrier))
    if rules.has_sides and any(one.direction == Direction.UNKNOWN for one in counted):
        findings.append(Finding(Kind.UNKNOWN_DIRECTION))
    for one in counted:
        if one.contradicts:
            known_as = known.links.get(one.epc, one.epc)
            findings.append(Finding(Kind.CONTRADICTION, known.piece_of.get(one.epc), epc=known_as))
    parent_of = {child: parent for parent, children in known.contents.items() for child in children}
    for pallet in pallets:
        if pallet.verdict == Verdict.MISMATCH:
            findings += [
                Finding(Kind.PALLET_MISMATCH, epc=link, parent=pallet.parent, other_parent=parent_of.get(link))
                for link in pallet.foreign
            ]
    return findings


def _find_packed(counted: list[stages.Observation], known: Known) -> str | None:
    """The carrier that all that was seen may have been packed in: it is told in one event, which the task names."""
    if len({one.direction for one in counted}) != 1:
        return None
    seen = {known.links[one.epc]: (one.first_us, one.last_us) for one in counted if one.epc in known.links}
    carriers = [link for link in seen if (parts := take_apart(link)) is not None and parts[0] in _CARRIERS]
    return find_carrier(seen, carriers)


def _reasons(
    session: Session,
    found: stages.Passage,
    counted: list[stages.Observation],
    inferred: Collection[str],
    findings: Iterable[Finding],
    known: Known,
    lost: Mapping[str, str],
) -> set[Reason]:
    stray = [one.piece_id for one in findings if one.kind == Kind.NO_DELIVERY and one.piece_id]
    noted = notes.last_notes(session, stray) if stray else {}
    reasons = {Reason(_ODD[one.kind], one.piece_id) for one in findings if one.kind in _ODD}
    reasons |= {Reason(_OF_NOTE.get(noted.get(piece_id), Code.NO_NOTE), piece_id) for piece_id in stray}  # type: ignore[arg-type]
    reasons |= {Reason(Code.CONTRADICTION, one.piece_id, one.epc) for one in findings if one.kind == Kind.CONTRADICTION}
    reasons |= {Reason(Code.MISMATCH, epc=one.epc) for one in findings if one.kind == Kind.PALLET_MISMATCH}
    reasons |= {Reason(Code.UNKNOWN_DIRECTION) for one in findings if one.kind == Kind.UNKNOWN_DIRECTION}
    reasons |= {Reason(Code.INFERRED, known.piece_by_link.get(link), link) for link in inferred}
    reasons |= {
        Reason(Code.UNKNOWN_TAG, epc=one.epc)
        for one in counted
        if one.epc not in known.links and one.epc not in known.piece_of
    }
    expected = {epc: piece for epc, piece in known.piece_of.items() if piece in known.expected}
    reasons |= {
        Reason(Code.WEAK, expected[one.epc], known.links.get(one.epc))
        for one in found.observations
        if one.epc in expected and one.epc not in lost and not _counts(one, lost)
    }
    return reasons
