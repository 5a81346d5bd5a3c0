"""Tags of 96 bits and what they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.rfid.epc import Identity, decode_epc

LINK = "https://id.gs1.org"


@pytest.mark.parametrize(
    ("epc", "urn", "link"),
    [
        ("3034257BF400B7800004CB2F", "urn:epc:id:sgtin:0614141.000734.314159", f"{LINK}/01/00614141007349/21/314159"),
        ("3174257BF4499602D2000000", "urn:epc:id:sscc:0614141.1234567890", f"{LINK}/00/106141412345678908"),
        ("3274257BF46072000000162E", "urn:epc:id:sgln:0614141.12345.5678", f"{LINK}/414/0614141123452/254/5678"),
        ("3274257BF460720000000000", "urn:epc:id:sgln:0614141.12345.0", f"{LINK}/414/0614141123452"),
        ("3374257BF40C0E400000162E", "urn:epc:id:grai:0614141.12345.5678", f"{LINK}/8003/006141411234525678"),
        ("3474257BF40000000000162E", "urn:epc:id:giai:0614141.5678", f"{LINK}/8004/06141415678"),
        ("2C74257BF46072000000162E", "urn:epc:id:gdti:0614141.12345.5678", f"{LINK}/253/06141411234525678"),
        ("350007AB70425D4000000586", "urn:epc:id:gid:31415.271828.1414", "urn:epc:id:gid:31415.271828.1414"),
    ],
)
def test_each_scheme_gives_urn_and_digital_link(epc: str, urn: str, link: str) -> None:
    assert decode_epc(epc) == Identity(urn, link)


@pytest.mark.parametrize(
    ("epc", "why"),
    [
        ("E280689400004003E5A1B2C3", "a TID-like header"),
        ("000000000000000000000000", "unprogrammed"),
        ("301C257BF7194E4000001A85", "partition 7 does not exist"),
        ("3003FFFFFFFFFFFFFFFFFFFF", "a company prefix above its digits"),
        ("3174257BF4499602D2000001", "reserved bits of an SSCC set"),
    ],
)
def test_what_breaks_the_rules_is_kept_raw(epc: str, why: str) -> None:
    assert decode_epc(epc) is None, why


@given(bits=st.integers(0, 2**96 - 1), header=st.sampled_from([0x30, 0x31, 0x32, 0x33, 0x34, 0x2C, 0x35, 0x36, 0x00]))
def test_no_tag_is_too_strange(bits: int, header: int) -> None:
    identity = decode_epc(f"{header << 88 | bits & (1 << 88) - 1:024X}")
    assert identity is None or identity.urn.startswith("urn:epc:id:")


@given(partition=st.integers(0, 6), company=st.integers(0, 999_999), serial=st.integers(0, 2**38 - 1))
def test_an_sgtin_that_was_written_is_read_again(partition: int, company: int, serial: int) -> None:
    prefix_bits = (40, 37, 34, 30, 27, 24, 20)[partition]
    bits = 0x30 << 88 | partition << 82 | company << 82 - prefix_bits | serial
    identity = decode_epc(f"{bits:024X}")
    prefix = f"{company:0{12 - partition}d}"
    assert identity is not None
    assert identity.urn == f"urn:epc:id:sgtin:{prefix}.{'0' * (1 + partition)}.{serial}"
    assert f"/21/{serial}" in identity.link
