"""Deals that began before parts had values go on after the upgrade, and end with nothing held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from chassis import clock, migrate
from chassis.access import make_verifier
from chassis.database import Database
from chassis.http import make_app
from chassis.settings import Settings
from services.settlement import SERVICE
from services.settlement.ledger.commands import post_certain
from services.settlement.ledger.model import PLATFORM, Kind, Leg
from tests.services.settlement.conftest import BEGINNING
from tests.services.settlement.stand import Stand, cny

DEALS = {"awaited": "awaiting", "paid": "funded", "begun": "funded", "late": "lapsed", "over": "closed"}
"""One deal of 100.00 in each state; of ``begun`` a first delivery is paid, ``over`` was cancelled unpaid."""


def fill(session: Session) -> None:
    """What the version before left behind."""
    for deal, state in DEALS.items():
        held, funded = "resolved" if deal == "over" else "held", 10_000 if state == "funded" else 0
        session.execute(
            text("INSERT INTO deposits VALUES (:id, 'buyer', 'mill', 1000, 'CNY', 0, 'CNY', NULL, :state)"),
            {"id": deal, "state": held},
        )
        session.execute(
            text(
                "INSERT INTO escrow VALUES (:id, 'buyer', 'mill', 10000, 'CNY', :funded, :out, 0, 0, 0.001, 0, :at, "
                "CASE WHEN :state = 'awaiting' THEN CAST(:at AS timestamptz) END, :state)"
            ),
            {
                "id": deal,
                "funded": funded,
                "out": 4_000 if deal == "begun" else 0,
                "at": "2026-03-03T08:00:00Z",
                "state": state,
            },
        )
        hold(session, deal, is_over=deal == "over")
        if funded:
            move(session, f"escrow:{deal}", Leg("buyer", Kind.AVAILABLE, -cny(funded)), Leg("buyer", Kind.ESCROW, cny(funded)),
                 kind="escrow_payment", subject=deal)  # fmt: skip
    deliver_first(session)


def move(session: Session, key: str, *legs: Leg, kind: str = "transfer", subject: str = "s") -> str:
    """Post a journal."""
    return post_certain(session, key=key, kind=kind, subject=subject, legs=legs)


def hold(session: Session, deal: str, *, is_over: bool) -> None:
    """The buyer's deposit, released again where the deal is over; then a line says so."""
    frozen = (Leg("buyer", Kind.AVAILABLE, -cny(1000)), Leg("buyer", Kind.FROZEN, cny(1000)))
    move(session, f"hold:{deal}", *frozen, kind="hold", subject=deal)
    back = [Leg(leg.owner_id, leg.kind, -leg.amount) for leg in frozen]
    journal = move(session, f"cancellation:{deal}", *back, kind="cancellation", subject=deal) if is_over else None
    session.execute(
        text("INSERT INTO hold VALUES (:id, :deal, NULL, 'buyer', 'buyer', 'CNY', 1000, :open, :out, 0, 0, 0, :by, now(), :s)"),
        {"id": f"hold_{deal}", "deal": deal, "open": 0 if is_over else 1000, "out": 1000 if is_over else 0, "by": journal,
         "s": "resolved" if is_over else "active"},
    )  # fmt: skip
    if is_over:
        write_line(session, deal, journal, kind="cancellation", released=1000)


def deliver_first(session: Session) -> None:
    """The first delivery of ``begun``: 40.00 of its escrow went to the mill, less the fee."""
    legs = (
        Leg("buyer", Kind.ESCROW, -cny(4_000)),
        Leg("mill", Kind.AVAILABLE, cny(3_996)),
        Leg(PLATFORM, Kind.FEE, cny(4)),
    )
    journal = move(session, "delivery:first", *legs, kind="delivery_settlement", subject="begun")
    write_line(session, "begun", journal, kind="delivery", paid=4_000)


def write_line(
    session: Session, deal: str, journal: str | None, *, kind: str, paid: int = 0, released: int = 0
) -> None:
    """A line as it was written before."""
    session.execute(
        text("INSERT INTO statement VALUES (:id, :deal, 'buyer', 'mill', 'CNY', now())"),
        {"id": f"s_{deal}", "deal": deal},
    )
    delivery = {"delivery_id": "first", "net": 3_540, "tax": 460, "gross": 4_000} if paid else {}
    said = {
        "id": f"line_{deal}", "statement_id": f"s_{deal}", "number": 1, "kind": kind, "journal_id": journal,
        "created_at": BEGINNING, "currency": "CNY", "from_escrow": paid, "from_deposit": 0, "fee": paid // 1000,
        "shortfall": 0, "returned": 0, "buyer_released": released, "seller_released": 0, "buyer_forfeited": 0,
        "seller_forfeited": 0, "forfeit_fee": 0, **delivery,
    }  # fmt: skip
    names = ", ".join(said)
    session.execute(text(f"INSERT INTO statement_line ({names}) VALUES (:{names.replace(', ', ', :')})"), said)


@pytest.fixture
def upgraded(cluster: Any, request: pytest.FixtureRequest) -> Iterator[Stand]:
    """The service on a database of the version before that was upgraded."""
    address = cluster.create_database(f"settlement_{request.node.name[5:40]}", service="settlement")
    engine = create_engine(address.owner)
    with engine.begin() as connection:
        connection.execute(text("GRANT USAGE ON SCHEMA public TO settlement_app"))
        for revision in ("chassis@head", "settlement_0002"):
            command.upgrade(migrate.config("settlement", connection), revision)
    engine.dispose()
    owner, key = Database(address.owner, pool_size=2), Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = Settings(service="settlement", signing_key=pem)
    with clock.frozen(BEGINNING) as frozen:
        app = make_app(SERVICE, owner, make_verifier(owner, settings), settings=settings)
        stand = Stand(owner, owner, app, key, frozen)
        stand.top_up(buyer=90_000, mill=90_000)
        owner.run(fill)
        migrate.upgrade("settlement", address.owner)
        yield stand
    owner.close()


def test_what_was_there_is_as_it_was(upgraded: Stand) -> None:
    assert upgraded.broken() == {}
    assert upgraded.rows("SELECT id, state, resolved, missed FROM escrow ORDER BY id") == [
        ("awaited", "awaiting", 0, 0), ("begun", "funded", 0, 0), ("late", "lapsed", 0, 0),
        ("over", "closed", 10_000, 10_000), ("paid", "funded", 0, 0),
    ]  # fmt: skip


def test_each_deal_goes_on_by_its_parts(upgraded: Stand) -> None:
    upgraded.accept(6_100, value=6_000, delivery="second", deal="begun")
    upgraded.end("part_1", 10_000, by="seller", deal="paid")
    upgraded.end("part_2", 10_000, by="buyer", forfeit=1000, is_paid=False, deal="late")
    upgraded.end("part_3", 10_000, is_paid=False, deal="awaited")
    for deal in DEALS:
        upgraded.complete(deal)
    assert upgraded.rows("SELECT DISTINCT state FROM deposits") == [("resolved",)]
    assert {kind for kind in upgraded.balances() if "frozen" in kind or "escrow" in kind} == set()
    assert upgraded.broken() == {}


def test_each_deal_goes_on_as_before(upgraded: Stand) -> None:
    upgraded.accept(6_000, delivery="second", deal="begun")
    upgraded.accept(4_000, delivery="first", deal="begun")
    upgraded.default("seller", 0, deal="paid")
    upgraded.default("buyer", 1000, deal="late")
    upgraded.cancel("awaited")
    upgraded.cancel("over")
    assert upgraded.rows("SELECT DISTINCT state FROM deposits") == [("resolved",)]
    assert upgraded.balances()["mill:available"] == 90_000 + 4_000 - 4 + 6_000 - 6 + 1_000
    assert upgraded.broken() == {}
