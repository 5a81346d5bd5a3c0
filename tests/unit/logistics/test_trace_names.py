"""Names that people and scanners give: barcodes' texts and the addresses of public pages."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.epcis.barcodes import read_element_string
from services.logistics.publishing.links import Name, read_path
from services.logistics.publishing.pages import choose_language
from services.logistics.trace.naming import name_kind, write_label
from services.logistics.trace.places import read_geo

LOT, ITEM = "https://id.gs1.org/01/09506000134352/10/L1", "https://id.gs1.org/01/09506000134352/21/7"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("(01)09506000134352(10)L1", LOT),
        ("(01)9506000134352(21)7", ITEM),
        ("(01)09506000134352(17)271231(10)L1", LOT),
        ("0109506000134352" + "17271231" + "10L1", LOT),
        ("]d20109506000134352" + "10L1\x1d217", ITEM),
        ("]C1" + "00095060001000000012", "https://id.gs1.org/00/095060001000000012"),
        ("(02)09506000134352(37)12(10)L1", LOT),
        ("(8003)09506000134352AB", "https://id.gs1.org/8003/09506000134352AB"),
        ("(414)9506000111117", "https://id.gs1.org/414/9506000111117"),
        ("3102000750" + "0109506000134352" + "10L1", LOT),
        ("(01)09506000134353", None),
        ("(10)L1", None),
        ("(01)095", None),
        ("0109506", None),
        ("(01)09506000134352(10", None),
        ("hello", None),
        ("", None),
    ],
)
def test_an_element_string_names_the_finest_it_has(text: str, link: str | None) -> None:
    assert read_element_string(text) == link


@given(st.text(max_size=60) | st.from_regex(r"\A(\]C1)?[0-9\x1d()A-Z]{0,60}\Z"))
def test_any_text_is_read_or_refused(text: str) -> None:
    link = read_element_string(text)
    assert link is None or link.startswith("https://id.gs1.org/")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("01/09506000134352", Name("01", "09506000134352")),
        ("gtin/9506000134352/lot/L1", Name("01", "09506000134352", "L1")),
        ("01/09506000134352/10/L/1/21/a/b", Name("01", "09506000134352", "L/1", "a/b")),
        ("01/09506000134352/22/v/21/7", Name("01", "09506000134352", None, "7")),
        ("sscc/095060001000000012", Name("00", "095060001000000012")),
        ("01/09506000134353", None),
        ("01/09506000134352/10", None),
        ("01/09506000134352/21/7/10/L1/extra" + "x" * 20, None),
        ("00/095060001000000012/10/L1", None),
        ("414/9506000111117", None),
    ],
)
def test_an_address_is_read_as_gs1_writes_it(path: str, name: Name | None) -> None:
    assert read_path(path) == name


_part = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1, max_size=20)


@given(_part, _part)
def test_an_address_leads_back_to_its_name(lot: str, serial: str) -> None:
    name = Name("01", "09506000134352", lot, serial)
    again = read_path(unquote(name.path))
    assert again == name or "/" in lot + serial or again is None


@given(st.text(max_size=80))
def test_any_address_is_read_or_is_not_there(path: str) -> None:
    assert read_path(path) is None or read_path(path).value


def test_names_are_told_by_kind_and_label() -> None:
    assert [name_kind(name) for name in (LOT, ITEM, "urn:haihe:piece:piece_1", "urn:x:y")] == [
        "lot",
        "item",
        "piece",
        "other",
    ]
    assert write_label(LOT) == "GTIN 09506000134352 lot L1"
    assert write_label("urn:epc:id:gid:1.2.3") == "gid:1.2.3"[4:]


def test_points_are_those_of_the_earth() -> None:
    place = read_geo("geo:39.1,117.2;u=10")
    assert place is not None and (place.latitude, place.longitude) == (39.1, 117.2)
    assert [read_geo(uri) for uri in ("geo:91,0", "geo:0,181", "geo:a,b", "urn:x")] == [None] * 4


@pytest.mark.parametrize(
    ("accepted", "there", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", {"en"}, "zh"),
        ("de,en-GB;q=0.3", {"zh"}, "en"),
        ("", {"zh"}, "zh"),
        ("", {"zh", "en"}, "en"),
        ("de, *;q=0.1", {}, "en"),
        (";;;,,q=", {}, "en"),
    ],
)
def test_the_language_of_a_page(accepted: str, there: set[str], language: str) -> None:
    assert choose_language(accepted, there) == language
