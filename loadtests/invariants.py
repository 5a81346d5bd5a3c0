"""What must be true of money and goods after a load, seen from outside: over the public API alone, as its operator.

``haihe check`` sees more, where the databases can be reached; this works against any platform.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loadtests.api import Actor
from loadtests.draining import list_since

Rows = list[dict[str, Any]]
_NOTHING_CAME_OF_IT = ("cancelled", "defaulted")
_ENDED = (*_NOTHING_CAME_OF_IT, "completed")
_MOST_NAMED = 5


@dataclass(frozen=True)
class Books:
    """What the platform says of the companies of a load; ``paid_in`` and ``takes`` are what the load itself knows."""

    paid_in: int
    takes: int
    accounts: Rows
    credits: Rows
    payouts: Rows
    statements: Rows
    deals: Rows
    offers: Rows


def read_books(
    operator: Actor, parties: Collection[str], mills: Iterable[str], began: str, *, paid_in: int, takes: int
) -> Books:
    """Reads everything that these companies have done since a moment. Takes a request for a hundred rows."""

    def read(path: str, time_field: str, *owners: str) -> Rows:
        rows = list_since(operator, path, time_field, began)
        return [row for row in rows if all(row[owner] in parties for owner in owners)]

    return Books(
        paid_in=paid_in,
        takes=takes,
        accounts=[row for row in operator.every("/v1/accounts", limit=100) if row["owner_id"] in parties],
        credits=read("/v1/bank-credits", "recorded_at", "party_id"),
        payouts=read("/v1/payouts", "requested_at", "party_id"),
        statements=read("/v1/statements", "created_at", "buyer_id", "seller_id"),
        deals=read("/v1/deals", "struck_at", "buyer_id", "seller_id"),
        offers=[row for mill in mills for row in operator.every("/v1/offers", seller_id=mill, limit=100)],
    )


def find_broken(books: Books) -> list[str]:
    """A sentence for everything that is not as it must be. The platform has come to rest before."""
    return [
        *_check_money(books),
        *_check_kind(books, "escrow", _owed_in_escrow(books)),
        *_check_kind(books, "frozen", _owed_in_deposits(books)),
        *_check_pieces(books),
        *_check_offers(books),
        *_check_takes(books),
    ]


def _check_money(books: Books) -> Iterable[str]:
    credited = sum(_amount(row) for row in books.credits if row["state"] == "credited")
    if credited != books.paid_in:
        yield f"{books.paid_in} was paid in, {credited} was credited"
    held = sum(row["balance"]["amount"] for row in books.accounts)
    left = sum(_amount(row) for row in books.payouts if row["state"] != "returned")
    fees = sum(row["totals"][fee]["amount"] for row in books.statements for fee in ("fee", "forfeit_fee"))
    if held + left + fees != credited:
        yield f"balances {held} + payouts {left} + fees {fees} are not what was credited, {credited}"


def _check_kind(books: Books, kind: str, owed: Counter[str]) -> Iterable[str]:
    held = Counter({row["owner_id"]: row["balance"]["amount"] for row in books.accounts if row["kind"] == kind})
    for party in sorted(held.keys() | owed.keys()):
        if held[party] != owed[party]:
            yield f"{party} has {held[party]} {kind}, its deals say {owed[party]}"


def _owed_in_escrow(books: Books) -> Counter[str]:
    """What is paid and not settled, by buyer; the deals of a load have one delivery each."""
    owed: Counter[str] = Counter()
    for deal in books.deals:
        if deal["state"] == "delivering":
            owed[deal["buyer_id"]] += deal["gross"]["amount"]
    return owed


def _owed_in_deposits(books: Books) -> Counter[str]:
    owed: Counter[str] = Counter()
    for deal in books.deals:
        if deal["state"] not in _ENDED:
            owed[deal["buyer_id"]] += deal["buyer_deposit"]["amount"]
            owed[deal["seller_id"]] += deal["seller_deposit"]["amount"]
    return owed


def _check_pieces(books: Books) -> Iterable[str]:
    deals_of: defaultdict[str, list[str]] = defaultdict(list)
    for deal in books.deals:
        if deal["state"] not in _NOTHING_CAME_OF_IT:
            for piece in deal["pieces"]:
                deals_of[piece["piece_id"]].append(deal["id"])
    twice = {piece: deals for piece, deals in deals_of.items() if len(deals) > 1}
    for piece, deals in sorted(twice.items())[:_MOST_NAMED]:
        yield f"piece {piece} is in {len(deals)} deals: {', '.join(deals)}"


def _check_offers(books: Books) -> Iterable[str]:
    taken: defaultdict[str, Decimal] = defaultdict(Decimal)
    for deal in books.deals:
        if deal["state"] not in _NOTHING_CAME_OF_IT:
            taken[deal["offer_id"]] += Decimal(deal["quantity"]["value"])
    for offer in books.offers:
        listed, remaining = Decimal(offer["listed"]["value"]), Decimal(offer["remaining"]["value"])
        if offer["state"] not in ("withdrawn", "expired") and remaining + taken[offer["id"]] != listed:
            yield f"offer {offer['id']}: {taken[offer['id']]} taken + {remaining} remaining are not the {listed} listed"


def _check_takes(books: Books) -> Iterable[str]:
    if len(books.deals) < books.takes:
        yield f"{books.takes} takes were accepted, {len(books.deals)} deals are there"


def _amount(row: dict[str, Any]) -> int:
    return row["amount"]["amount"]
