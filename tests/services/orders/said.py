"""What companies and the other services say to orders: terms, quantities, parties, pieces, the clauses of a market."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.values import Exact, Quantity
from events.catalog import Clause, PieceDescribed, ProductDescribed
from events.identity import BankAccount, PartyDescribed, PartyIdentifier

BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
CLAUSES = [
    Clause(
        heading={"zh": "标的", "en": "Subject"},
        text={
            "zh": "卖方{seller}向买方{buyer}出售{goods}，数量 {quantity}，单价 {price}（{tax_basis}）。",
            "en": "The seller {seller} sells to the buyer {buyer}: {goods}, {quantity} at {price} ({tax_basis}).",
        },
    ),
    Clause(
        heading={"zh": "期限", "en": "Terms"},
        text={
            "zh": "{pay_period}内付款；允差 {tolerance}；争议限 {dispute_limit}；仓库 {warehouse}；{unheard_of}。",
            "en": "Payment within {pay_period}; {tolerance}; {dispute_limit}; {warehouse}; {fee_rate}; {penalty_rate}.",
        },
    ),
]
"""The clauses of the market that the tests trade in."""


def tonnes(value: str) -> dict[str, str]:
    """A quantity in tonnes, as JSON."""
    return {"value": value, "unit": "TNE"}


def make_terms(**changed: Any) -> dict[str, Any]:
    """What a seller says of its terms, as JSON."""
    said = {
        "price": {"value": "3850.00", "currency": "CNY", "unit": "TNE"},
        "place": "Tianjin",
        "valid_until": (BEGINNING + timedelta(days=2)).isoformat(),
        "deliver_by": (BEGINNING + timedelta(days=20)).isoformat(),
    }
    return json.loads(json.dumps({**said, **changed}))


def describe_party(party_id: str, version: int = 1, **changed: Any) -> PartyDescribed:
    """A company as identity describes it."""
    number = sum(party_id.encode())
    said = {
        "name": party_id.capitalize(),
        "country": "CN",
        "state": "admitted",
        "group": None,
        "identifiers": [PartyIdentifier(scheme="uscc", value=f"91120000{number:010d}")],
        "bank_accounts": [
            BankAccount(
                id=f"account_{party_id}", holder=party_id, number=f"6222{number:012d}", bank="B", currency="CNY"
            )
        ],
    }
    return PartyDescribed(party_id=party_id, version=version, **{**said, **changed})


def describe_piece(
    piece_id: str, version: int = 1, *, number: str, owner_id: str = "mill", net_kg: str = "8250", **changed: Any
):
    """A coil as the catalog describes it."""
    net = Quantity(Exact(net_kg), "KGM")
    said = {
        "market": "steel",
        "maker_id": "mill",
        "title": {"zh": "热轧卷", "en": "Hot rolled coil"},
        "attributes": {},
        "gross": net,
        "warehouse_id": "warehouse",
        "state": "free",
    }
    return PieceDescribed(
        piece_id=piece_id, version=version, number=number, owner_id=owner_id, net=net, **{**said, **changed}
    )


def describe_product(
    product_id: str, version: int = 1, *, number: str = "P-1", step: str = "1", minimum: str = "5", **changed: Any
) -> ProductDescribed:
    """A published product of the mill as the catalog describes it, sold by the tonne."""
    said = {
        "market": "steel",
        "market_version": 1,
        "product_type": "coil",
        "offered_as": "goods",
        "owner_id": "mill",
        "state": "published",
        "title": {"zh": "热轧卷 Q235B", "en": "Hot rolled coil Q235B"},
        "attributes": {},
        "base_unit": "KGM",
        "trade_units": ["TNE", "KGM"],
    }
    told = {"product_id": product_id, "version": version, "number": number}
    return ProductDescribed(**told, step=Exact(step), minimum=Exact(minimum), **{**said, **changed})
