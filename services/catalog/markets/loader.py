"""Reads market packs and refuses one with a mistake, naming file, key and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chassis.values import read_wire, write_wire
from services.catalog.markets import attribute_mistakes, index_mistakes, mistakes, rule_mistakes, term_mistakes
from services.catalog.markets.clauses import fill_in_shared, find_bad_clauses
from services.catalog.markets.pack import Bilingual, Pack
from services.catalog.markets.sources import PackError, Source, read_source

__all__ = ["FOLDER", "PackError", "load_pack", "load_packs", "read_pack"]

FOLDER = Path(__file__).parent / "packs"
_strange = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_located = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<key>[^`]*)`)?", re.DOTALL)


@cache
def load_packs(folder: Path = FOLDER) -> dict[str, Pack]:
    """Every pack of a folder by its market: a file, or a folder of files that together are one. Raises PackError."""
    packs: dict[str, Pack] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".toml" and not (path.is_dir() and any(path.glob("*.toml"))):
            continue
        pack = load_pack(path)
        if pack.market in packs:
            raise PackError(path.name, "market", f"another file is the market {pack.market!r} already")
        packs[pack.market] = pack
    return packs


def load_pack(path: Path) -> Pack:
    """The pack in a file, or in the TOML files of a folder. Raises PackError and OSError."""
    if not path.is_dir():
        return read_pack(path.name, path.read_bytes())
    files = {f"{path.name}/{each.name}": each.read_bytes() for each in sorted(path.glob("*.toml"))}
    if not files:
        raise PackError(path.name, "", "has no TOML file in it")
    return _read(read_source(files))


def read_pack(file: str, content: bytes) -> Pack:
    """The pack in a file's content. Raises PackError."""
    return _read(read_source({file: content}))


def _read(source: Source) -> Pack:
    if isinstance(clauses := source.data.get("clauses"), list):
        source.data["clauses"] = fill_in_shared(clauses)
    try:
        pack = msgspec.convert(source.data, Pack, dec_hook=read_wire)
    except msgspec.ValidationError as error:
        raise source.refuse(*_locate(str(error))) from None
    for key, reason in _find_mistakes(pack, source.data):
        raise source.refuse(key, reason)
    return pack


def _locate(message: str) -> tuple[str, str]:
    """The key and the reason of what msgspec has found; a key that there is not is named itself."""
    found = _located.fullmatch(message)
    key, reason = (found["key"] or "", found["reason"]) if found else ("", message)
    if (strange := _strange.fullmatch(reason)) is not None:
        return f"{key}.{strange['name']}".lstrip("."), "there is no such key"
    return key, reason


def _find_mistakes(pack: Pack, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong in a pack, in an order in which a later check may rely on what the earlier ones have passed."""
    known = msgspec.to_builtins(pack, enc_hook=write_wire)
    yield from _find_unknown_keys(data, known, "")
    yield from _find_blank_texts(pack, "")
    yield from term_mistakes.find_bad_terms(pack)
    yield from term_mistakes.find_bad_conversions(pack)
    yield from attribute_mistakes.find_bad_headings(pack)
    yield from attribute_mistakes.find_bad_choices(pack)
    yield from attribute_mistakes.find_bad_attributes(pack)
    yield from attribute_mistakes.find_bad_examples(pack)
    yield from attribute_mistakes.find_bad_columns(pack)
    yield from mistakes.find_bad_titles(pack, "title", pack.title, ())
    yield from mistakes.find_bad_types(pack)
    yield from mistakes.find_untyped(pack)
    yield from mistakes.find_bad_units(pack)
    yield from mistakes.find_bad_certificate(pack)
    yield from rule_mistakes.find_bad_rules(pack)
    yield from rule_mistakes.find_bad_modes(pack)
    yield from index_mistakes.find_bad_indices(pack)
    yield from index_mistakes.find_bad_synonyms(pack)
    yield from find_bad_clauses(pack.clauses)


def _find_unknown_keys(data: Any, known: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            here = f"{path}.{key}" if path else key
            if key not in known:
                yield here, "there is no such key"
            else:
                yield from _find_unknown_keys(value, known[key], here)


def _find_blank_texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts in two languages of which one says nothing."""
    if isinstance(value, Bilingual):
        for language in ("zh", "en"):
            if not getattr(value, language).strip():
                yield f"{path}.{language}", "is empty"
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _find_blank_texts(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _find_blank_texts(item, f"{path}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _find_blank_texts(item, f"{path}.{key}")
