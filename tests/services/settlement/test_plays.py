"""Some of the ten thousand over HTTP and by news: the database comes to what the rules alone come to, to the cent.

All news comes twice.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from chassis.values import Money
from events.orders import DealStruck, DeliveryAccepted
from services.settlement.escrows.model import Portion
from services.settlement.escrows.shares import Shares
from services.settlement.ledger.model import PLATFORM, Kind, Leg
from tests.services.settlement.stand import Stand
from tests.unit.settlement.plays import Deadline, Pay, Play, write_plays
from tests.unit.settlement.test_ten_thousand import RICH, Book, Player

DELIVERIES = 200


def begin(stand: Stand, play: Play, version: int) -> None:
    """The deal is struck and signed, at the rates of its market by then."""
    signed = play.signed
    stand.describe_market(str(play.fee_rate), str(play.forfeit_fee_rate), version=version)
    struck = DealStruck(
        deal_id=signed.deal_id,
        offer_id="offer_1",
        buyer_id="buyer",
        seller_id="mill",
        buyer_deposit=play.buyer_deposit,
        seller_deposit=play.seller_deposit,
        due_at=signed.due_at,
    )
    stand.hear(struck, struck, signed, signed)


def pay(stand: Stand, deal: str, portion: Portion) -> None:
    """The buyer pays for a portion."""
    quantity = portion.quantity and {"value": str(portion.quantity.value), "unit": portion.quantity.unit}
    body = {"piece_ids": portion.piece_ids, "quantity": quantity}
    stand.pay(deal, {name: said for name, said in body.items() if said}).ok()


def follow_up(stand: Stand, play: Play, accepted: DeliveryAccepted) -> None:
    """The seller records its invoice where escrow waits for it, and the buyer pays what was lacking, if it does."""
    deal = play.signed.deal_id
    if play.signed.release == "invoice":
        for each in stand.get(f"/v1/invoices?deal_id={deal}&state=expected", party="mill").ok()["items"]:
            body = {name: each[name] for name in ("net", "tax", "gross")} | {
                "number": each["id"],
                "issued_on": "2026-03-01",
            }
            stand.send("POST", f"/v1/invoices/{each['id']}/record", body, party="mill").ok()
    stand.hear(accepted)
    if play.pays_supplements:
        for each in stand.get(f"/v1/supplements?deal_id={deal}&state=awaiting").ok()["items"]:
            stand.send("POST", f"/v1/supplements/{each['id']}/pay").ok()


def act(stand: Stand, play: Play) -> None:
    """All that happens to a deal."""
    for step in play.steps:
        if isinstance(step, Pay):
            pay(stand, play.signed.deal_id, step.portion)
        elif isinstance(step, Deadline):
            stand.advance(timedelta(days=1))
        else:
            stand.hear(step, step)
            if isinstance(step, DeliveryAccepted):
                follow_up(stand, play, step)


def imagine(plays: list[Play]) -> Book:
    """The same by the rules alone."""
    book, money = Book(), Money(RICH, "CNY")
    for party in ("buyer", "mill"):
        book.post(Leg(PLATFORM, Kind.CLEARING_BANK, -money), Leg(party, Kind.AVAILABLE, money))
    for play in plays:
        Player(book, play).run(random.Random(0), prompt=1)
    return book


def all_of(stand: Stand, path: str, party: str) -> list[dict[str, Any]]:
    """Every item of a list."""
    items, cursor = [], ""
    while cursor is not None:
        page = stand.get(f"{path}limit=100{cursor and f'&cursor={cursor}'}", party=party).ok()
        items, cursor = items + page["items"], page["next"]
    return items


@pytest.fixture
def acted(stand: Stand) -> tuple[Stand, list[Play]]:
    """Plays that were acted to their ends."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    plays = write_plays(seed, DELIVERIES)
    stand.top_up(buyer=RICH, mill=RICH)
    for version, play in enumerate(plays, 1):
        begin(stand, play, version)
        act(stand, play)
    while stand.advance(timedelta(days=3)):
        pass
    return stand, plays


def test_the_database_comes_to_what_the_rules_come_to(acted: tuple[Stand, list[Play]]) -> None:
    stand, plays = acted
    book = imagine(plays)
    assert stand.balances() == {id.removesuffix(":CNY"): amount for id, amount in book.balances.items() if amount}
    assert stand.broken() == {}
    statements = {each["deal_id"]: each for each in all_of(stand, "/v1/statements?", "mill")}
    assert len(statements) == len(plays)
    for deal_id, statement in statements.items():
        said = [
            {name: share["amount"] for name, share in line["shares"].items()}
            for line in statement["lines"]
            if line["kind"] != "default" or not line["supplement"]
        ]
        meant = [
            {name: getattr(line.shares, name).amount for name in Shares.__struct_fields__}
            for line in book.lines
            if line.deal_id == deal_id
        ]
        assert said == meant, deal_id
        check_totals(statement)
    check_invoices(stand, statements)


def check_totals(statement: dict[str, Any]) -> None:
    """The sums of a statement are those of its lines."""
    lines = statement["lines"]
    for name, share in statement["totals"].items():
        assert share["amount"] == sum(line["shares"][name]["amount"] for line in lines)
    delivered = [line["delivery"] for line in lines if line["delivery"]]
    for name in ("net", "tax", "gross"):
        assert statement[name]["amount"] == sum(each[name]["amount"] for each in delivered)


def check_invoices(stand: Stand, statements: dict[str, Any]) -> None:
    """Σ goods invoices = Σ delivered, Σ fee invoices of both sides = what is on the platform's account."""
    mills, buyers = (all_of(stand, "/v1/invoices?", party) for party in ("mill", "buyer"))
    goods = [each for each in mills if each["kind"] == "goods"]
    assert [each for each in buyers if each["kind"] == "goods"] == goods
    for name in ("net", "tax", "gross"):
        assert sum(each[name]["amount"] for each in goods) == sum(each[name]["amount"] for each in statements.values())
    fees = [each for each in [*mills, *buyers] if each["kind"] == "fee"]
    assert sum(each["gross"]["amount"] for each in fees) == stand.balances().get("platform:fee", 0)
    assert sorted(each["number"] for each in fees) == [f"CNY-{n:08d}" for n in range(1, len(fees) + 1)]
