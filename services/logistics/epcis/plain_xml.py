"""Writes what is no event as XML for those who ask for it: each member an element of its name, each item one of its own."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from services.logistics.epcis.fields import UNWRITABLE

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_SPACE = "urn:epcglobal:epcis:xsd:2"


def write_plain_xml(name: str, value: Any) -> bytes:
    """A document whose root is ``name`` in the namespace of EPCIS, from values as JSON has them, in UTF-8."""
    inside = "".join(_write_members(value))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<epcis:{name} xmlns:epcis="{_SPACE}">{inside}</epcis:{name}>'.encode()
    )


def _write_members(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [_write(name, one) for name, one in value.items() if one is not None and not name.startswith("@")]
    if isinstance(value, list):
        return [_write("item", one) for one in value]
    return [_write_text(value)]


def _write(name: str, value: Any) -> str:
    tag = name if _NAME.fullmatch(name) else "item"
    if isinstance(value, list):
        return "".join(_write(tag, one) for one in value)
    return f"<{tag}>{''.join(_write_members(value))}</{tag}>"


def _write_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(UNWRITABLE.sub("", str(value)))
