"""What a scanner sends is read as the one name of a thing, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.manual.scanning import NotACode, read_code

LINK = "https://id.gs1.org/01/06901234560008/21/A1"


@pytest.mark.parametrize(
    ("code", "uri"),
    [
        ("(01)06901234560008(21)A1", LINK),
        ("010690123456000821A1", LINK),
        ("010690123456000821A1\x1d10LOT", LINK),
        ("]C1010690123456000821A1\x1d10LOT", LINK),
        ("]d2\x1d010690123456000821A1|10LOT", LINK),
        ("10LOT^010690123456000821A1", LINK),
        ("https://example.com/some/path/01/6901234560008/10/LOT/21/A1?17=261231", LINK),
        ("urn:epc:id:sgtin:690123456.0000.A1", LINK),
        ("(00)369012345600000016", "https://id.gs1.org/00/369012345600000016"),
        ("(8004)4012345ABC", "https://id.gs1.org/8004/4012345ABC"),
        ("urn:epc:id:bic:CSQU3054383", "urn:epc:id:bic:CSQU3054383"),
        ("urn:haihe:piece:piece_1", "urn:haihe:piece:piece_1"),
    ],
)
def test_codes_of_single_things(code: str, uri: str) -> None:
    assert read_code(code) == uri


@pytest.mark.parametrize(
    "code",
    [
        "", "6901234560008", "(01)06901234560008", "(01)06901234560008(10)LOT",
        "(01)06901234560001(21)A1", "(00)369012345600000019",
        "https://id.gs1.org/01/06901234560008", "urn:epc:id:bic:CSQU3054384", "urn:epc:id:sgtin:1.2.3", "]C1", "(((", "(21)A1",
        "(01)06901234560008(21)" + "x" * 300, "http://", "C0001",
    ],
)  # fmt: skip
def test_what_names_no_single_thing_is_refused(code: str) -> None:
    with pytest.raises(NotACode):
        read_code(code)


@given(st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=80))
def test_anything_else_is_refused_and_breaks_nothing(code: str) -> None:
    try:
        assert ":" in read_code(code)
    except NotACode as refused:
        assert refused.detail
