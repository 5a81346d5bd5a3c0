"""What a 96-bit tag says: the binary codings of GS1's Tag Data Standard (1.13, section 14), read into identifiers.

The internal key of a thing is its GS1 Digital Link URI; the pure identity URN is kept beside it, because the way back
needs the length of the company prefix, which only the tag knows. A header that is not in ``_SCHEMES`` is kept raw by
the caller.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from stdnum.ean import calc_check_digit

EPC_BITS = 96
LINK = "https://id.gs1.org"


class Identity(msgspec.Struct, frozen=True):
    """What a tag names: its pure identity URN and its Digital Link URI, or its URN again where GS1 has no key."""

    urn: str
    link: str


class _Scheme(msgspec.Struct, frozen=True):
    """One coding: header, filter, partition, company prefix, reference, serial; ``digits`` is prefix plus reference."""

    name: str
    digits: int
    reference_bits: int
    serial_bits: int


_PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
_SCHEMES = {
    0x30: _Scheme("sgtin", digits=13, reference_bits=44, serial_bits=38),
    0x31: _Scheme("sscc", digits=17, reference_bits=58, serial_bits=24),
    0x32: _Scheme("sgln", digits=12, reference_bits=41, serial_bits=41),
    0x33: _Scheme("grai", digits=12, reference_bits=44, serial_bits=38),
    0x34: _Scheme("giai", digits=25, reference_bits=82, serial_bits=0),
    0x2C: _Scheme("gdti", digits=12, reference_bits=41, serial_bits=41),
}
_GID = 0x35


@lru_cache(65_536)
def decode_epc(epc: str) -> Identity | None:
    """The identity in 24 hex digits; None when the header is unknown or the bits break the rules of its coding."""
    bits = int(epc, 16)
    header = bits >> 88
    if header == _GID:
        return _decode_gid(bits)
    if (scheme := _SCHEMES.get(header)) is None:
        return None
    return _decode_gs1(scheme, bits)


def _decode_gid(bits: int) -> Identity:
    manager, kind, serial = bits >> 60 & (1 << 28) - 1, bits >> 36 & (1 << 24) - 1, bits & (1 << 36) - 1
    urn = f"urn:epc:id:gid:{manager}.{kind}.{serial}"
    return Identity(urn, urn)


def _decode_gs1(scheme: _Scheme, bits: int) -> Identity | None:
    partition = bits >> 82 & 7
    if partition == 7:
        return None
    prefix_bits, prefix_digits = _PREFIX_BITS[partition], 12 - partition
    serial = bits & (1 << scheme.serial_bits) - 1
    reference_bits = scheme.reference_bits - prefix_bits
    reference = bits >> scheme.serial_bits & (1 << reference_bits) - 1
    prefix = bits >> scheme.serial_bits + reference_bits & (1 << prefix_bits) - 1
    reference_digits = scheme.digits - prefix_digits
    if prefix >= 10**prefix_digits or reference >= 10**reference_digits:
        return None
    company = f"{prefix:0{prefix_digits}d}"
    padded = f"{reference:0{reference_digits}d}" if reference_digits else ""
    return _name(scheme.name, company, padded, serial)


def _name(scheme: str, company: str, reference: str, serial: int) -> Identity | None:
    match scheme:
        case "sgtin":
            gtin = _checked(reference[0] + company + reference[1:])
            return _identity(scheme, f"{company}.{reference}.{serial}", f"01/{gtin}/21/{serial}")
        case "sscc":
            if serial:
                return None  # the last 24 bits are reserved and zero
            return _identity(scheme, f"{company}.{reference}", f"00/{_checked(reference[0] + company + reference[1:])}")
        case "sgln":
            extension = f"/254/{serial}" if serial else ""
            return _identity(
                scheme, f"{company}.{reference}.{serial}", f"414/{_checked(company + reference)}{extension}"
            )
        case "grai":
            return _identity(
                scheme, f"{company}.{reference}.{serial}", f"8003/0{_checked(company + reference)}{serial}"
            )
        case "gdti":
            return _identity(scheme, f"{company}.{reference}.{serial}", f"253/{_checked(company + reference)}{serial}")
        case _:
            asset = str(int(reference))
            return _identity(scheme, f"{company}.{asset}", f"8004/{company}{asset}")


def _identity(scheme: str, name: str, path: str) -> Identity:
    return Identity(f"urn:epc:id:{scheme}:{name}", f"{LINK}/{path}")


def _checked(digits: str) -> str:
    return digits + calc_check_digit(digits)
