"""Units of measure by their UN/ECE Recommendation 20 codes, so that 278.15 KEL is found where 5 CEL was written.

Each code is a quantity, a factor and an offset: value × factor + offset is the value in the quantity's first unit.
A code that is not here is compared only with itself.
"""

from __future__ import annotations

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """How a unit relates to the SI unit of its quantity."""

    quantity: str
    factor: float
    offset: float = 0.0


def _linear(quantity: str, **factors: float) -> dict[str, Unit]:
    return {code.removeprefix("_"): Unit(quantity, factor) for code, factor in factors.items()}


UNITS: dict[str, Unit] = {
    "KEL": Unit("temperature", 1.0),
    "CEL": Unit("temperature", 1.0, 273.15),
    "FAH": Unit("temperature", 5 / 9, 459.67 * 5 / 9),
    "A48": Unit("temperature", 5 / 9),
    **_linear("mass", KGM=1, GRM=1e-3, MGM=1e-6, MC=1e-9, TNE=1e3, LBR=0.45359237, ONZ=0.028349523125, STN=907.18474),
    **_linear(
        "length",
        MTR=1,
        MMT=1e-3,
        CMT=1e-2,
        DMT=0.1,
        KMT=1e3,
        _4H=1e-6,
        C45=1e-9,
        INH=0.0254,
        FOT=0.3048,
        YRD=0.9144,
        SMI=1609.344,
        NMI=1852,
    ),
    **_linear("area", MTK=1, CMK=1e-4, MMK=1e-6, KMK=1e6, HAR=1e4, FTK=0.09290304),
    **_linear("volume", MTQ=1, LTR=1e-3, DLT=1e-4, CLT=1e-5, MLT=1e-6, CMQ=1e-6, HLT=0.1, GLL=0.003785411784),
    **_linear("time", SEC=1, C26=1e-3, MIN=60, HUR=3600, DAY=86_400, WEE=604_800),
    **_linear("speed", MTS=1, KMH=1 / 3.6, HM=0.44704, KNT=1852 / 3600),
    **_linear("acceleration", MSK=1, A76=0.01, K40=9.80665),
    **_linear("pressure", PAL=1, A97=100, KPA=1e3, MPA=1e6, BAR=1e5, MBR=100, ATM=101_325, PS=6894.757293168),
    **_linear("angle", C81=1, DD=0.017453292519943295, M43=0.0009817477042468104),
    **_linear("force", NEW=1, B47=1e3),
    **_linear("energy", JOU=1, KJO=1e3, _3B=1e6, WHR=3600, KWH=3.6e6, MWH=3.6e9),
    **_linear("power", WTT=1, KWT=1e3, MAW=1e6),
    **_linear("voltage", VLT=1, _2Z=1e-3, KVT=1e3),
    **_linear("current", AMP=1, _4K=1e-3),
    **_linear("frequency", HTZ=1, KHZ=1e3, MHZ=1e6),
    **_linear("ratio", C62=1, P1=0.01, _59=1e-6),
    **_linear("mass per volume", KMQ=1, A93=1e-3, GL=1, M1=1e-3, GP=1e-6),
    **_linear("substance", C34=1, C18=1e-3),
    **_linear("substance per volume", C36=1, C35=1e3),
    **_linear("illuminance", LUX=1, KLX=1e3),
    **_linear("memory", AD=1, _2P=1e3, _4L=1e6),
    **_linear("piece", H87=1, EA=1, PR=2, DZN=12),
}


def convert(value: float, unit: str, *, to: str) -> float | None:
    """The value in another unit; None when the two do not measure the same thing or are not known."""
    if unit == to:
        return value
    given, wanted = UNITS.get(unit), UNITS.get(to)
    if given is None or wanted is None or given.quantity != wanted.quantity:
        return None
    return (value * given.factor + given.offset - wanted.offset) / wanted.factor


def base(value: float, unit: str) -> tuple[str, float]:
    """What an index compares: the quantity and the value in its first unit, or the code itself where it is unknown."""
    known = UNITS.get(unit)
    return (unit, value) if known is None else (known.quantity, value * known.factor + known.offset)
