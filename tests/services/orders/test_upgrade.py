"""Deals of the version before parts: what they had stays, and they go on to their ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from chassis import migrate
from chassis.database import Database
from chassis.values import Money
from events.orders import DealSigned, DeliveryAccepted, PartEnded
from events.settlement import DepositsHeld, PaymentMissed
from tests.services.orders.conftest import Stand

FORMER = {
    "deal": (
        "title", "pay_until", "paid_piece_ids", "paid_value", "paid_unit", "funded_amount", "funded_currency", "recalled",
    ),
    "delivery": ("covered_value", "covered_unit", "value_amount", "value_currency", "reason", "passed_at"),
}  # fmt: skip
"""What a row of the version before has nothing in."""


def forget(stand: Stand) -> None:
    """Make every row one of the version before."""
    for table, columns in FORMER.items():
        stand.plant(f"UPDATE {table} SET " + ", ".join(f"{column} = NULL" for column in columns))
    stand.plant("UPDATE deal SET pieces = (SELECT jsonb_agg(p - 'gross') FROM jsonb_array_elements(pieces) AS p)")
    stand.plant("DELETE FROM delivery_line")


@pytest.fixture
def former(cluster: Any) -> Iterator[Database]:
    """A database at the schema of the version before."""
    address = cluster.create_database("orders_before_parts")
    owner = Database(address.owner, pool_size=1)
    with owner.engine.begin() as connection:
        made = migrate.config("orders", connection)
        command.upgrade(made, "orders_0002")
    yield owner
    owner.close()


def test_the_migration_keeps_what_there_was(former: Database) -> None:
    rows = [
        "INSERT INTO market (id, version, terms, fees) VALUES ('m', 1, '{}', '{}')",
        "INSERT INTO piece (id, version, market, owner_id, number, title, net_value, net_unit, warehouse_id) "
        "VALUES ('p', 3, 'm', 'mill', 'A1', '{}', 8250, 'KGM', 'w')",
    ]
    with former.engine.begin() as connection:
        for row in rows:
            connection.execute(text(row))
        command.upgrade(migrate.config("orders", connection), "orders_0003")
    with former.engine.connect() as connection:
        found = connection.execute(text("SELECT number, net_value, theoretical_value, blocked FROM piece")).one()
        assert tuple(found) == ("A1", 8250, None, None)
        assert connection.execute(text("SELECT clauses FROM market")).scalar_one() is None


def test_a_deal_that_was_being_delivered_ends_as_it_would_have(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2", "A3")
    stand.start(deal, "delivery_1", "piece_A1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    forget(stand)
    assert stand.broken() == {}
    seen = stand.deal(deal["id"])
    assert [piece["gross"]["amount"] for piece in seen["pieces"]] == [3176250] * 3
    assert len(seen["paid_piece_ids"]) == 3
    stand.pay_out(deal["id"], accepted)
    stand.start(deal, "delivery_2", "piece_A2")
    stand.weigh(deal, "delivery_2", "8250", "8250")
    stand.told()
    stand.pay_out(deal["id"], stand.accept(deal["id"], "delivery_2").ok())
    [told] = [event for event in stand.told() if isinstance(event, DeliveryAccepted)]
    assert told.value == Money(3176250, "CNY")
    stand.advance(timedelta(days=20))
    stand.close(deal)
    [part] = [event for event in stand.told() if isinstance(event, PartEnded)]
    assert (part.piece_ids, part.value) == (["piece_A3"], Money(3176250, "CNY"))
    assert stand.deal(deal["id"])["state"] == "completed"
    assert stand.broken() == {}


def test_a_deal_that_waited_for_its_money_is_reminded_and_completed(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    forget(stand)
    stand.told()
    assert stand.advance(timedelta(seconds=60)) == 1
    [told] = stand.told()
    assert (told.stage, told.value, told.gross) == ("whole", Money(3176250, "CNY"), Money(3176250, "CNY"))
    stand.pay_out(deal["id"], accepted)
    assert stand.deal(deal["id"])["state"] == "completed"
    assert stand.rows("SELECT passes_to FROM allotment") == [("buyer",)]
    assert stand.broken() == {}


def test_a_delivery_that_was_settled_passes_its_pieces_when_its_deal_completes(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.start(deal, "delivery_1", "piece_A1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.pay_out(deal["id"], stand.accept(deal["id"], "delivery_1").ok())
    forget(stand)
    stand.plant("UPDATE allotment SET passes_to = NULL")
    assert stand.broken() == {}
    stand.start(deal, "delivery_2", "piece_A2")
    stand.weigh(deal, "delivery_2", "8250", "8250")
    stand.pay_out(deal["id"], stand.accept(deal["id"], "delivery_2").ok())
    assert stand.rows("SELECT piece_id, passes_to FROM allotment ORDER BY 1") == [
        ("piece_A1", "buyer"),
        ("piece_A2", "buyer"),
    ]
    assert stand.broken() == {}


@pytest.mark.parametrize("paid", [True, False])
def test_a_deal_that_was_signed_is_paid_in_parts(stand: Stand, paid: bool) -> None:
    deal = stand.make_signed("A1", "A2")
    forget(stand)
    stand.pay(deal, "piece_A1")
    assert stand.deal(deal["id"])["due_at"] == "2026-03-04T08:00:00Z"
    if paid:
        stand.pay(deal, "piece_A2")
    else:
        stand.hear(PaymentMissed(deal_id=deal["id"]))
    assert [each["reason"] for each in stand.deal(deal["id"])["ended_parts"]] == ([] if paid else ["not_paid"])
    assert stand.broken() == {}


def test_a_deal_that_was_struck_tells_the_shares_of_its_pieces_when_it_is_signed(stand: Stand) -> None:
    deal = stand.strike("A1", "A2")
    forget(stand)
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    [signed] = [event for event in stand.told() if isinstance(event, DealSigned)]
    assert [piece.gross for piece in signed.pieces] == [Money(3176250, "CNY")] * 2
