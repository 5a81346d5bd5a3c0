"""Numbers of freight containers (ISO 6346), and how EPCIS names a container."""

from __future__ import annotations

import re

from chassis.problems import Invalid
from services.logistics.epcis.epc_urns import check_container

_NUMBER = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}", re.ASCII)
_URN = "urn:epc:id:bic:"


class NotAContainer(Invalid):
    """A container number is three letters, U, J or Z, six digits and the right check digit (ISO 6346)."""


def read_container(text: str) -> str:
    """The number without blanks and dashes, in capitals. Raises NotAContainer.

    The check digit misses one wrong digit in fifty-five: a number that passes may still be another container's.
    """
    number = re.sub(r"[ \-/]", "", text).upper()
    if not _NUMBER.fullmatch(number) or not check_container(number):
        raise NotAContainer(f"{text[:40]!r} is none", field="$.containers")
    return number


def name_container(number: str) -> str:
    """A container as EPCIS names it (TDS scheme BIC)."""
    return _URN + number


def container_of(uri: str) -> str | None:
    """The number in the name of a container; None for any other name."""
    number = uri.removeprefix(_URN)
    return number if number != uri and _NUMBER.fullmatch(number) and check_container(number) else None
