"""JSON-LD contexts: the standard's own, which this module stands for, and prefixes that a document declares itself.

No context is ever fetched. One that lies elsewhere is refused, and so is whatever would make a processor fetch
(``@import``) or change what the standard's words mean (``@vocab``, ``@base``).
"""

from __future__ import annotations

import re
from typing import Any

from services.logistics.epcis.fields import UNWRITABLE
from services.logistics.epcis.findings import NotReadable, refuse
from services.logistics.epcis.identifiers import is_uri
from services.logistics.epcis.limits import LONGEST_NAMESPACE, MOST_PREFIXES

STANDARD = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_KNOWN = re.compile(
    r"https?://(?:ref\.gs1\.org/standards/epcis/(?:2\.0(?:\.\d+)?/)?|gs1\.github\.io/EPCIS/)epcis-context\.jsonld"
)
MASTER_DATA = "urn:epcglobal:cbv:mda"
OWN_PREFIXES = {
    "cbvmda": MASTER_DATA,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
    "gs1": "https://gs1.org/voc/",
    "cbv": "https://ref.gs1.org/cbv/",
}
_CURIE = re.compile(r"([^\W\d][\w.\-]*):(?!//)(\S+)")
_NAME = re.compile(r"[^\W\d][\w.\-]*")


def read_context(context: Any, path: str, inherited: dict[str, str]) -> dict[str, str]:
    """The prefixes that hold where a context stands: {prefix: namespace}. Raises NotReadable.

    A bare word may be declared too; it then stands for its own URI.
    """
    prefixes = dict(inherited)
    for one in context if isinstance(context, list) else [context]:
        if isinstance(one, str):
            _check_known(one, path)
        elif isinstance(one, dict):
            prefixes.update(_read_prefixes(one, path))
        elif one is not None:
            raise refuse(path, "a context is a URL or an object of prefixes", "context")
    if len(prefixes) > MOST_PREFIXES:
        raise refuse(path, f"there are more than {MOST_PREFIXES} prefixes", "context")
    return prefixes


def plain_space(namespace: str) -> str:
    """A namespace as we keep it: CBV's master data is written with and without a colon behind."""
    return MASTER_DATA if namespace == MASTER_DATA + ":" else namespace


def expand_curie(text: str, known: dict[str, str]) -> str:
    """``prefix:name`` written out where the prefix is known; any other text as it is."""
    found = _CURIE.fullmatch(text)
    return known[found[1]] + found[2] if found and found[1] in known else text


def _check_known(url: str, path: str) -> None:
    if not _KNOWN.fullmatch(url):
        raise refuse(path, f"the context {url[:200]} is not the standard's; no other is fetched", "context")


def _read_prefixes(declared: dict[str, Any], path: str) -> dict[str, str]:
    return {name: uri for name, one in declared.items() if (uri := _read_prefix(name, one, path)) is not None}


def _read_prefix(name: str, declared: Any, path: str) -> str | None:
    if name in ("@version", "@protected"):
        return None
    if isinstance(declared, dict) and not declared.keys() - {"@id", "@type", "@container", "@prefix", "@protected"}:
        declared = declared.get("@id")
    if not _NAME.fullmatch(name) or not isinstance(declared, str) or not is_uri(declared):
        raise _refuse_term(name, path)
    if max(len(name), len(declared)) > LONGEST_NAMESPACE or UNWRITABLE.search(declared):
        raise refuse(path, "a prefix or a namespace is too long, or XML cannot carry it", "context")
    return plain_space(declared)


def _refuse_term(name: str, path: str) -> NotReadable:
    return refuse(f"{path}.{name[:100]}", "a context may declare prefixes and words with their URIs only", "context")
