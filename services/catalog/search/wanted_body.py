"""What is wanted, as a body says it: the limits of each member."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chassis.http import Body, Instant
from chassis.values import Identifier, ShortText
from services.catalog.search.asking import Currency, Filters, Kind, Wanted


class WantedBody(Body):
    """What a saved search looks for; everything given must hold, and means what it means in a search."""

    text: ShortText | None = None
    market: Identifier | None = None
    kinds: Annotated[list[Kind], Meta(max_length=7)] = []
    filters: Filters = {}
    place: ShortText | None = None
    near: ShortText | None = None
    radius_km: Annotated[int, Meta(ge=0, le=20_000)] | None = None
    seller_id: Identifier | None = None
    product_id: Identifier | None = None
    deliver_by: Instant | None = None
    in_stock: bool = False
    allowed: bool = False
    currency: Currency | None = None
    tax_basis: Literal["tax_included", "tax_excluded"] = "tax_included"

    def read(self) -> Wanted:
        """What is wanted."""
        return Wanted(**{name: getattr(self, name) for name in self.__struct_fields__})
