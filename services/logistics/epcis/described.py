"""What companies have said of products and places in the master data that they captured."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.epcis.model import EpcisMaster

_LOCAL = re.compile(r"[^#:/]*$")
Owned = tuple[str, str]
"""A company and the canonical name of something that it describes."""


def find_attributes(session: Session, wanted: Collection[Owned]) -> dict[Owned, dict[str, str]]:
    """The attributes of things by their plain names (``latitude``, ``descriptionShort``), as each company describes them."""
    if not wanted:
        return {}
    asked = set(wanted)
    query = select(EpcisMaster).where(among(EpcisMaster.id, (id for _, id in asked)))
    query = query.where(among(EpcisMaster.owner_id, (owner_id for owner_id, _ in asked)))
    found: dict[Owned, dict[str, str]] = {}
    for row in session.scalars(query.order_by(EpcisMaster.vocabulary)):
        if (row.owner_id, row.id) not in asked:
            continue
        found.setdefault((row.owner_id, row.id), {}).update(_read_attributes(row.attributes))
    return found


def _read_attributes(attributes: list[dict[str, Any]]) -> dict[str, str]:
    plain = ((_LOCAL.search(str(one.get("id", ""))), one.get("attribute")) for one in attributes)
    return {found[0]: str(value) for found, value in plain if found and isinstance(value, (str, int, float))}
