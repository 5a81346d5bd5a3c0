"""Books that add up, and each way in which they may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from loadtests.invariants import Books, find_broken


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "CNY"}


def account(owner: str, kind: str, amount: int) -> dict[str, Any]:
    return {"owner_id": owner, "kind": kind, "balance": money(amount)}


def deal(
    id: str, state: str, pieces: list[str], quantity: str, offer: str = "named", gross: int = 500
) -> dict[str, Any]:
    return {
        "id": id,
        "state": state,
        "buyer_id": "buyer",
        "seller_id": "mill",
        "offer_id": offer,
        "gross": money(gross),
        "buyer_deposit": money(50),
        "seller_deposit": money(25),
        "quantity": {"value": quantity, "unit": "TNE"},
        "pieces": [{"piece_id": piece} for piece in pieces],
    }


def offer(id: str, listed: str, remaining: str, state: str = "partly_taken") -> dict[str, Any]:
    return {"id": id, "state": state, "listed": {"value": listed}, "remaining": {"value": remaining}}


# 3,000 came in; one deal of 500 was settled for 1, one of 400 is paid, one of 300 is effective, two came to nothing.
GOOD = Books(
    paid_in=3000,
    takes=5,
    accounts=[
        account("buyer", "available", 2000 - 500 - 400 - 50 - 50),
        account("buyer", "frozen", 100),
        account("buyer", "escrow", 400),
        account("mill", "available", 1000 + 499 - 50 - 300),
        account("mill", "frozen", 50),
    ],
    credits=[{"amount": money(2000), "state": "credited"}, {"amount": money(1000), "state": "credited"}],
    payouts=[{"amount": money(300), "state": "paid"}, {"amount": money(999), "state": "returned"}],
    statements=[{"totals": {"fee": money(1), "forfeit_fee": money(0)}}],
    deals=[
        deal("d5", "completed", ["p1", "p2"], "40.5"),
        deal("d4", "delivering", ["p3"], "20", gross=400),
        deal("d3", "effective", [], "10", offer="weight", gross=300),
        deal("d2", "cancelled", ["p1"], "20.25"),
        deal("d1", "defaulted", ["p3"], "20"),
    ],
    offers=[
        offer("named", "80.500", "20"),
        offer("weight", "100", "90"),
        offer("closed", "7", "0", state="withdrawn"),
    ],
)


def test_good_books_add_up() -> None:
    assert find_broken(GOOD) == []


def change(rows: list[dict[str, Any]], at: int, **changed: Any) -> list[dict[str, Any]]:
    return [row | changed if n == at else row for n, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda b: replace(b, accounts=change(b.accounts, 0, balance=money(999))), "balances"),
        (lambda b: replace(b, accounts=[*b.accounts, account("mill", "available", 1)]), "balances"),
        (lambda b: replace(b, payouts=[*b.payouts, b.payouts[0]]), "payouts 600"),
        (lambda b: replace(b, statements=[]), "fees 0"),
        (lambda b: replace(b, credits=change(b.credits, 1, state="suspense")), "3000 was paid in, 2000 was credited"),
        (lambda b: replace(b, paid_in=2999), "2999 was paid in"),
        (lambda b: replace(b, deals=change(b.deals, 1, state="completed")), "buyer has 400 escrow, its deals say 0"),
        (lambda b: replace(b, deals=change(b.deals, 2, state="cancelled")), "mill has 50 frozen, its deals say 25"),
        (lambda b: replace(b, deals=change(b.deals, 3, state="effective")), "piece p1 is in 2 deals: d5, d2"),
        (lambda b: replace(b, offers=change(b.offers, 1, remaining={"value": "91"})), "offer weight: 10 taken + 91"),
        (lambda b: replace(b, offers=change(b.offers, 0, remaining={"value": "19.999"})), "offer named"),
        (lambda b: replace(b, takes=6), "6 takes were accepted, 5 deals are there"),
    ],
)
def test_each_breach_is_named(spoil: Callable[[Books], Books], sentence: str) -> None:
    assert any(sentence in found for found in find_broken(spoil(GOOD)))
