"""Master data as the JSON binding shapes it: vocabularies of elements with attributes and children."""

from __future__ import annotations

from typing import Any

from services.logistics.epcis.fields import UNWRITABLE
from services.logistics.epcis.findings import refuse

DEEPEST = 16


def read_vocabularies(listed: Any, path: str) -> list[dict[str, Any]]:
    """The vocabularies in a ``vocabularyList``, of the shape that every writer may rely on. Raises NotReadable."""
    return [_read_vocabulary(one, f"{path}[{place}]") for place, one in enumerate(_list(listed, path))]


def _read_vocabulary(given: Any, path: str) -> dict[str, Any]:
    elements = _list(_object(given, path).get("vocabularyElementList", []), f"{path}.vocabularyElementList")
    return {
        "type": _text(given.get("type"), f"{path}.type"),
        "vocabularyElementList": [
            _read_element(one, f"{path}.vocabularyElementList[{place}]") for place, one in enumerate(elements)
        ],
    }


def _read_element(given: Any, path: str) -> dict[str, Any]:
    element: dict[str, Any] = {"id": _text(_object(given, path).get("id"), f"{path}.id")}
    if "attributes" in given:
        element["attributes"] = [
            _read_attribute(one, f"{path}.attributes[{place}]")
            for place, one in enumerate(_list(given["attributes"], f"{path}.attributes"))
        ]
    if "children" in given:
        children = _list(given["children"], f"{path}.children")
        element["children"] = [_text(one, f"{path}.children[{place}]") for place, one in enumerate(children)]
    return element


def _read_attribute(given: Any, path: str) -> dict[str, Any]:
    value = _object(given, path).get("attribute", "")
    return {"id": _text(given.get("id"), f"{path}.id"), "attribute": _read_value(value, f"{path}.attribute", 0)}


def _read_value(value: Any, path: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise refuse(path[:200], f"is nested deeper than {DEEPEST} levels", "limit")
    if isinstance(value, dict):
        return {name: _read_value(one, f"{path}.{name[:50]}", depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_read_value(one, path, depth + 1) for one in value]
    return _text(value, path) if isinstance(value, str) else "" if value is None else value


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise refuse(path, "is not an object", "shape")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise refuse(path, "is not a list", "shape")
    return value


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise refuse(path, "is not a text", "shape")
    if UNWRITABLE.search(value):
        raise refuse(path, "has characters that XML cannot carry", "shape")
    return value
