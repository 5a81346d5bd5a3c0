"""The files that a pack is written in, put together as one, so that a mistake is still told with the file that has it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 4 << 20
_item = re.compile(r"\[(?P<place>[0-9]+)\]")


class PackError(Exception):
    """A market pack has a mistake."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file, self.key, self.reason = file, key, reason


@dataclass
class Source:
    """What files say together. ``origins``: for the path of a value the files that it came from; a list may come from
    several, each with its number of items.
    """

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    def refuse(self, key: str, reason: str) -> PackError:
        """The mistake at a key, with the file that has it; an item of a list is counted in that file."""
        for found in reversed([*_item.finditer(key)]):
            path = key[: found.start()]
            if path in self.origins:
                file, place = _locate(self.origins[path], int(found["place"]))
                return PackError(file, f"{path}[{place}]{key[found.end() :]}", reason)
        path = key
        while path not in self.origins:
            path = path.rpartition(".")[0]
        return PackError(self.origins[path][0][0], key, reason)

    def take_in(self, file: str, data: Mapping[str, Any]) -> None:
        """Add what a file says: its tables are merged, its lists go behind those of the same key. Raises PackError."""
        self.origins.setdefault("", []).append((file, 0))
        self._merge(file, self.data, data, "")

    def _merge(self, file: str, into: dict[str, Any], data: Mapping[str, Any], path: str) -> None:
        for key, value in data.items():
            here = f"{path}.{key}" if path else key
            if key not in into:
                into[key] = {} if isinstance(value, dict) else value
            elif isinstance(value, list) and isinstance(into[key], list):
                into[key] = into[key] + value
            elif not (isinstance(value, dict) and isinstance(into[key], dict)):
                raise PackError(file, here, f"stands in {self.origins[here][0][0]} already")
            self.origins.setdefault(here, []).append((file, len(value) if isinstance(value, list) else 0))
            if isinstance(value, dict):
                self._merge(file, into[key], value, here)


def read_source(files: Mapping[str, bytes]) -> Source:
    """What TOML files say together. Raises PackError."""
    source = Source()
    for file, content in files.items():
        if len(content) > MAX_BYTES:
            raise PackError(file, "", f"is larger than {MAX_BYTES >> 20} MiB")
        try:
            data = tomllib.loads(content.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PackError(file, "", f"is not TOML in UTF-8: {error}") from None
        source.take_in(file, data)
    return source


def _locate(parts: list[tuple[str, int]], place: int) -> tuple[str, int]:
    for file, count in parts:
        if place < count:
            return file, place
        place -= count
    return parts[-1][0], place
