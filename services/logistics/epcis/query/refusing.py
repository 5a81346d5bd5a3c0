"""Refuses a parameter in the standard's words."""

from __future__ import annotations

from typing import NoReturn

from services.logistics.epcis.exceptions import QueryParameterException

LONGEST_TOLD = 200


def refuse(name: str, detail: str) -> NoReturn:
    """Raises QueryParameterException that names the parameter."""
    name = name[:LONGEST_TOLD]
    raise QueryParameterException(f"{name} {detail}", parameter=name)
