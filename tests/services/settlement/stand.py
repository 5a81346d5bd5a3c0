"""What a test of settlement stands on: callers, news, time, and a look at the money."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

import events.settlement
from chassis import clock
from chassis.access import kid_of
from chassis.auth import PLATFORM, Caller, sign_token
from chassis.database import Database
from chassis.envelope import Event
from chassis.service import Invariant
from chassis.timers import Timers
from chassis.values import Exact, Money, Quantity, UnitPrice, read_wire
from events.catalog import MarketDescribed, MarketFees
from events.identity import BankAccount, PartyDescribed
from events.orders import (
    DealCancelled,
    DealCompleted,
    DealDefaulted,
    DealPiece,
    DealSigned,
    DealStruck,
    DeliveryAccepted,
    PartEnded,
    PaymentCalled,
)
from services.settlement import SERVICE
from services.settlement.ledger.commands import post_certain
from services.settlement.ledger.model import Kind, Leg
from services.settlement.parties.model import reference_of
from tests.unit.orders.examples import make_market

DAY, ZERO = timedelta(days=1), timedelta()
SYSTEM = Caller.system("settlement")
SAID = {kind.type: kind for kind in vars(events.settlement).values() if hasattr(kind, "type")}


def cny(amount: int) -> Money:
    """Fen."""
    return Money(amount, "CNY")


def tonnes(value: str) -> Quantity:
    """A weight."""
    return Quantity(Exact(value), "TNE")


def coils(**gross: int) -> list[DealPiece]:
    """Pieces of a deal with their prices, each of a tonne."""
    return [
        DealPiece(piece_id=id, number=f"C-{id}", net=tonnes("1"), gross=cny(amount)) for id, amount in gross.items()
    ]


@dataclass
class Answer:
    """What a route answered."""

    status: int
    body: Any

    def ok(self) -> Any:
        """The body of a success."""
        assert 200 <= self.status < 300, f"{self.status}: {self.body}"
        return self.body

    def problem(self) -> str:
        """The short name of the problem."""
        assert self.status >= 400, f"{self.status}: {self.body}"
        return self.body["type"].removeprefix("urn:haihe:problem:")


@dataclass
class Stand:
    """The service, with what the others say to it and what it says to them."""

    database: Database
    owner: Database
    app: Flask
    signing_key: Ed25519PrivateKey
    frozen: clock.FrozenClock
    _keys: Iterator[int] = field(default_factory=itertools.count)

    def begin_again(self) -> None:
        """Empty every table."""
        self.owner.run(_empty)

    def send(
        self, method: str, path: str, body: Any = None, *, party: str = "buyer", role: str = "finance", key: str = ""
    ) -> Answer:
        """The answer of a route to a user of a party with one role; the platform's roles need no party."""
        kind = {"operator": "operator", "bank_feed": "machine"}.get(role, "user")
        home = PLATFORM if kind != "user" else party
        caller = Caller(f"user_{home}_{role}", home, frozenset({role}), kind)
        token = sign_token(self.signing_key, kid_of(self.signing_key.public_key().public_bytes_raw()), caller)
        headers = {"Authorization": f"Bearer {token}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or f"test-key-{next(self._keys):08d}"
        response = self.app.test_client().open(path, method=method, json=body, headers=headers)
        body = response.get_json() if response.is_json else response.data
        return Answer(response.status_code, body)

    def get(self, path: str, *, party: str = "buyer", role: str = "finance") -> Answer:
        """Ask a query."""
        return self.send("GET", path, party=party, role=role)

    def hear(self, *events: Event) -> None:
        """Let news come in, each in a transaction of its own."""
        for event in events:
            self.database.run(lambda session, event=event: SERVICE.handlers[type(event)](session, SYSTEM, event))

    def told(self) -> list[Event]:
        """What was said since the last time, in order."""
        take = text("DELETE FROM outbox RETURNING id, headers, value")
        rows = sorted(self.owner.run(lambda session: [tuple(row) for row in session.execute(take)]))
        return [
            msgspec.json.decode(bytes(value), type=SAID[headers["ce_type"]], dec_hook=read_wire)
            for _, headers, value in rows
        ]

    def advance(self, by: timedelta) -> int:
        """Let time pass and do what is due; how many deadlines were handled."""
        self.frozen.advance(by)
        return Timers(SERVICE, self.database).step()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Look into the database."""
        return [tuple(row) for row in self.database.look(lambda session: session.execute(text(statement)).all())]

    def balances(self) -> dict[str, int]:
        """What is on every account that is not empty, without the currency."""
        found = self.rows("SELECT id, balance FROM account WHERE balance <> 0")
        return {id.removesuffix(":CNY"): balance for id, balance in found}

    def broken(self, invariants: Sequence[Invariant] = SERVICE.invariants) -> dict[str, list[str]]:
        """The invariants that do not hold, with the ids that break them."""
        found = {each.name: [row[0] for row in self.rows(each.query)] for each in invariants}
        return {name: ids for name, ids in found.items() if ids}

    def broken_by(self, *statements: str) -> dict[str, list[str]]:
        """The invariants that some SQL would break, past what forbids it; nothing of it stays."""
        guarded = ("account", "journal", "posting", "statement", "statement_line", "escrow_payment")
        with self.owner.engine.connect() as connection:
            for table in guarded:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for statement in statements:
                connection.exec_driver_sql(statement)
            found = {each.name: connection.exec_driver_sql(each.query).scalars().all() for each in SERVICE.invariants}
            connection.rollback()
        return {name: list(ids) for name, ids in found.items() if ids}

    # --- the trade ---------------------------------------------------------------------------------------------

    def describe_party(self, party: str, *numbers: str, version: int = 1, currency: str = "CNY") -> None:
        """Let identity say that a company has these bank accounts."""
        accounts = [
            BankAccount(id=f"{party}_{number}", holder=party, number=number, bank="ICBC", currency=currency)
            for number in numbers
        ]
        said = {"name": party, "country": "CN", "state": "admitted", "identifiers": [], "bank_accounts": accounts}
        self.hear(PartyDescribed(party_id=party, version=version, **said))

    def describe_market(self, fee_rate: str = "0.001", forfeit_fee_rate: str = "0", *, version: int = 1) -> None:
        """Let the market's rates be known."""
        fees = MarketFees(fee_rate=Exact(fee_rate), forfeit_fee_rate=Exact(forfeit_fee_rate), penalty_rate=Exact("0.2"))
        terms, name = make_market()["terms"], {"en": "steel", "zh": "钢材"}
        self.hear(MarketDescribed(market="steel", version=version, name=name, terms=terms, fees=fees))

    def credit(self, reference: str, **changed: Any) -> Answer:
        """Record what came in by bank for the buyer from its registered account, or whatever is said instead."""
        body = {
            "bank_reference": reference,
            "value_date": "2026-03-02",
            "payer_account": "6222 0001",
            "payer_name": "buyer",
            "amount": {"amount": 100_000, "currency": "CNY"},
            "remittance": f"top-up {reference_of('buyer')} thank you",
            **changed,
        }
        return self.send("POST", "/v1/bank-credits", body, role="bank_feed")

    def top_up(self, **amounts: int) -> None:
        """Give companies balances through the bank."""
        for party, amount in amounts.items():
            self.describe_party(party, f"ACC{party}".upper())
            self.credit(
                f"top-up-{party}-{next(self._keys)}",
                payer_account=f"ACC{party}",
                amount={"amount": amount, "currency": "CNY"},
                remittance=reference_of(party),
            ).ok()

    def move(self, key: str, giver: str, taker: str, amount: int) -> str:
        """Move money between two balances."""
        legs = [Leg(giver, Kind.AVAILABLE, -cny(amount)), Leg(taker, Kind.AVAILABLE, cny(amount))]
        return self.database.run(
            lambda session: post_certain(session, key=key, kind="transfer", subject=key, legs=legs)
        )

    def strike(self, deal: str = "deal_1", buyer_deposit: int = 1000, seller_deposit: int = 500) -> None:
        """A buyer takes from a mill's offer."""
        self.hear(
            DealStruck(
                deal_id=deal,
                offer_id="offer_1",
                buyer_id="buyer",
                seller_id="mill",
                buyer_deposit=cny(buyer_deposit),
                seller_deposit=cny(seller_deposit),
                due_at=clock.now() + timedelta(minutes=30),
            )
        )

    def sign(
        self, deal: str = "deal_1", gross: int = 10_000, pay: timedelta = DAY, *, ago: timedelta = ZERO, **said: Any
    ) -> None:
        """Both have signed, some time ago."""
        due_at = clock.now() - ago + pay
        sides = {"buyer_id": "buyer", "seller_id": "mill"}
        self.hear(DealSigned(deal_id=deal, market="steel", gross=cny(gross), due_at=due_at, pay=pay, **sides, **said))

    def pay(self, deal: str = "deal_1", body: Any = None, **caller: Any) -> Answer:
        """The buyer pays all that is left, or what the body names."""
        return self.send("POST", f"/v1/escrows/{deal}/pay", body or {}, **caller)

    def accept(
        self,
        gross: int,
        *,
        delivery: str = "delivery_1",
        is_last: bool = True,
        deal: str = "deal_1",
        value: int | None = None,
        **said: Any,
    ) -> None:
        """A delivery is accepted: of old without a value, or with its share of the deal's gross."""
        weight = Quantity(Exact("8.25"), "TNE")
        net = cny(gross).without_rate(Exact("0.13"))
        self.hear(
            DeliveryAccepted(
                deal_id=deal,
                delivery_id=delivery,
                loaded=weight,
                received=weight,
                settled=weight,
                price=UnitPrice(Exact("3850"), "CNY", "TNE"),
                tax_rate=Exact("0.13"),
                net=net,
                tax=cny(gross) - net,
                gross=cny(gross),
                is_last=is_last,
                value=None if value is None else cny(value),
                **said,
            )
        )

    def end(
        self,
        part: str,
        value: int,
        *,
        by: Any = None,
        forfeit: int = 0,
        is_paid: bool = True,
        piece_ids: Sequence[str] = (),
        quantity: str = "8.25",
        deal: str = "deal_1",
    ) -> None:
        """A part of a deal will not be delivered."""
        self.hear(
            PartEnded(
                deal_id=deal,
                part_id=part,
                by=by,
                piece_ids=list(piece_ids),
                quantity=tonnes(quantity),
                value=cny(value),
                is_paid=is_paid,
                forfeit=cny(forfeit),
                reason="agreed" if by is None else "not_delivered",
            )
        )

    def complete(self, deal: str = "deal_1") -> None:
        """The deal is over."""
        self.hear(DealCompleted(deal_id=deal, buyer_id="buyer", seller_id="mill", piece_ids=[]))

    def cancel(self, deal: str = "deal_1") -> None:
        """The deal comes to nothing."""
        self.hear(DealCancelled(deal_id=deal, reason="not signed in time"))

    def default(self, by: Any, forfeit: int, deal: str = "deal_1") -> None:
        """One side breaks the deal."""
        self.hear(DealDefaulted(deal_id=deal, by=by, forfeit=cny(forfeit), reason="not paid"))

    def call(self, deal: str = "deal_1") -> None:
        """The time to pay is over."""
        self.hear(PaymentCalled(deal_id=deal))

    def await_payment(
        self,
        *,
        buyer_deposit: int = 1000,
        seller_deposit: int = 500,
        gross: int = 10_000,
        rates: Mapping[str, str] = {},
        **said: Any,
    ) -> None:
        """A deal of rich companies that is struck and signed; what was told so far is dropped."""
        self.top_up(buyer=100_000, mill=100_000)
        self.describe_market(**rates)
        self.strike(buyer_deposit=buyer_deposit, seller_deposit=seller_deposit)
        self.sign(gross=gross, **said)
        self.told()

    def fund(self, *, buyer_deposit: int = 1000, seller_deposit: int = 500, gross: int = 10_000, **rates: str) -> None:
        """A deal of rich companies that is struck, signed and paid; what was told so far is dropped."""
        self.await_payment(buyer_deposit=buyer_deposit, seller_deposit=seller_deposit, gross=gross, rates=rates)
        self.pay().ok()
        self.told()

    def statement(self, deal: str = "deal_1", party: str = "buyer") -> dict[str, Any]:
        """The one statement of a deal."""
        (found,) = self.get(f"/v1/statements?deal_id={deal}", party=party).ok()["items"]
        return found


def _empty(session: Session) -> None:
    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    names = ", ".join(f'"{table}"' for table in tables if table != "alembic_version")
    session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
