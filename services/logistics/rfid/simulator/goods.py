"""Pallets, containers and loose pieces with their tags, in codings of the Tag Data Standard, and what papers say of them."""

from __future__ import annotations

from random import Random

import msgspec

from services.logistics.rfid.tds import encode

COMPANY, STRANGER = "6901234", "4012345"
GLUED_DB, GLUED_SPREAD_DB = 4.0, 2.5
HIDDEN_SHARE, HIDDEN_DB = 0.03, 10.0
"""Three tags of a hundred sit behind metal or liquid."""


class Tag(msgspec.Struct, frozen=True):
    """A tag on a load: its EPC, where it sits (behind the load's front, aside, up), and what its place costs it in dB one way."""

    epc: str
    behind: float
    aside: float
    up: float
    loss_db: float


class Pallet(msgspec.Struct, frozen=True):
    """What moves as one: ``parent`` is the tag of the pallet or container, "" of loose pieces; ``cases`` all others on it.

    ``booked`` is what papers say that it holds: now and then not what it does.
    """

    parent: str
    tags: tuple[Tag, ...]
    cases: frozenset[str]
    booked: frozenset[str]
    is_announced: bool


class Maker:
    """Makes goods, each tag once."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._serial = chance.randrange(10**6)

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def case(self, company: str = COMPANY) -> str:
        """The EPC of a case (SGTIN-96)."""
        return encode(f"urn:epc:tag:sgtin-96:1.{company}.{self._chance.randrange(10**5):06d}.{self._next()}")

    def pallet(self, *, wrong_share: float) -> Pallet:
        """A pallet of 8 to 28 cases with its SSCC-96; a few times in a hundred a case is missing, or a stranger among them."""
        parent = encode(f"urn:epc:tag:sscc-96:2.{COMPANY}.{self._next():010d}")
        booked = [self.case() for _ in range(self._chance.randint(8, 28))]
        on_it = list(booked)
        if self._chance.random() < wrong_share:
            on_it.pop(self._chance.randrange(len(on_it)))
        if self._chance.random() < wrong_share / 2:
            on_it.append(self.case())
        return self._load(parent, on_it, booked)

    def container(self) -> Pallet:
        """A container with its own tag and its seal's (GRAI-96, GIAI-96), whose goods nobody hears through the steel."""
        parent = encode(f"urn:epc:tag:grai-96:0.{COMPANY}.12345.{self._next()}")
        seal = encode(f"urn:epc:tag:giai-96:0.{COMPANY}.{self._next()}")
        return self._load(parent, [seal], [seal])

    def pieces(self) -> Pallet:
        """Loose pieces on a truck, one to eight of them."""
        cases = [self.case() for _ in range(self._chance.randint(1, 8))]
        return self._load("", cases, cases)

    def _load(self, parent: str, on_it: list[str], booked: list[str]) -> Pallet:
        epcs = [parent, *on_it] if parent else on_it
        return Pallet(
            parent,
            tuple(map(self._tag, epcs)),
            frozenset(on_it),
            frozenset(booked),
            is_announced=self._chance.random() < 0.5,
        )

    def _tag(self, epc: str) -> Tag:
        chance = self._chance
        loss_db = abs(chance.gauss(GLUED_DB, GLUED_SPREAD_DB)) + HIDDEN_DB * (chance.random() < HIDDEN_SHARE)
        return Tag(epc, chance.uniform(0, 1.2), chance.uniform(-0.4, 0.4), chance.uniform(0.2, 1.8), loss_db)
