"""Well-formed bodies and hostile ones, made from the OpenAPI document."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

TEXTS = [
    "abc12", "CNY", "TNE", "1", "CN", "12.5", "303425600000000000000001", "2026-03-20T08:00:00Z", "2026-03-20", "P1D",
    "someone@sample.haihe.example", "https://www.example.org/a", "A" * 32, "A" * 64, "a" * 64, "abcdefgh-1234", "6222000000000001",
]  # fmt: skip
FORMATS = {"date-time": "2026-03-20T08:00:00Z", "date": "2026-03-20", "duration": "P1D", "decimal": "1"}
HUGE = "9" * 400
HOSTILE: list[Any] = [
    None, True, -1, 1.5, 2**63, -(2**63) - 1, 10**40, "", " \u0000", "a\nb\u0007", "x" * 100_000, "NaN", "Infinity", "-Infinity",
    "1e1000000", "１２", HUGE, "' OR 1=1 --", "<script>", "../../etc/passwd", "%00", "\ufeff", [], ["x"] * 3, [[]], {}, {"$gt": ""},
]  # fmt: skip


class Schemas:
    """Resolves references of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def of(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema itself, references followed."""
        while "$ref" in schema:
            found: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def sample(self, schema: dict[str, Any]) -> Any:
        """A value that the schema takes."""
        schema = self.of(schema)
        if "enum" in schema:
            return schema["enum"][0]
        if "const" in schema:
            return schema["const"]
        if "anyOf" in schema:
            return self.sample(next(each for each in schema["anyOf"] if each.get("type") != "null"))
        kind = schema.get("type")
        if kind == "object":
            required = schema.get("required", ())
            return {name: self.sample(each) for name, each in schema.get("properties", {}).items() if name in required}
        if kind == "array":
            return [self.sample(schema["items"])] * max(1, schema.get("minItems", 1))
        if kind == "integer":
            return max(1, schema.get("minimum", 1))
        if kind == "number":
            return 1
        if kind == "boolean":
            return True
        return self._text(schema)

    def _text(self, schema: dict[str, Any]) -> str:
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        if schema.get("pattern", "").startswith("^[A-Z0-9]{2,3}"):
            return "TNE"
        for text in TEXTS:
            if schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 10**9) and re.search(
                schema.get("pattern", ""), text
            ):
                return text
        raise AssertionError(f"no sample text for {schema}")

    def accepts(self, schema: dict[str, Any], value: Any) -> bool:
        """Whether the schema would take the value (enough of JSON Schema for what the document uses)."""
        schema = self.of(schema)
        if "anyOf" in schema:
            return any(self.accepts(each, value) for each in schema["anyOf"])
        if "enum" in schema:
            return value in schema["enum"]
        kind = schema.get("type")
        kinds = {
            "object": dict,
            "array": list,
            "string": str,
            "integer": int,
            "number": (int, float),
            "boolean": bool,
            "null": type(None),
        }
        if kind in kinds and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean")):
            return False
        if kind == "string":
            fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9)
            return fits and schema.get("format") not in FORMATS and bool(re.search(schema.get("pattern", ""), value))
        if kind in ("integer", "number"):
            return schema.get("minimum", value) <= value <= schema.get("maximum", value)
        if kind == "array":
            return len(value) >= schema.get("minItems", 0) and all(
                self.accepts(schema["items"], each) for each in value
            )
        if kind == "object":
            return not schema.get("required") and (not value or schema.get("additionalProperties", True) is not False)
        return True

    def fields(self, schema: dict[str, Any], path: str = "$") -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
        """Each field below a schema: its path as a problem names it, the keys that lead to it, its schema."""
        schema = self.of(schema)
        if "anyOf" in schema:
            schema = self.of(next(each for each in schema["anyOf"] if each.get("type") != "null"))
        for name, each in schema.get("properties", {}).items():
            yield f"{path}.{name}", [name], each
            for below, keys, found in self.fields(each, f"{path}.{name}"):
                yield below, [name, *keys], found
        if schema.get("type") == "array":
            for below, keys, found in self.fields(schema["items"], f"{path}[0]"):
                yield below, [0, *keys], found


def with_value(body: Any, keys: list[Any], value: Any, schemas: Schemas, schema: dict[str, Any]) -> Any:
    """A copy of the body with one field set, optional parents filled in."""
    body = copy.deepcopy(body)
    here, at = body, schema
    for key in keys[:-1]:
        at = _step(schemas, at, key)
        if isinstance(here, dict) and key not in here:
            here[key] = schemas.sample(at)
        here = here[key]
    here[keys[-1]] = value
    return body


def _step(schemas: Schemas, schema: dict[str, Any], key: Any) -> dict[str, Any]:
    schema = schemas.of(schema)
    if "anyOf" in schema:
        schema = schemas.of(next(each for each in schema["anyOf"] if each.get("type") != "null"))
    return schema["items"] if isinstance(key, int) else schema["properties"][key]
