"""Theoretical weights: formula and table in exact decimals, rounded once, half up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.markets.loader import load_packs

PACK = load_packs()["steel"]
TABLE = {
    "6": "0.222", "8": "0.395", "10": "0.617", "12": "0.888", "14": "1.21", "16": "1.58", "18": "2.00", "20": "2.47",
    "22": "2.98", "25": "3.85", "28": "4.83", "32": "6.31", "36": "7.99", "40": "9.87", "50": "15.42",
}  # fmt: skip


def weigh(**attributes: str) -> str | None:
    weight = PACK.weigh(attributes)
    return None if weight is None else str(weight)


@pytest.mark.parametrize(
    ("thickness", "width", "length", "weight"),
    [
        ("20", "2000", "8000", "2512 KGM"),
        ("5.5", "1250", "6000", "324 KGM"),  # 323.8125
        ("10", "1000", "1000", "79 KGM"),  # 78.5, the half
        ("10", "1000", "999.9", "78 KGM"),  # 78.49215
    ],
)
def test_plates(thickness: str, width: str, length: str, weight: str) -> None:
    assert weigh(kind="heavy_plate", thickness_mm=thickness, width_mm=width, length_mm=length) == weight


@pytest.mark.parametrize(
    ("diameter", "length", "count", "weight"),
    [
        ("12", "12000", "100", "1066 KGM"),  # 0.888 × 12 × 100 = 1065.6
        ("25", "9000", "1", "35 KGM"),  # 34.65
        ("18", "12000", "25", "600 KGM"),
        ("13", "12000", "100", None),
    ],
)
def test_rebar(diameter: str, length: str, count: str, weight: str | None) -> None:
    assert weigh(kind="rebar", diameter_mm=diameter, length_mm=length, count=count) == weight


@pytest.mark.parametrize(
    ("kind", "section", "length", "count", "weight"),
    [
        ("h_section", "H300*300*10*15", "12000", "4", "4464 KGM"),  # 93.0 × 12 × 4
        ("h_section", "HW 300×300×10×15", "12000", "4", "4464 KGM"),
        ("h_section", "HN400x200x8x13", "9000", "1", "589 KGM"),  # 65.4 × 9 = 588.6
        ("i_section", "20a", "12000", "10", "3351 KGM"),  # 27.929 × 120 = 3351.48
        ("i_section", "20#A", "12000", "10", "3351 KGM"),
        ("channel", "20a", "12000", "10", "2716 KGM"),  # 22.637 × 120 = 2716.44
        ("angle", "100*10", "6000", "1", "91 KGM"),  # 15.120 × 6 = 90.72
        ("angle", "L100x10", "6000", "1", "91 KGM"),
        ("channel", "100*10", "6000", "1", None),
        ("angle", "20a", "6000", "1", None),
    ],
)
def test_sections(kind: str, section: str, length: str, count: str, weight: str | None) -> None:
    assert weigh(kind=kind, section=section, length_mm=length, count=count) == weight


def test_every_section_weighs_what_its_measures_say() -> None:
    """GB/T 11263: t1 (H − 2 t2) + 2 B t2 + 0.858 r²; GB/T 706, equal angles: d (2 b − d) and the fillets, under 6 %."""
    for size, mass in PACK.types_by_name["h_section"].theoretical.texts.items():
        height, width, web, flange = map(Decimal, size.split("*"))
        straight = (web * (height - 2 * flange) + 2 * width * flange) * Decimal("0.00785")
        assert straight <= mass <= straight * Decimal("1.05"), size
    for size, mass in PACK.types_by_name["angle"].theoretical.texts.items():
        leg, thickness = map(Decimal, size.split("*"))
        straight = thickness * (2 * leg - thickness) * Decimal("0.00785")
        assert straight <= mass <= straight * Decimal("1.05"), size


@pytest.mark.parametrize(
    ("attributes", "percent"),
    [
        ({"kind": "rebar", "diameter_mm": "12"}, "5.5"),
        ({"kind": "rebar", "diameter_mm": "14"}, "4.5"),
        ({"kind": "rebar", "diameter_mm": "32"}, "3.5"),
        ({"kind": "channel", "section": "20a"}, "5"),
        ({"kind": "heavy_plate", "thickness_mm": "20"}, None),
        ({"kind": "hot_rolled_coil"}, None),
    ],
)
def test_permitted_deviations(attributes: dict[str, str], percent: str | None) -> None:
    found = PACK.deviation_of(attributes)
    assert (None if found is None else str(found)) == percent


def test_what_has_no_formula_or_lacks_a_measure_has_no_theoretical_weight() -> None:
    assert weigh(kind="hot_rolled_coil", thickness_mm="5.5", width_mm="1250", length_mm="1000") is None
    assert weigh(kind="heavy_plate", thickness_mm="5.5", width_mm="1250") is None
    assert weigh(kind="h_section", section="H300*300*10*16", length_mm="12000", count="4") is None
    assert weigh() is None


def measures(most: str, places: int) -> st.SearchStrategy[str]:
    numbers = st.decimals(min_value=Decimal("0.1"), max_value=Decimal(most), places=places)
    return numbers.map(lambda number: format(number.normalize(), "f"))


@given(measures("400", 3), measures("6000", 1), measures("60000", 1))
def test_a_plate_is_its_volume_times_7850_kg_a_cubic_metre(thickness: str, width: str, length: str) -> None:
    exact = Fraction(thickness) * Fraction(width) * Fraction(length) * 7850 / 10**9
    assert weigh(kind="heavy_plate", thickness_mm=thickness, width_mm=width, length_mm=length) == _rounded(exact)


@given(st.sampled_from(sorted(TABLE)), measures("60000", 1), st.integers(1, 100_000))
def test_rebar_is_metres_times_the_table(diameter: str, length: str, count: int) -> None:
    exact = Fraction(TABLE[diameter]) * Fraction(length) / 1000 * count
    assert weigh(kind="rebar", diameter_mm=diameter, length_mm=length, count=str(count)) == _rounded(exact)


def _rounded(exact: Fraction) -> str:
    whole = int(exact + Fraction(1, 2))
    assert whole == (Decimal(exact.numerator) / exact.denominator).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{whole} KGM"
