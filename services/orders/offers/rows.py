"""Offers as plain rows, read and written some thousands at a time: each costs a tenth of one that a session holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, cast, select, text
from sqlalchemy.orm import Session

from chassis.values import Quantity, read_wire, write_wire
from events.catalog import LicenceNeeded
from events.orders import Terms
from services.orders.offers.model import Offer
from services.orders.offers.offered import Offered, State

_QUANTITIES = ("listed", "remaining", "withdrawn", "minimum", "step")
_JSON = {
    "terms": msgspec.json.Decoder(Terms, dec_hook=read_wire),
    "licences": msgspec.json.Decoder(list[LicenceNeeded]),
}
_PLAIN = [
    column.name for column in Offer.__table__.c if not column.name.startswith(tuple(f"{name}_" for name in _QUANTITIES))
]
_NAMES = [column.name for column in Offer.__table__.c]
_LIST = ", ".join(_NAMES)
_WRITE = text(
    f"INSERT INTO offer ({_LIST}) SELECT {_LIST} FROM jsonb_populate_recordset(NULL::offer, CAST(:rows AS jsonb)) "
    "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name != "id")
)
_SELECT = select(
    *(cast(column, Text).label(column.name) if column.name in _JSON else column for column in Offer.__table__.c)
)


@dataclass(kw_only=True, eq=False)
class OfferRow(Offered):
    """An offer that no session holds: it is changed here and written back whole."""

    id: str
    version: int = 1
    terms_version: int = 1
    state: State = State.LISTED
    due_at: datetime | None
    valid_until: datetime
    market: str
    seller_id: str
    warehouse_id: str
    title: str
    terms: Terms
    penalty_rate: Decimal
    listed: Quantity
    remaining: Quantity
    withdrawn: Quantity
    minimum: Quantity | None
    step: Quantity | None
    number: str | None
    product_id: str | None
    audience: list[str] | None
    licences: list[LicenceNeeded] | None


def lock_rows(session: Session, *where: ColumnElement[bool]) -> list[OfferRow]:
    """Offers, locked in the order of their ids."""
    found = session.execute(_SELECT.where(*where).order_by(Offer.id).with_for_update(of=Offer))
    return [_read(dict(zip(_NAMES, row, strict=True))) for row in found]


def _read(said: dict[str, Any]) -> OfferRow:
    for name, decoder in _JSON.items():
        said[name] = None if said[name] is None else decoder.decode(said[name])
    for name in _QUANTITIES:
        value, unit = said.pop(f"{name}_value"), said.pop(f"{name}_unit")
        said[name] = None if value is None else Quantity(value, unit)
    return OfferRow(**said)


def write_rows(session: Session, offers: Sequence[OfferRow]) -> None:
    """Write offers down, new ones and changed ones whose lock is held, with one statement; none for none."""
    if offers:
        rows = msgspec.json.encode([_row(offer) for offer in offers], enc_hook=write_wire)
        session.execute(_WRITE, {"rows": rows.decode()})


def _row(offer: OfferRow) -> dict[str, object]:
    row = {name: getattr(offer, name) for name in _PLAIN}
    for name in _QUANTITIES:
        said = getattr(offer, name)
        row[f"{name}_value"], row[f"{name}_unit"] = (None, None) if said is None else (said.value, said.unit)
    return row


def ids_by_pieces(offers: Iterable[OfferRow]) -> list[str]:
    """The ids of those that are of named pieces."""
    return [offer.id for offer in offers if not offer.is_by_weight]
