"""Checks of what names carriers, vessels, containers, places and consignments."""

from __future__ import annotations

import re
from functools import cache
from random import Random

import pycountry
import stdnum.imo
import stdnum.iso6346

from services.catalog.markets.checks.check import (
    DIGITS,
    PROVINCE_SIGNS,
    Check,
    CheckFailed,
    ask_stdnum,
    fold,
    pick,
    read_digits,
    read_shape,
    squeeze,
)
from services.catalog.markets.data.places import PLACES
from services.catalog.markets.words import Bilingual

# ISO 6346, annexes D and E: length, height, and the groups of types with their codes for the whole group (GP) and for each type.
_container = re.compile(
    r"[12347ABCDEFGHKLMNP][024568CDEF]"
    r"(?:G[P0-3]|V[H024]|B[UK0134-6]|S[N0-2]|R[0-3ET]|H[RI01256]|U[0-5T]|P[0-5FCLS]|T[0-9NDG]|A[0S])"
)
_LINES = ("MAEU", "MSCU", "COSU", "CMDU", "HLCU", "ONEY", "EGLV", "YMLU", "OOLU", "ZIMU", "HDMU", "SITC")
_AIRLINES = ("CA", "MU", "CZ", "HU", "CX", "LH", "AF", "SQ", "EK", "UA", "FM", "ZH", "3U", "9C")
_AIRPORTS = ("PEK", "PKX", "PVG", "CAN", "SZX", "TSN", "CTU", "XIY", "HGH", "KMG", "SYX", "TAO", "FRA", "SIN", "LHR")
_scac = re.compile(r"[A-Z]{2,4}")
_airline = re.compile(r"[A-Z][A-Z0-9]|[0-9][A-Z]")
_flight = re.compile(r"([A-Z][A-Z0-9]|[0-9][A-Z])0*([1-9][0-9]{0,3}[A-Z]?)")
_bill = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,20}")


@cache
def _countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries) | {"XZ", "XK"}


def check_iso6346(text: str) -> str:
    """A container's number of 11 signs: owner, U, J or Z, six digits, check digit."""
    number = squeeze(text, " -./")
    if len(number) != 11:
        raise CheckFailed(f"has {len(number)} signs, not 11", f"应为11位，实为{len(number)}位")
    return ask_stdnum(stdnum.iso6346.validate, number)


def make_iso6346(random: Random) -> str:
    """A container of one of the great lines; as ISO 6346 recommends, none whose check digit is that of ten or nought."""
    while True:
        body = random.choice(("COSU", "CSLU", "OOLU", "MSCU", "TGHU", "TCLU", "CBHU")) + pick(random, DIGITS, 6)
        if (digit := stdnum.iso6346.calc_check_digit(body)) != "0":
            return body + digit


def check_container_type(text: str) -> str:
    """The size and type of a container in four signs: 22G1, 45R1."""
    return read_shape(
        squeeze(text), _container, "is no size and type of ISO 6346, such as 22G1", "不是 ISO 6346 箱型代码，例如22G1"
    )


def make_container_type(random: Random) -> str:
    """One of the usual boxes."""
    return random.choice(("22G1", "42G1", "45G1", "22R1", "45R1", "22U1", "42U1", "22P1", "22T1", "L5G1"))


def check_imo(text: str) -> str:
    """A ship's IMO number of seven digits, kept without the letters IMO."""
    return ask_stdnum(stdnum.imo.validate, squeeze(text).removeprefix("IMO").lstrip(":"))


def make_imo(random: Random) -> str:
    """A ship of this century."""
    body = f"9{pick(random, DIGITS, 5)}"
    return body + stdnum.imo.calc_check_digit(body)


def check_mmsi(text: str) -> str:
    """A ship station's identity of nine digits, which begins with the 2 to 7 of its region."""
    number = read_digits(squeeze(text), 9)
    if number[0] not in "234567":
        raise CheckFailed("is not a ship's: those begin with 2 to 7", "不是船舶台识别码：应以2至7开头")
    return number


def make_mmsi(random: Random) -> str:
    """A ship under the flag of China."""
    return random.choice(("412", "413", "414")) + pick(random, DIGITS, 6)


def check_scac(text: str) -> str:
    """A carrier's code of two to four letters."""
    return read_shape(
        squeeze(text), _scac, "is not a carrier's code of two to four letters", "不是由2至4个字母组成的承运人代码"
    )


def make_scac(random: Random) -> str:
    """One of the great lines."""
    return random.choice(_LINES)


def check_locode(text: str) -> str:
    """A place's UN/LOCODE: a country that exists and three signs, A to Z and 2 to 9."""
    code = squeeze(text)
    read_shape(code, re.compile(r"[A-Z]{2}[A-Z2-9]{3}"), "is not a code such as CNTXG", "不是 UN/LOCODE，例如 CNTXG")
    if code[:2] not in _countries():
        raise CheckFailed(f"begins with {code[:2]}, which is no country", f"开头{code[:2]}不是任何国家或地区代码")
    return code


def make_locode(random: Random) -> str:
    """A place of the gazetteer."""
    return random.choice([place.code for place in PLACES if place.code])


def check_iata_airport(text: str) -> str:
    """An airport's code of three letters."""
    return read_shape(
        squeeze(text), re.compile("[A-Z]{3}"), "is not an airport's code of three letters", "不是三个字母的机场代码"
    )


def make_iata_airport(random: Random) -> str:
    """An airport that traders fly to."""
    return random.choice(_AIRPORTS)


def check_iata_airline(text: str) -> str:
    """An airline's designator of two signs, at least one of them a letter."""
    return read_shape(
        squeeze(text), _airline, "is not an airline's designator of two signs", "不是两个字符的航空公司代码"
    )


def make_iata_airline(random: Random) -> str:
    """One of the airlines."""
    return random.choice(_AIRLINES)


def check_flight(text: str) -> str:
    """A flight's number without noughts before it: CA985."""
    found = _flight.fullmatch(squeeze(text))
    if found is None:
        raise CheckFailed("is not a flight such as CA985", "不是航班号，例如CA985")
    return found[1] + found[2]


def make_flight(random: Random) -> str:
    """A flight of one of the airlines."""
    return f"{random.choice(_AIRLINES)}{random.randint(101, 9899)}"


def check_awb(text: str) -> str:
    """An air waybill: the airline's three digits, seven of its own, and their remainder by 7; kept as 999-12345675."""
    number = read_digits(squeeze(text), 11)
    if int(number[3:10]) % 7 != int(number[10]):
        raise CheckFailed("has a wrong check digit", "校验码不正确")
    return f"{number[:3]}-{number[3:]}"


def make_awb(random: Random) -> str:
    """A waybill of one of three airlines."""
    serial = pick(random, DIGITS, 7)
    return f"{random.choice(('999', '112', '781'))}-{serial}{int(serial) % 7}"


def check_bill_of_lading(text: str) -> str:
    """A bill of lading's number of 5 to 20 capitals and digits."""
    return read_shape(
        squeeze(text, " -/"),
        _bill,
        "is not 5 to 20 letters and digits with a digit among them",
        "应为5至20位字母和数字，且至少含一位数字",
    )


def make_bill_of_lading(random: Random) -> str:
    """A bill of one of the great lines."""
    return random.choice(_LINES) + pick(random, DIGITS, 10)


def check_road_permit(text: str) -> str:
    """The number of a road transport permit of China: twelve digits that begin with the place, words around it fall away."""
    found = re.fullmatch(
        rf"(?:[{PROVINCE_SIGNS}]?交运管许可)?(?:[一-鿿]*字)?([1-9][0-9]{{11}})号?", squeeze(fold(text))
    )
    if found is None:
        raise CheckFailed("is not a permit number of twelve digits", "不是12位道路运输经营许可证号")
    return found[1]


def make_road_permit(random: Random) -> str:
    """A permit of one of five places."""
    return random.choice(("120116", "310115", "370211", "320582", "440305")) + pick(random, DIGITS, 6)


CHECKS = (
    Check(
        name="iso6346",
        label=Bilingual("集装箱号", "Container number"),
        source="ISO 6346:2022; GB/T 1836",
        check=check_iso6346,
        make=make_iso6346,
    ),
    Check(
        name="container_type",
        label=Bilingual("箱型代码", "Container size and type"),
        source="ISO 6346:2022, annexes D and E; GB/T 1836",
        check=check_container_type,
        make=make_container_type,
    ),
    Check(
        name="imo",
        label=Bilingual("IMO 船舶编号", "IMO number"),
        source="IMO resolution A.1117(30)",
        check=check_imo,
        make=make_imo,
    ),
    Check(
        name="mmsi",
        label=Bilingual("水上移动业务标识码", "MMSI"),
        source="ITU-R M.585",
        check=check_mmsi,
        make=make_mmsi,
    ),
    Check(
        name="scac",
        label=Bilingual("承运人代码", "SCAC"),
        source="NMFTA Standard Carrier Alpha Code",
        check=check_scac,
        make=make_scac,
    ),
    Check(
        name="locode",
        label=Bilingual("联合国口岸及相关地点代码", "UN/LOCODE"),
        source="UN/ECE Recommendation 16; GB/T 15514",
        check=check_locode,
        make=make_locode,
    ),
    Check(
        name="iata_airport",
        label=Bilingual("机场三字码", "IATA airport"),
        source="IATA Resolution 763",
        check=check_iata_airport,
        make=make_iata_airport,
    ),
    Check(
        name="iata_airline",
        label=Bilingual("航空公司二字码", "IATA airline"),
        source="IATA Resolution 762",
        check=check_iata_airline,
        make=make_iata_airline,
    ),
    Check(
        name="flight_no",
        label=Bilingual("航班号", "Flight number"),
        source="IATA Standard Schedules Information Manual, 2.6",
        check=check_flight,
        make=make_flight,
    ),
    Check(
        name="awb",
        label=Bilingual("航空运单号", "Air waybill"),
        source="IATA Resolution 600a",
        check=check_awb,
        make=make_awb,
    ),
    Check(
        name="bill_of_lading",
        label=Bilingual("提单号", "Bill of lading"),
        source="The lines' own numbering; DCSA transport document reference (up to 20 signs)",
        check=check_bill_of_lading,
        make=make_bill_of_lading,
    ),
    Check(
        name="road_permit",
        label=Bilingual("道路运输经营许可证号", "Road transport permit (CN)"),
        source="JT/T 415: twelve digits, the first six of GB/T 2260",
        check=check_road_permit,
        make=make_road_permit,
    ),
)
