"""GS1 Digital Links as they stand in our addresses: ``01/{gtin}``, with lot and serial number behind it, ``00/{sscc}`` and assets.

Source: GS1 Digital Link standard: URI syntax 1.4, section 4; link sets after RFC 9264 and the GS1-conformant resolver standard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from services.logistics.epcis.digital_links import KEYS, SHORT, escape, has_right_digit, write_link

_SHOWN = ("01", "00", "8003", "8004")
_BEHIND = ("22", "10", "21")
_NAMES = SHORT | {"giai": "8004"}
VOCABULARY = "https://ref.gs1.org/voc/"


class Name(msgspec.Struct, frozen=True):
    """What an address names: the primary key with its value, and for a GTIN its lot and serial number where given."""

    ai: str
    value: str
    lot: str | None = None
    serial: str | None = None

    @property
    def keys(self) -> list[str]:
        """What may be published of it, the finest first: the item, the lot, the product."""
        found = [write_link(self.ai, self.value, {})]
        if self.lot is not None:
            found.insert(0, write_link(self.ai, self.value, {"10": self.lot}))
        if self.serial is not None:
            found.insert(0, write_link(self.ai, self.value, {"21": self.serial}))
        return found

    @property
    def path(self) -> str:
        """The address below the host and prefix, with lot and serial number."""
        parts = [self.ai, self.value]
        for ai, value in (("10", self.lot), ("21", self.serial)):
            if value is not None:
                parts += [ai, value]
        return "/".join(escape(part) for part in parts)


def read_path(path: str) -> Name | None:
    """The name in the path of an address, percent-escapes undone; None where it is none that has a page.

    A lot or serial number may hold a slash, which no longer looks escaped: what is no key of its own belongs to the value.
    """
    parts = path.split("/")
    ai = _NAMES.get(parts[0], parts[0])
    if ai not in _SHOWN or len(parts) < 2 or not all(parts) or not KEYS[ai].fullmatch(parts[1]):
        return None
    value = parts[1].zfill(14) if ai == "01" else parts[1]
    behind = _read_behind(parts[2:]) if ai == "01" else {} if len(parts) == 2 else None
    if behind is None or not has_right_digit(ai, value) or any(not 0 < len(one) <= 20 for one in behind.values()):
        return None
    return Name(ai, value, behind.get("10"), behind.get("21"))


def _read_behind(parts: Sequence[str]) -> dict[str, str] | None:
    found: dict[str, list[str]] = {}
    here: str | None = None
    for part in parts:
        ai = _NAMES.get(part, part)
        is_new = ai in _BEHIND and ai not in found and (here is None or found[here])
        if is_new and (here is None or _BEHIND.index(ai) > _BEHIND.index(here)):
            here = ai
            found[ai] = []
        elif here is None:
            return None
        else:
            found[here].append(part)
    if any(not values for values in found.values()):
        return None
    return {ai: "/".join(values) for ai, values in found.items()}


def write_linkset(
    anchor: str, title: str, documents: Sequence[dict[str, Any]], languages: Sequence[str]
) -> dict[str, Any]:
    """The links of a thing as a resolver tells them (RFC 9264, section 4.2): its page first, then the owner's documents."""
    page = {"href": anchor, "title": title, "type": "text/html", "hreflang": list(languages)}
    links: dict[str, list[dict[str, Any]]] = {
        f"{VOCABULARY}defaultLink": [page],
        f"{VOCABULARY}traceability": [page],
    }
    for one in documents:
        told = {"href": one["url"], "title": one["titles"].get("en") or one["titles"].get("zh") or title}
        links.setdefault(VOCABULARY + one["kind"], []).append(told)
    return {"linkset": [{"anchor": anchor, **links}]}
