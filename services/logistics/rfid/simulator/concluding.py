"""What the stages conclude from all reads of a site, put together as the platform puts them together (RFID.md 4.2, 4.3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from services.logistics.rfid.simulator.world import Simulation
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.ghosts import Claim, arbitrate, parked_slots, slot_of, weigh
from services.logistics.rfid.stages.pallets import Verdict, infer_pallets
from services.logistics.rfid.stages.passages import Context, judge
from services.logistics.rfid.stages.presence import SHELF, State, Staying, follow
from services.logistics.rfid.stages.reads import Antenna, Bucket, Read, coalesce, unique
from services.logistics.rfid.stages.sessions import PortalRules, find_sessions
from services.logistics.rfid.stages.zones import locate
from services.logistics.warehouses.rules import GateRules, portal_rules


class Seen(msgspec.Struct, frozen=True, order=True):
    """A tag is said to have passed a gate; ``passage`` is the same for what passed together."""

    gate_id: str
    passage: int
    epc: str
    direction: str
    first_us: int
    last_us: int


class Held(msgspec.Struct, frozen=True):
    """A parent is said to have passed a gate with these children."""

    gate_id: str
    parent: str
    children: frozenset[str]
    first_us: int
    last_us: int


class Stayed(msgspec.Struct, frozen=True, order=True):
    """A tag is said to have been in a zone."""

    epc: str
    zone: int
    from_us: int
    until_us: int


class Concluded(msgspec.Struct, frozen=True):
    """All that is said of a site."""

    seen: list[Seen]
    held: list[Held]
    stayed: list[Stayed]


def rules_of(simulation: Simulation) -> dict[str, PortalRules]:
    """The rules of each gate: which antennas look outside and which inside; all numbers are those that gates come with."""
    fresh = portal_rules(GateRules())
    return {
        gate.id: msgspec.structs.replace(fresh, outside=gate.side(is_inside=False), inside=gate.side(is_inside=True))
        for gate in simulation.site.gates
    }


def conclude(simulation: Simulation, reads: Iterable[Read]) -> Concluded:
    """What the stages say."""
    gates, by_gate, rest = simulation.gate_of_reader(), defaultdict[str, list[Read]](list), list[Read]()
    for read in reads:
        (by_gate[gates[read.reader_id]] if read.reader_id in gates else rest).append(read)
    seen, held = _conclude_gates(simulation, by_gate)
    return Concluded(seen, held, _conclude_zones(simulation, rest))


def _conclude_gates(
    simulation: Simulation, by_gate: Mapping[str, list[Read]]
) -> tuple[list[Seen], list[Held]]:  # fmt: skip
    booked = simulation.booked
    parents = {child: parent for parent, children in booked.items() for child in children} | {
        one: one for one in booked
    }
    context = Context(expected=simulation.announced, parents=parents)
    rules = rules_of(simulation)
    claims: dict[str, list[tuple[Claim, Seen]]] = defaultdict(list)
    for gate_id in sorted(by_gate):
        for claim, seen in _claim(gate_id, by_gate[gate_id], rules[gate_id], context):
            claims[claim.epc].append((claim, seen))
    kept: list[Seen] = []
    for of_tag in claims.values():
        holds = set(arbitrate(claim for claim, _ in of_tag))
        kept += [seen for claim, seen in of_tag if claim in holds and seen.direction != "near"]
    held, inferred = _hold(kept, booked, parents)
    return sorted(kept + inferred), held


def _claim(gate_id: str, reads: list[Read], rules: PortalRules, context: Context) -> list[tuple[Claim, Seen]]:
    found: list[tuple[Claim, Seen]] = []
    for number, session in enumerate(find_sessions(_moving(reads, rules), (), rules)):
        of_tag = dict(session.tags)
        for one in judge(gate_id, session, rules, context).observations:
            if not one.is_ghost:
                claim = Claim(gate_id, session.span, one.epc, weigh(of_tag[one.epc]))
                way = "near" if one.by == "one_side" else one.direction
                found.append((claim, Seen(gate_id, number, one.epc, way, one.first_us, one.last_us)))
    return found


def _moving(reads: list[Read], rules: PortalRules) -> list[Bucket]:
    """The buckets of tags while they are not parked."""
    slots: dict[str, set[int]] = defaultdict(set)
    for read in unique(reads).values():
        slots[read.epc].add(slot_of(read.at_us))
    parked = {epc: parked_slots(of_tag, rules) for epc, of_tag in slots.items()}
    return [one for one in coalesce(reads) if slot_of(one.first_us) not in parked[one.epc]]


def _hold(
    kept: list[Seen], booked: Mapping[str, frozenset[str]], parents: Mapping[str, str]
) -> tuple[list[Held], list[Seen]]:  # fmt: skip
    """The pallets of each passage, by what papers say of those that have a tag in it, and what passed with them unread."""
    passages: dict[tuple[str, int], list[Seen]] = defaultdict(list)
    for seen in kept:
        if seen.direction != Direction.UNKNOWN:
            passages[seen.gate_id, seen.passage].append(seen)
    held: list[Held] = []
    inferred: list[Seen] = []
    for together in map(passages.__getitem__, sorted(passages)):
        read = {seen.epc for seen in together}
        contents = {parents[epc]: booked[parents[epc]] for epc in read if epc in parents}
        for pallet in infer_pallets(read, contents):
            own = [seen for seen in together if parents.get(seen.epc) == pallet.parent]
            held.append(_held(own, pallet.parent, pallet.moved))
            unread = [*pallet.inferred, *([pallet.parent] if pallet.verdict in _WHOLE else [])]
            inferred += [_with(own, epc) for epc in unread if epc not in read]
    return held, inferred


_WHOLE = (Verdict.VERIFIED, Verdict.INFERRED)


def _held(own: list[Seen], parent: str, moved: Iterable[str]) -> Held:
    first_us, last_us = min(one.first_us for one in own), max(one.last_us for one in own)
    return Held(own[0].gate_id, parent, frozenset(moved), first_us, last_us)


def _with(own: list[Seen], epc: str) -> Seen:
    """A tag that passed unread with others of its pallet: the way that most of them went."""
    ways = Counter(seen.direction for seen in own)
    most = max(sorted(ways), key=ways.__getitem__)
    return Seen(own[0].gate_id, own[0].passage, epc, most, min(s.first_us for s in own), max(s.last_us for s in own))


def _conclude_zones(simulation: Simulation, reads: list[Read]) -> list[Stayed]:
    zones: dict[Antenna, str] = {
        (zone.reader.id, one.number): zone.id for zone in simulation.site.zones for one in zone.reader.antennas
    }
    numbers = {zone.id: number for number, zone in enumerate(simulation.site.zones)}
    buckets = coalesce(reads)
    moves: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for move in locate(buckets, zones):
        moves[move.epc].append((move.at_us, move.zone))
    there: dict[str, list[Bucket]] = defaultdict(list)
    for bucket in buckets:
        zone = next((zone for at_us, zone in reversed(moves[bucket.epc]) if at_us <= bucket.last_us), None)
        if zone is not None and zone == zones[bucket.at]:
            there[zone].append(bucket)
    return sorted(one for zone, some in there.items() for one in _stays(some, numbers[zone], SHELF))


def _stays(buckets: list[Bucket], zone: int, rules: Staying) -> list[Stayed]:
    """From the first read until the last before the tag was given up."""
    stays: list[Stayed] = []
    began: dict[str, int] = {}
    present: set[str] = set()
    last_us = max((one.last_us for one in buckets), default=0)
    for change in follow(buckets, rules, until_us=last_us + rules.lost_after_us):
        if change.state is State.GLIMPSED:
            began[change.epc] = change.at_us
        elif change.state is State.PRESENT:
            present.add(change.epc)
        elif change.state is State.LOST:
            stays.append(Stayed(change.epc, zone, began[change.epc], change.at_us - rules.lost_after_us))
            present.discard(change.epc)
    return stays
