"""Does the hand-written reference still write all that the tables need?"""

from __future__ import annotations

import re

import pytest

from chassis.idempotency import Idempotency
from loadtests.benchmarks import by_hand, by_hand_sql
from services.logistics.warehouses.model import Gate
from services.orders.contracts.model import Agreement
from services.orders.deals.model import Deal
from services.settlement.holds.model import Deposits, Hold

WRITES = [
    (Gate, by_hand.WRITE_GATE),
    (Idempotency, by_hand.CLAIM_KEY),
    (Deal, by_hand_sql.ADD_DEAL),
    (Deposits, by_hand_sql.ADD_DEPOSITS),
    (Hold, by_hand_sql.ADD_HOLD),
    (Agreement, by_hand_sql.ADD_AGREEMENT),
]


@pytest.mark.parametrize(("model", "statement"), WRITES, ids=[model.__name__ for model, _ in WRITES])
def test_an_insert_by_hand_fills_every_column_that_must_be_filled(model: type, statement: str) -> None:
    table, columns = re.search(r"INSERT INTO (\w+) \(([^)]*)\)", statement).groups()
    written = {column.strip() for column in columns.split(",")}
    needed = {column.name for column in model.__table__.columns if not column.nullable and not column.server_default}
    assert table == model.__tablename__
    assert needed <= written <= {column.name for column in model.__table__.columns}
