"""Places that trade names: cities, ports and places to travel to, with UN/LOCODE where there is a certain one.

Source: UN/LOCODE 2024-1 (UN/ECE Recommendation 16) for codes; coordinates in degrees (WGS 84) to about a kilometre, of
the city's centre or the port.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import msgspec

from services.catalog.markets.data.table import read_table

SOURCE = "UN/LOCODE 2024-1 (UN/ECE Recommendation 16); coordinates WGS 84"
# What stands behind a name without making it another place; the longer first.
_ENDINGS = ("新港", "特别行政区", "市", "港", "县", "区", "port", "city")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place: ``code`` is its UN/LOCODE or empty, ``country`` its ISO 3166-1 code; ``lat`` and ``lon`` are degrees."""

    code: str
    zh: str
    en: str
    pinyin: str
    country: str
    lat: float
    lon: float
    also: tuple[str, ...] = ()


def _read() -> tuple[Place, ...]:
    return tuple(
        Place(code=code, zh=zh, en=en, pinyin=pinyin, country=country, lat=lat, lon=lon, also=tuple(also))
        for country, rows in read_table("places").items()
        for code, zh, en, pinyin, lat, lon, *also in rows
    )


PLACES = _read()


@cache
def _by_name() -> dict[str, Place]:
    found: dict[str, Place] = {}
    for names in (lambda p: (p.code, p.zh, p.en), lambda p: p.also, lambda p: (p.pinyin,)):
        for place in PLACES:
            for name in names(place):
                if name:
                    found.setdefault(_fold(name), place)
    return found


def _fold(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).lower() if sign.isalnum())


def find_place(text: str) -> Place | None:
    """The place that a text names by its code or a name in Chinese, English or pinyin; None where it names none.

    Words such as 市, 港 and port behind a name do not count: 天津港 is found as 天津 unless it has a row of its own.
    """
    folded = _fold(text)
    if found := _by_name().get(folded):
        return found
    for ending in _ENDINGS:
        if folded.endswith(ending) and (found := _by_name().get(folded.removesuffix(ending))):
            return found
    return None
