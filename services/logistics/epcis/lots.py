"""The lots of serialised items, by what an event says of their making."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.logistics.epcis.digital_links import take_apart, write_link
from services.logistics.epcis.fields import split_name

MOST_CHARACTERS = 20
"""A GS1 batch or lot number, AI (10), has at most so many (General Specifications 3.4.1)."""


def name_lots(ilmd: Mapping[str, Any], things: Iterable[str]) -> dict[str, str]:
    """The lot of each serialised trade item by the ``lotNumber`` of its master data (CBV 2.0, section 9.4), as a link."""
    number = next((value for name, value in ilmd.items() if split_name(name)[1] == "lotNumber"), None)
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    if not isinstance(number, str) or not 0 < len(number) <= MOST_CHARACTERS:
        return {}
    lots = {}
    for thing in things:
        parts = take_apart(thing)
        if parts is not None and parts[0] == "01" and "21" in parts[2]:
            lots[thing] = write_link("01", parts[1], {"10": number})
    return lots
