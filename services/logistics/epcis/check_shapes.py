"""What each field of an event holds: present where it must be, of the right kind, and nothing unknown beside it.

What a JSON schema would say, said once for every syntax, with our own paths.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from services.logistics.epcis.fields import (
    EPC_LISTS,
    EPCIS_SPACES,
    FIELDS,
    METADATA,
    NUMBERS,
    PAIRS,
    PLACES,
    QUANTITY_LISTS,
    REPORT,
    UNWRITABLE,
    Event,
    is_extension,
    is_name,
    split_name,
)
from services.logistics.epcis.findings import MOST_FINDINGS, Finding
from services.logistics.epcis.identifiers import is_uri

LONGEST, LONGEST_NAME = 10_000, 1_000
_RESERVED = (*EPCIS_SPACES, "http://www.w3.org/2000/xmlns/")
"""Namespaces of which nobody has names of their own: in XML they would mean something else."""


def check_shapes(event: Event, path: str) -> list[Finding]:
    """What is missing, misshapen or unknown."""
    shapes = _Shapes()
    fields, known = event.fields, FIELDS[event.type]
    for name in ("eventTime", "eventTimeZoneOffset", *(() if event.type == "TransformationEvent" else ("action",))):
        if fields.get(name) is None:
            shapes.tell(f"{path}.{name}", "is missing", "required")
    for name, value in fields.items():
        if name not in known:
            shapes.extension(name, value, path)
        else:
            _CHECKS.get(name, _Shapes.text)(shapes, value, f"{path}.{name}")
    return shapes.findings


class _Shapes:
    """Gathers what is wrong while it walks."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def tell(self, path: str, detail: str, rule: str = "shape") -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(path, detail, rule))

    def text(self, value: Any, path: str) -> None:
        if not isinstance(value, str) or not value or len(value) > LONGEST:
            self.tell(path, "is not a text of a sensible length")
        elif UNWRITABLE.search(value):
            self.tell(path, "has characters that XML cannot carry")

    def texts(self, value: Any, path: str) -> None:
        if not isinstance(value, list):
            self.tell(path, "is not a list")
            return
        for place, one in enumerate(value):
            self.text(one, f"{path}[{place}]")

    def text_or_texts(self, value: Any, path: str) -> None:
        (self.texts if isinstance(value, list) else self.text)(value, path)

    def place(self, value: Any, path: str) -> None:
        self.struct(value, path, {"id": _Shapes.text}, ("id",))

    def quantities(self, value: Any, path: str) -> None:
        checks = {"epcClass": _Shapes.text, "quantity": _Shapes.number, "uom": _Shapes.text}
        self.structs(value, path, checks, ("epcClass",))

    def ilmd(self, value: Any, path: str) -> None:
        self.struct(value, path, {}, ())

    def lasting(self, value: Any, path: str) -> None:
        self.struct(value, path, {"set": _Shapes.texts, "unset": _Shapes.texts}, ())
        self.unextended([value], path)

    def error(self, value: Any, path: str) -> None:
        checks = {"declarationTime": _Shapes.text, "reason": _Shapes.text, "correctiveEventIDs": _Shapes.texts}
        self.struct(value, path, checks, ("declarationTime",))

    def sensors(self, value: Any, path: str) -> None:
        checks = {"sensorMetadata": _Shapes.metadata, "sensorReport": _Shapes.reports}
        self.structs(value, path, checks, ("sensorReport",))

    def metadata(self, value: Any, path: str) -> None:
        self.struct(value, path, dict.fromkeys(METADATA, _Shapes.text), ())

    def reports(self, value: Any, path: str) -> None:
        self.structs(value, path, _REPORT_CHECKS, ("type",))

    def number(self, value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) > 1e300:
            self.tell(path, "is not a number")

    def boolean(self, value: Any, path: str) -> None:
        if not isinstance(value, bool):
            self.tell(path, "is neither true nor false")

    def structs(self, value: Any, path: str, checks: dict[str, Check], wanted: tuple[str, ...]) -> None:
        if not isinstance(value, list):
            self.tell(path, "is not a list")
            return
        for place, one in enumerate(value):
            self.struct(one, f"{path}[{place}]", checks, wanted)

    def struct(self, value: Any, path: str, checks: dict[str, Check], wanted: tuple[str, ...]) -> None:
        if not isinstance(value, dict):
            self.tell(path, "is not an object")
            return
        for name in wanted:
            if value.get(name) is None:
                self.tell(f"{path}.{name}", "is missing", "required")
        for name, one in value.items():
            if check := checks.get(name):
                check(self, one, f"{path}.{name}")
            else:
                self.extension(name, one, path)

    def unextended(self, values: Any, path: str) -> None:
        for value in values if isinstance(values, list) else ():
            for name in value if isinstance(value, dict) else ():
                if is_extension(name):
                    self.tell(f"{path}.{name[:200]}", "stands where EPCIS has no room for extensions", "unknown")

    def extension(self, name: str, value: Any, path: str) -> None:
        if not is_extension(name):
            self.tell(f"{path}.{name[:100]}", "is no field of EPCIS, and an extension has a namespace", "unknown")
        elif not _fits_xml(name):
            self.tell(f"{path}.{name[:200]}", "is no name that XML could carry under a URI", "unknown")
        else:
            self.anything(value, f"{path}.{name}")

    def anything(self, value: Any, path: str) -> None:
        if isinstance(value, str):
            if UNWRITABLE.search(value):
                self.tell(path, "has characters that XML cannot carry")
        elif isinstance(value, list):
            for one in value:
                self.anything(one, path)
        elif isinstance(value, dict):
            for name, one in value.items():
                if name != "#text" and not _fits_xml(name.removeprefix("@")):
                    self.tell(f"{path}.{name[:200]}", "is no name that XML could carry under a URI", "unknown")
                if name[:1] in "@#" and isinstance(one, (dict, list)):
                    self.tell(f"{path}.{name[:200]}", "is an attribute or a text, and holds more than one value")
                self.anything(one, path)


def _fits_xml(name: str) -> bool:
    return len(name) <= LONGEST_NAME and _fits_xml_if_short(name)


@lru_cache(4_096)
def _fits_xml_if_short(name: str) -> bool:
    space, local = split_name(name)
    return is_name(local) and (not is_extension(name) or (is_uri(space) and space not in _RESERVED))


Check = Callable[[_Shapes, Any, str], None]
_REPORT_CHECKS: dict[str, Check] = {
    **dict.fromkeys(REPORT, _Shapes.text),
    **dict.fromkeys(NUMBERS - {"quantity"}, _Shapes.number),
    "booleanValue": _Shapes.boolean,
}


def _check_pairs(what: str) -> Check:
    def check(shapes: _Shapes, value: Any, path: str) -> None:
        shapes.structs(value, path, {"type": _Shapes.text, what: _Shapes.text}, (what,))
        shapes.unextended(value, path)

    return check


_CHECKS: dict[str, Check] = {
    **dict.fromkeys(EPC_LISTS, _Shapes.texts),
    **dict.fromkeys(QUANTITY_LISTS, _Shapes.quantities),
    **dict.fromkeys(PLACES, _Shapes.place),
    **{name: _check_pairs(what) for name, what in PAIRS.items()},
    "certificationInfo": _Shapes.text_or_texts,
    "persistentDisposition": _Shapes.lasting,
    "errorDeclaration": _Shapes.error,
    "sensorElementList": _Shapes.sensors,
    "ilmd": _Shapes.ilmd,
}
