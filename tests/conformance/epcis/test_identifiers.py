"""Identifiers, words and units: every scheme both ways, and what is not one."""

from __future__ import annotations

import pytest

from services.logistics.epcis.digital_links import check_digit
from services.logistics.epcis.identifiers import canonical, check_identifier, read_prefix_table, urn_of_link
from services.logistics.epcis.units import base, convert
from services.logistics.epcis.vocabulary import BIZ_STEP, MEASUREMENT, read_word, write_curie, write_uri, write_urn

LINK = "https://id.gs1.org"
TABLE = read_prefix_table({"0614141": 7, "4012345": 7, "952": 0, "9521141": 7, "95201": 10})
PAIRS = {
    "urn:epc:id:sgtin:0614141.112345.400": "01/10614141123459/21/400",
    "urn:epc:id:sgtin:4012345.011111.a%2Fb(c)": "01/04012345111118/21/a%2Fb%28c%29",
    "urn:epc:class:lgtin:4012345.012345.998877": "01/04012345123456/10/998877",
    "urn:epc:idpat:sgtin:4012345.066666.*": "01/04012345666663",
    "urn:epc:id:upui:4012345.098765.51qIgY)%3C%26Jp3*j7'SDB": "01/04012345987652/235/51qIgY%29%3C%26Jp3%2Aj7'SDB",
    "urn:epc:id:sscc:0614141.1234567890": "00/106141412345678908",
    "urn:epc:id:sgln:0614141.12345.400": "414/0614141123452/254/400",
    "urn:epc:id:sgln:0614141.12345.0": "414/0614141123452",
    "urn:epc:id:pgln:0614141.12345": "417/0614141123452",
    "urn:epc:id:grai:0614141.12345.400": "8003/00614141123452400",
    "urn:epc:idpat:grai:0614141.12345.*": "8003/00614141123452",
    "urn:epc:id:giai:0614141.12345400": "8004/061414112345400",
    "urn:epc:id:gsrn:0614141.1234567890": "8018/061414112345678902",
    "urn:epc:id:gsrnp:0614141.1234567890": "8017/061414112345678902",
    "urn:epc:id:gdti:0614141.12345.400": "253/0614141123452400",
    "urn:epc:id:cpi:0614141.5PQ7%2FZ43.12345": "8010/06141415PQ7%2FZ43/8011/12345",
    "urn:epc:id:sgcn:4012345.67890.04711": "255/401234567890104711",
    "urn:epc:id:ginc:0614141.xyz47%2F11": "401/0614141xyz47%2F11",
    "urn:epc:id:gsin:0614141.123456789": "402/06141411234567890",
    "urn:epc:id:itip:4012345.011111.01.02.987": "8006/040123451111180102/21/987",
}


@pytest.mark.parametrize("urn", PAIRS)
def test_both_ways(urn: str) -> None:
    link = f"{LINK}/{PAIRS[urn]}"
    assert canonical(urn) == link
    assert canonical(link) == link
    assert urn_of_link(link, TABLE) == urn
    assert urn_of_link(link, read_prefix_table({})) is None
    assert check_identifier(urn) is None
    assert check_identifier(link) is None


@pytest.mark.parametrize(
    ("written", "link"),
    [
        (
            "https://brand.example/some/path/gtin/9780345418913/lot/A/ser/765tz?exp=291231#x",
            "01/09780345418913/21/765tz",
        ),
        ("http://id.gs1.org/01/614141073467/22/2A/10/L1", "01/00614141073467/10/L1"),
        ("https://id.gs1.org/8006/040123451111180102/10/L/21/9", "8006/040123451111180102/21/9"),
        ("https://id.gs1.org/gln/0614141123452/glnx/a%2fb/", "414/0614141123452/254/a%2Fb"),
        ("https://example.com/cpid/061414199AZ/8011/7", "8010/061414199AZ/8011/7"),
    ],
)
def test_links_are_canonical(written: str, link: str) -> None:
    assert canonical(written) == f"{LINK}/{link}"


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:id:gid:1.2.3",
        "urn:epc:id:usdod:2S194.12345678901",
        "urn:epc:id:adi:W81X9C.3KL984PX1.2WMA52",
        "urn:epc:id:bic:CSQU3054383",
        "urn:epc:id:imovn:9176187",
        "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "https://transaction.example/po/12345678",
        "https://shop.example/01/shoes",
        "geo:50.94,6.92",
        "https://id.gs1.org/01/\uff11\uff10\uff16\uff11\uff14\uff11\uff14\uff10\uff17\uff13\uff14\uff16\uff14",
        "https://id.gs1.org/01/10614141073464/21/%FF",
        "https://id.gs1.org/01/10614141073464/10/%00",
        "https://example.com/" + "01/10614141073464/" * 40,
    ],
)
def test_others_stay_as_they_are(uri: str) -> None:
    assert canonical(uri) == uri
    assert check_identifier(uri) is None
    assert urn_of_link(uri, TABLE) is None


@pytest.mark.parametrize(
    "uri",
    [
        "plain text",
        "urn:epc:id:sgtin:061414.112345.400",
        "urn:epc:id:sgtin:0614141.112345.with blank",
        "urn:epc:id:sgtin:0614141.112345.123456789012345678901",
        "urn:epc:class:sgtin:0614141.112345.400",
        "urn:epc:id:lgtin:0614141.112345.400",
        "urn:epc:id:sscc:0614141.123456789",
        "urn:epc:id:giai:0614141." + "1" * 24,
        "urn:epc:id:cpi:0614141.5PQ.1234567890123",
        "urn:epc:id:imovn:9176188",
        "https://id.gs1.org/414/0614141123453",
        "https://id.gs1.org/8018/061414112345678901",
        "urn:epc:id:sgtin:\uff10\uff16\uff11\uff14\uff11\uff14\uff11.112345.400",
        "urn:epc:id:bic:CSQU\uff13\uff10\uff15\uff14\uff13\uff18\uff13",
    ],
)
def test_wrong_ones_are_told(uri: str) -> None:
    assert check_identifier(uri)


def test_a_sentence_that_begins_with_a_link_is_none() -> None:
    text = "https://id.gs1.org/01/614141073467 and more"
    assert canonical(text) == text


def test_prefix_table_takes_the_longest_start() -> None:
    assert TABLE("9521141012345") == 7
    assert TABLE("952011234567") == 10
    assert TABLE("9529999999999") is None
    assert TABLE("0000000000000") is None


def test_check_digits() -> None:
    assert [check_digit(digits) for digits in ("629104150021", "10614141234567890", "7351353")] == ["3", "8", "7"]


@pytest.mark.parametrize("form", [write_uri, write_urn, write_curie, lambda vocabulary, word: word])
def test_words_in_every_form(form) -> None:
    for vocabulary in (BIZ_STEP, MEASUREMENT):
        for word in vocabulary.words:
            assert read_word(vocabulary, form(vocabulary, word)) == word
    assert read_word(BIZ_STEP, "urn:epcglobal:cbv:bizstep:painting") == "urn:epcglobal:cbv:bizstep:painting"


@pytest.mark.parametrize(
    ("value", "unit", "other", "wanted"),
    [
        (5, "CEL", "KEL", 278.15),
        (212, "FAH", "CEL", 100),
        (-40, "CEL", "FAH", -40),
        (1, "KMH", "MTS", 1 / 3.6),
        (1, "LBR", "GRM", 453.59237),
    ],
)
def test_units(value: float, unit: str, other: str, wanted: float) -> None:
    assert convert(value, unit, to=other) == pytest.approx(wanted)
    assert convert(wanted, other, to=unit) == pytest.approx(value)
    assert base(value, unit)[0] == base(wanted, other)[0]
    assert base(value, unit)[1] == pytest.approx(base(wanted, other)[1])


def test_units_that_do_not_meet() -> None:
    assert convert(1, "CEL", to="KGM") is None
    assert convert(1, "XYZ", to="XYZ") == 1
    assert convert(1, "XYZ", to="KGM") is None
    assert base(7, "XYZ") == ("XYZ", 7)
