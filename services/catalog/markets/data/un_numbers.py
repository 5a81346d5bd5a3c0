"""Dangerous goods by UN number: proper shipping name, class, subsidiary hazards, packing groups.

Source: UN Model Regulations on the Transport of Dangerous Goods, Rev. 23 (2023), chapter 3.2; GB 12268. A selection of
the goods that are traded most: a number that is not here may well exist.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from services.catalog.markets.data.table import read_table
from services.catalog.markets.words import Bilingual

SOURCE = "UN Model Regulations on the Transport of Dangerous Goods, Rev. 23 (2023), chapter 3.2; GB 12268"

PackingGroup = Literal["I", "II", "III"]


class UnNumber(msgspec.Struct, frozen=True, kw_only=True):
    """Goods of the dangerous goods list; ``number`` has four digits, ``groups`` is empty where the list has none."""

    number: str
    name: Bilingual
    hazard_class: str
    subsidiary: tuple[str, ...]
    groups: tuple[str, ...]


def _read() -> dict[str, UnNumber]:
    found = {}
    for number, (hazards, groups, en, zh) in read_table("un_numbers").items():
        first, *others = hazards.split("+")
        found[number] = UnNumber(
            number=number, name=Bilingual(zh=zh, en=en), hazard_class=first, subsidiary=tuple(others),
            groups=() if groups == "-" else tuple(groups.split("/")),
        )  # fmt: skip
    return found


UN_NUMBERS = _read()


def goods_of(number: str) -> UnNumber | None:
    """The goods of a number (1203, UN1203 or UN 1203); None where this table does not have it."""
    return UN_NUMBERS.get(number.upper().removeprefix("UN").strip())


def class_of(number: str) -> str | None:
    """The class or division of a number's goods: 3 for UN 1203."""
    found = goods_of(number)
    return found.hazard_class if found else None


def packing_groups_of(number: str) -> tuple[str, ...]:
    """The packing groups that a number's goods may have, none for gases and articles."""
    found = goods_of(number)
    return found.groups if found else ()
