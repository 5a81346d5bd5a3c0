"""Reads XML from strangers into a small tree, within limits: no document type, hence no entities, and nothing is fetched."""

from __future__ import annotations

from xml.parsers import expat

import msgspec

from services.logistics.epcis.findings import LIMIT, Finding, NotReadable, refuse

MOST_BYTES = 32 << 20
MOST_ELEMENTS = 1_000_000
MOST_ATTRIBUTES = 100
DEEPEST = 64
LONGEST_NAME = 1_000
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


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
        raise NotReadable(Finding("$", f"there are more than {MOST_BYTES} bytes", "limit"), kind=LIMIT)
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
        self._count = 0
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._texts.append
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = self._refuse_doctype
        self.parser = parser

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if prefix and uri:
            self._declared[prefix] = uri

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if max(map(len, attributes), default=len(name)) > LONGEST_NAME or len(name) > LONGEST_NAME:
            raise refuse("$", f"a name is longer than {LONGEST_NAME} letters", "limit")
        if self._count > MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
            raise NotReadable(Finding("$", "there are too many elements or attributes", "limit"), kind=LIMIT)
        if len(self._open) > DEEPEST:
            raise refuse("$", f"elements are nested deeper than {DEEPEST} levels", "limit")
        self._take_text()
        told = {_name(key): value for key, value in attributes.items()} if attributes else {}
        node = Node(_name(name), {key: value for key, value in told.items() if _INSTANCE not in key}, [], {})
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
