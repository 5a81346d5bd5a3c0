"""The codings of the Tag Data Standard by their header (TDS 14.2, 14.6; GDTI-113 is deprecated there but still on tags)."""

from __future__ import annotations

import msgspec

from services.logistics.rfid.tds.fields import Digits, Field, Number, NumericText, Zeros
from services.logistics.rfid.tds.partitions import CPI_96_BITS, PREFIX_BITS, Lettered, Padded, Part, Unpadded
from services.logistics.rfid.tds.texts import Cage, SixBitText, Text


class Coding(msgspec.Struct, frozen=True):
    """One coding: its name as tag URIs write it, the width of its filter (0: it has none), and its fields in order."""

    header: int
    name: str
    filter_bits: int
    fields: tuple[Field, ...]

    @property
    def scheme(self) -> str:
        """The scheme of the pure identity: ``sgtin`` of ``sgtin-96``."""
        return self.name.partition("-")[0]


def _coding(header: int, name: str, *fields: Field, filter_bits: int = 3) -> Coding:
    return Coding(header, name, filter_bits, fields)


_GTIN, _SEVENTEEN = Padded(bits=44, digits=13), Padded(bits=58, digits=17)
_TWELVE, _GRAI = Padded(bits=41, digits=12), Padded(bits=44, digits=12)
_GIAI = Unpadded(tuple(82 - bits for bits in PREFIX_BITS), (13, 14, 15, 16, 17, 18, 19))
_CPI = Unpadded(CPI_96_BITS, (3, 4, 5, 6, 7, 8, 9))
_OF = Digits(bits=7, digits=2)
_ADI_PART = SixBitText(0, 32, r"(?:%2F|[0-9A-Z\-])*")
_ADI_SERIAL = SixBitText(1, 30, r"(?:%23)?(?:%2F|[0-9A-Z\-])+")

CODINGS = (
    _coding(0x2C, "gdti-96", _TWELVE, Number(41)),
    _coding(0x2D, "gsrn-96", _SEVENTEEN, Zeros(24)),
    _coding(0x2E, "gsrnp-96", _SEVENTEEN, Zeros(24)),
    _coding(0x2F, "usdod-96", Cage(width=8), Number(36), filter_bits=4),
    _coding(0x30, "sgtin-96", _GTIN, Number(38)),
    _coding(0x31, "sscc-96", _SEVENTEEN, Zeros(24)),
    _coding(0x32, "sgln-96", _TWELVE, Number(41)),
    _coding(0x33, "grai-96", _GRAI, Number(38)),
    _coding(0x34, "giai-96", _GIAI),
    _coding(0x35, "gid-96", Number(28), Number(24), Number(36), filter_bits=0),
    _coding(0x36, "sgtin-198", _GTIN, Text(140)),
    _coding(0x37, "grai-170", _GRAI, Text(112)),
    _coding(0x38, "giai-202", Lettered(bits=188, digits=30)),
    _coding(0x39, "sgln-195", _TWELVE, Text(140)),
    _coding(0x3A, "gdti-113", _TWELVE, NumericText(58)),
    _coding(0x3B, "adi-var", Cage(width=6), _ADI_PART, _ADI_SERIAL, filter_bits=6),
    _coding(0x3C, "cpi-96", _CPI, Number(31)),
    _coding(0x3D, "cpi-var", Part(digits=30), Number(40)),
    _coding(0x3E, "gdti-174", _TWELVE, Text(119)),
    _coding(0x3F, "sgcn-96", _TWELVE, NumericText(41)),
    _coding(0x40, "itip-110", _GTIN, _OF, _OF, Number(38)),
    _coding(0x41, "itip-212", _GTIN, _OF, _OF, Text(140)),
)
BY_HEADER = {coding.header: coding for coding in CODINGS}
BY_NAME = {coding.name: coding for coding in CODINGS}
