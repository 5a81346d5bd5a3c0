"""All stages of a portal over a whole set of reads at once: what went through it, said in one place."""

from __future__ import annotations

from collections.abc import Iterable

from services.logistics.rfid.stages.ghosts import parked_slots, slot_of
from services.logistics.rfid.stages.reads import Read, coalesce, unique
from services.logistics.rfid.stages.sessions import PortalRules, Session, find_beams, find_sessions


def find_all_sessions(
    reads: Iterable[Read], edges: Iterable[tuple[int, bool]], rules: PortalRules
) -> tuple[list[Session], list[str]]:
    """The sessions in reads and photo-eye edges of a portal, earliest first, and the tags that stand there."""
    once = list(unique(reads).values())
    slots: dict[str, set[int]] = {}
    for read in once:
        slots.setdefault(read.epc, set()).add(slot_of(read.at_us))
    parked = {epc: found for epc, seen in slots.items() if (found := parked_slots(seen, rules))}
    buckets = [one for one in coalesce(once) if slot_of(one.first_us) not in parked.get(one.epc, ())]
    return find_sessions(buckets, find_beams(edges), rules), sorted(parked)
