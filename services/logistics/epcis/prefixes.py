"""Prefixes for namespaces on the way out: the author's own where they still serve, made-up ones elsewhere.

A prefix that some value begins with (``example:x``, left as it was because nothing declared it) is not used: declared
now, it would change what the value means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from services.logistics.epcis.contexts import OWN_PREFIXES
from services.logistics.epcis.fields import Event, split_name
from services.logistics.epcis.vocabulary import PREFIXES

_USABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_TAKEN = {*PREFIXES, "epcis", "epcisq", "xmlns", "xsi", "id", "type"}
_XML = "http://www.w3.org/XML/1998/namespace"
"""Goes by ``xml`` and nothing else, declared or not (Namespaces in XML 1.0, section 3)."""


class Prefixes:
    """Gives every namespace that it is asked for one prefix, and remembers which."""

    def __init__(self, hints: Iterable[dict[str, str]], events: list[Event]) -> None:
        self.used: dict[str, str] = {}
        self._taken = set(_TAKEN)
        self._number = 0
        for event in events:
            _gather_schemes(event.fields, self._taken)
        self._hints = {space: name for name, space in OWN_PREFIXES.items() if name not in self._taken}
        for hint in (*hints, *(event.namespaces for event in events)):
            for name, space in hint.items():
                if _USABLE.fullmatch(name) and name not in self._taken and not name.lower().startswith("xml"):
                    self._hints.setdefault(space, name)
        self._hints[_XML] = "xml"
        self._taken.discard("xml")

    def write(self, name: str) -> str:
        """``prefix:local`` for ``{namespace}local``; a plain name as it is, an attribute's ``@`` kept in front."""
        if name.startswith("@"):
            return "@" + self.write(name[1:])
        space, local = split_name(name)
        return f"{self._prefix(space)}:{local}" if space else local

    def _prefix(self, space: str) -> str:
        if space not in self.used:
            wanted = self._hints.get(space)
            while wanted is None or wanted in self._taken:
                self._number += 1
                wanted = f"ns{self._number}"
            self.used[space] = wanted
            self._taken.add(wanted)
        return self.used[space]


def _gather_schemes(value: Any, found: set[str]) -> None:
    if isinstance(value, str):
        found.add(value.partition(":")[0] if ":" in value else "")
    elif isinstance(value, dict):
        for one in value.values():
            _gather_schemes(one, found)
    elif isinstance(value, list):
        for one in value:
            _gather_schemes(one, found)
