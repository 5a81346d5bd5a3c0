"""Gathers what the agreement of a deal says: what was frozen, what its goods are, and its market's clauses filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.orders.contracts.clauses import fill_in
from services.orders.deals.model import Deal
from services.orders.deals.wording import LANGUAGES, word, write_goods
from services.orders.markets.queries import find_markets
from services.orders.parties.queries import find_names
from services.orders.pieces.model import Piece
from services.orders.pieces.queries import find_described

_FROZEN = (
    "offer_id", "terms_version", "market", "buyer", "seller", "warehouse_id", "title", "pieces", "quantity", "terms",
    "net", "tax", "gross", "buyer_deposit", "seller_deposit", "penalty_rate", "struck_at",
)  # fmt: skip


def find_facts(session: Session, deals: Sequence[Deal]) -> list[dict[str, Any]]:
    """What the agreements of some deals say, in their order, in three statements. Raises NotYetKnown."""
    if not deals:
        return []
    markets = find_markets(session, {deal.market for deal in deals})
    warehouses = find_names(session, {deal.warehouse_id for deal in deals})
    pieces = find_described(session, {id for deal in deals for id in deal.whole.piece_ids})
    facts = []
    for deal in deals:
        market, goods = markets[deal.market], [pieces[id] for id in deal.whole.piece_ids if id in pieces]
        warehouse = warehouses.get(deal.warehouse_id, deal.warehouse_id)
        words = word(deal, goods=_name_goods(deal, goods), warehouse=warehouse, fee_rate=market.fees.fee_rate)
        said = {name: getattr(deal, name) for name in _FROZEN} | {"pieces": deal.priced_pieces, "warehouse": warehouse}
        clauses = fill_in(market.clauses or [], words)
        facts.append({"deal_id": deal.id, **said, "goods": [_describe(piece) for piece in goods], "clauses": clauses})
    return facts


def _name_goods(deal: Deal, goods: Sequence[Piece]) -> dict[str, str]:
    if goods:
        return write_goods((piece.title for piece in goods), len(deal.pieces))
    return dict.fromkeys(LANGUAGES, deal.title or "—")


def _describe(piece: Piece) -> dict[str, Any]:
    return {"piece_id": piece.id, "title": piece.title, "attributes": piece.attributes or {}}
