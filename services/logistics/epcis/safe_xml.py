"""Reads XML from strangers into a small tree, within limits: no document type, hence no entities, and nothing is fetched."""

from __future__ import annotations

from xml.parsers import expat

import msgspec

from services.logistics.epcis.findings import TooLarge, refuse
from services.logistics.epcis.limits import LONGEST_NAMESPACE, MOST_BYTES, MOST_PREFIXES, MOST_VALUES

MOST_ATTRIBUTES = 100
DEEPEST = 64
LONGEST_NAME = 1_000
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_NONE: dict[str, str] = {}


class Node(msgspec.Struct, gc=False):
    """An element: ``{namespace}name`` or a plain name, its attributes, the text before its first child, its children,
    and the prefixes that it declares."""

    name: str
    attributes: dict[str, str]
    children: list[Node]
    prefixes: dict[str, str]
    text: str = ""


def parse_xml(body: bytes) -> Node:
    """The root of a document. Raises NotReadable."""
    if len(body) > MOST_BYTES:
        raise TooLarge(f"there are more than {MOST_BYTES} bytes")
    builder = _Builder()
    try:
        builder.parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise refuse("$", f"this is not well-formed XML: {str(error)[:200]}") from None
    return builder.root


class _Builder:
    """Collects what expat tells; text after a child is dropped, as no EPCIS element mixes text and elements."""

    def __init__(self) -> None:
        self.root = Node("", {}, [], {})
        self._open: list[Node] = [self.root]
        self._texts: list[str] = []
        self._declared: dict[str, str] = {}
        self._namespaces: set[str] = set()
        self._count = 0
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._texts.append
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = self._refuse_doctype
        self.parser = parser

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if not uri:
            return
        self._namespaces.add(uri)
        if prefix:
            self._declared[prefix] = uri
        if max(len(prefix or ""), len(uri)) > LONGEST_NAMESPACE:
            raise refuse("$", "a namespace or its prefix is too long", "limit")
        if max(len(self._namespaces), len(self._declared)) > MOST_PREFIXES:
            raise refuse("$", "there are too many namespaces, or one has too many prefixes", "limit")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if max(map(len, attributes), default=len(name)) > LONGEST_NAME or len(name) > LONGEST_NAME:
            raise refuse("$", f"a name is longer than {LONGEST_NAME} letters", "limit")
        if self._count > MOST_VALUES or len(attributes) > MOST_ATTRIBUTES:
            raise TooLarge("there are too many elements or attributes")
        if len(self._open) > DEEPEST:
            raise refuse("$", f"elements are nested deeper than {DEEPEST} levels", "limit")
        self._take_text()
        told = {_name(key): value for key, value in attributes.items()} if attributes else _NONE
        if any(_INSTANCE in key for key in told):
            told = {key: value for key, value in told.items() if _INSTANCE not in key}
        node = Node(_name(name), told, [], _NONE)
        if self._declared:
            node.prefixes, self._declared = self._declared, {}
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, name: str) -> None:
        self._take_text()
        node = self._open.pop()
        if len(self._open) == 1:
            self.root = node

    def _take_text(self) -> None:
        if self._texts and not self._open[-1].children:
            self._open[-1].text = "".join(self._texts).strip()
        self._texts.clear()

    def _refuse_doctype(self, *_: object) -> None:
        raise refuse("$", "the document declares a document type or an entity", "doctype")


def _name(told: str) -> str:
    return "{" + told if "}" in told else told
