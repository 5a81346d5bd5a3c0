"""Missed reads made good by what is known to be packed together (RFID.md 4.3): which children of a parent passed with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

LEAST_SHARE = 0.6


class Verdict(StrEnum):
    """All were read; the rest is inferred; only what was read; a child of another parent was among them."""

    VERIFIED = "completeness_verified"
    INFERRED = "completeness_inferred"
    READ_ONLY = "read_only"
    MISMATCH = "mismatch_instance"


class Pallet(msgspec.Struct, frozen=True, order=True):
    """A parent in a session: the children that passed, those of them that were not read, and strangers among them."""

    parent: str
    verdict: Verdict
    moved: tuple[str, ...]
    inferred: tuple[str, ...]
    foreign: tuple[str, ...]


def infer_pallets(read: Iterable[str], contents: Mapping[str, frozenset[str]]) -> list[Pallet]:
    """The parents in what was read, with what moved; ``contents`` has the known children of each parent.

    A stranger is a child of another parent that was not read itself and of which nothing else was: it rides along.
    """
    seen = frozenset(read)
    strangers = _strangers(seen, contents)
    return sorted(
        _judge(parent, children, seen, strangers)
        for parent, children in contents.items()
        if (parent in seen or children & seen) and not (children & seen) & strangers
    )


def _strangers(seen: frozenset[str], contents: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The children of parents that did not come, when exactly one parent did."""
    came = [parent for parent, children in contents.items() if parent in seen or _share(children, seen) >= LEAST_SHARE]
    if len(came) != 1:
        return frozenset()
    return frozenset(child for parent, children in contents.items() if parent not in came for child in children & seen)


def _share(children: frozenset[str], seen: frozenset[str]) -> float:
    return len(children & seen) / len(children) if children else 0.0


def _judge(parent: str, children: frozenset[str], seen: frozenset[str], strangers: frozenset[str]) -> Pallet:
    here, missing = tuple(sorted(children & seen)), tuple(sorted(children - seen))
    foreign = tuple(sorted(strangers))
    if foreign:
        return Pallet(parent, Verdict.MISMATCH, here, (), foreign)
    if not missing:
        return Pallet(parent, Verdict.VERIFIED, here, (), ())
    if parent in seen or _share(children, seen) >= LEAST_SHARE:
        return Pallet(parent, Verdict.INFERRED, tuple(sorted(children)), missing, ())
    return Pallet(parent, Verdict.READ_ONLY, here, (), ())
