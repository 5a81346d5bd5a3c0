"""Which companies an event names as its parties: by GLN in its sources and destinations, or by our own id of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from services.logistics.epcis.digital_links import take_apart

OWN = "urn:haihe:party:"
_GLN_KEYS = ("414", "417")
_KINDS = ("source", "destination")


def list_party_ids(keys: Iterable[tuple[str, str]]) -> set[str]:
    """Our own ids of companies in (kind, key) pairs."""
    return {key[len(OWN) :] for kind, key in keys if kind in _KINDS and key.startswith(OWN)}


def list_glns(keys: Iterable[tuple[str, str]]) -> set[str]:
    """The GLNs in (kind, key) pairs: of parties (417) and of places (414)."""
    found = (take_apart(key) for kind, key in keys if kind in _KINDS)
    return {parts[1] for parts in found if parts is not None and parts[0] in _GLN_KEYS}
