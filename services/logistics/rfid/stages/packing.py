"""What may have been packed at a packing station: things that stay there together with one carrier (RFID.md 4.3).

It is a proposal for a person and never known by the gate alone: what stands side by side need not be packed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.logistics.rfid.stages.reads import SECOND_US

LEAST_TOGETHER_US = 10 * SECOND_US


def find_carrier(seen: Mapping[str, tuple[int, int]], carriers: Collection[str]) -> str | None:
    """The one carrier with which everything else stayed for ten seconds; None where there are several, or no such time.

    ``seen`` is when each thing was first and last read, in microseconds.
    """
    here = sorted(seen.keys() & set(carriers))
    if len(here) != 1 or len(seen) < 2:
        return None
    together_us = min(last for _, last in seen.values()) - max(first for first, _ in seen.values())
    return here[0] if together_us >= LEAST_TOGETHER_US else None
