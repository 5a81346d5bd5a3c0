"""The service of orders at a stand: called over HTTP, told news, and looked into, with time standing still."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import text

from chassis import clock
from chassis.access import kid_of
from chassis.auth import Caller, sign_token
from chassis.database import Database
from chassis.envelope import Event
from chassis.timers import Timers
from chassis.values import Exact, Money, Quantity, read_wire
from events import orders
from events.catalog import MarketDescribed
from events.logistics import DeliveriesClosed, DeliveryDeparted, DeliveryStarted, DeliveryWeighed
from events.settlement import DeliverySettled, DepositsHeld, EscrowFunded
from services.orders import SERVICE
from tests.services.orders.said import CLAUSES, describe_party, describe_piece, make_terms, tonnes
from tests.unit.orders.examples import make_market

SYSTEM = Caller.system("orders")


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

    # --- as somebody who calls the API -------------------------------------------------------------------------

    def send(
        self, method: str, path: str, body: Any = None, *, party: str, role: str, key: str | None = None
    ) -> Answer:
        """The answer of a route to a user of a party with one role."""
        headers = self._authorize(party, role)
        if method == "POST":
            headers["Idempotency-Key"] = key or f"test-key-{next(self._keys):08d}"
        response = self.app.test_client().open(path, method=method, json=body, headers=headers)
        return Answer(response.status_code, response.get_json())

    def _authorize(self, party: str, role: str) -> dict[str, str]:
        caller = Caller(f"user_{party}_{role}", party, frozenset({role}), "operator" if role == "operator" else "user")
        token = sign_token(self.signing_key, kid_of(self.signing_key.public_key().public_bytes_raw()), caller)
        return {"Authorization": f"Bearer {token}"}

    def send_file(self, path: str, body: bytes, *, party: str = "mill", role: str = "seller") -> Answer:
        """The answer of a route that takes a file."""
        headers = {**self._authorize(party, role), "Idempotency-Key": f"test-key-{next(self._keys):08d}"}
        sent = self.app.test_client().post(path, data=body, headers=headers, content_type="application/octet-stream")
        return Answer(sent.status_code, sent.get_json())

    def get(self, path: str, *, party: str = "buyer", role: str = "reader") -> Answer:
        """Ask a query."""
        return self.send("GET", path, party=party, role=role)

    def fetch(self, path: str, *, party: str = "buyer", role: str = "reader") -> Any:
        """The whole response of a query that gives a document."""
        return self.app.test_client().get(path, headers=self._authorize(party, role))

    def list_offer(
        self, *piece_ids: str, party: str = "mill", terms: dict[str, Any] | None = None, **body: Any
    ) -> Answer:
        """List pieces, or whatever ``body`` says instead."""
        said = {"market": "steel", "terms": make_terms(**(terms or {})), **body}
        if piece_ids:
            said["piece_ids"] = list(piece_ids)
        return self.send("POST", "/v1/offers", said, party=party, role="seller")

    def list_weight(self, quantity: str, minimum: str = "1", step: str = "1", **options: Any) -> Answer:
        """List a quantity in tonnes."""
        return self.list_offer(
            quantity=tonnes(quantity), minimum=tonnes(minimum), step=tonnes(step),
            warehouse_id="warehouse", title="coils", **options,
        )  # fmt: skip

    def take(self, offer: dict[str, Any], *piece_ids: str, party: str = "buyer", **body: Any) -> Answer:
        """Take pieces, or a quantity, at the version of the offer that was seen."""
        said = {"version": offer["version"], **body}
        if piece_ids:
            said["piece_ids"] = list(piece_ids)
        return self.send("POST", f"/v1/offers/{offer['id']}/takes", said, party=party, role="purchaser")

    def sign(self, deal_id: str, party: str) -> Answer:
        """Read the agreement and sign it."""
        read = self.get(f"/v1/agreements/{deal_id}", party=party).ok()
        body = {"sha256": read["sha256"]}
        return self.send("POST", f"/v1/agreements/{deal_id}/sign", body, party=party, role="signatory")

    def accept(self, deal_id: str, delivery_id: str, *, party: str = "buyer") -> Answer:
        """Accept a delivery."""
        return self.send("POST", f"/v1/deals/{deal_id}/deliveries/{delivery_id}/accept", party=party, role="purchaser")

    def deal(self, deal_id: str) -> dict[str, Any]:
        """The view of a deal."""
        return self.get(f"/v1/deals/{deal_id}").ok()

    # --- as the other services ---------------------------------------------------------------------------------

    def hear(self, *events: Event) -> None:
        """Let news come in, each in a transaction of its own."""
        for event in events:
            self.database.run(lambda session, event=event: SERVICE.handlers[type(event)](session, SYSTEM, event))

    def advance(self, by: timedelta) -> int:
        """Let time pass and do what is due; how many deadlines were handled."""
        self.frozen.advance(by)
        timers, handled = Timers(SERVICE, self.database), 0
        while done := timers.step():
            handled += done
        return handled

    def told(self) -> list[Event]:
        """What was said since the last time, in order."""
        rows = self.owner.run(
            lambda session: session.execute(text("DELETE FROM outbox RETURNING id, headers, value")).all()
        )
        return [_read_event(row) for row in sorted(rows)]

    # --- a whole trade, step by step ---------------------------------------------------------------------------

    def make_coils(self, *numbers: str, owner: str = "mill", net_kg: str = "8250") -> list[str]:
        """Pieces that the catalog has described; their ids."""
        for number in numbers:
            self.hear(describe_piece(f"piece_{number}", number=number, owner_id=owner, net_kg=net_kg))
        return [f"piece_{number}" for number in numbers]

    def strike(self, *numbers: str, **terms: Any) -> dict[str, Any]:
        """A deal over fresh coils."""
        ids = self.make_coils(*(numbers or ("A1", "A2")))
        return self.take(self.list_offer(*ids, terms=terms).ok(), *ids).ok()

    def make_effective(self, *numbers: str, **terms: Any) -> dict[str, Any]:
        """A deal whose deposits are held."""
        deal = self.strike(*numbers, **terms)
        self.hear(DepositsHeld(deal_id=deal["id"]))
        return self.deal(deal["id"])

    def make_signed(self, *numbers: str, **terms: Any) -> dict[str, Any]:
        """A deal that both have signed."""
        deal = self.make_effective(*numbers, **terms)
        for party in ("buyer", "mill"):
            self.sign(deal["id"], party).ok()
        return self.deal(deal["id"])

    def make_paid(self, *numbers: str, **terms: Any) -> dict[str, Any]:
        """A deal whose escrow is full."""
        deal = self.make_signed(*numbers, **terms)
        self.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
        return self.deal(deal["id"])

    def pay(self, deal: dict[str, Any], *piece_ids: str, kg: str | None = None, amount: int | None = None) -> None:
        """The buyer pays for some pieces, for a quantity, or for all that is left."""
        if piece_ids:
            worth = sum(piece["gross"]["amount"] for piece in deal["pieces"] if piece["piece_id"] in piece_ids)
            amount = worth if amount is None else amount
        quantity = None if kg is None else Quantity(Exact(kg), "KGM")
        paid = Money(deal["gross"]["amount"] if amount is None else amount, deal["gross"]["currency"])
        self.hear(
            EscrowFunded(
                deal_id=deal["id"],
                amount=paid,
                piece_ids=list(piece_ids) or None,
                quantity=quantity,
                is_whole=not (piece_ids or kg),
            )
        )

    def start(self, deal: dict[str, Any], delivery_id: str, *piece_ids: str, kg: str = "0") -> None:
        """A truck is set up and leaves."""
        carried = list(piece_ids) or [piece["piece_id"] for piece in deal["pieces"]]
        ids = {"deal_id": deal["id"], "delivery_id": delivery_id}
        self.hear(
            DeliveryStarted(**ids, piece_ids=carried, quantity=Quantity(Exact(kg), "KGM")),
            DeliveryDeparted(**ids, at=clock.now()),
        )

    def close(self, deal: dict[str, Any]) -> None:
        """Logistics sets up no more trucks."""
        self.hear(DeliveriesClosed(deal_id=deal["id"]))

    def weigh(
        self,
        deal: dict[str, Any],
        delivery_id: str,
        loaded: str,
        received: str,
        *,
        third: str | None = None,
        version: int = 1,
    ) -> None:
        """Both tickets of a truck, in kilograms, and perhaps a third party's."""
        weights = {"loaded": Quantity(Exact(loaded), "KGM"), "received": Quantity(Exact(received), "KGM")}
        weights["third_party"] = None if third is None else Quantity(Exact(third), "KGM")
        ids = {"deal_id": deal["id"], "delivery_id": delivery_id, "piece_ids": []}
        self.hear(DeliveryWeighed(**ids, version=version, **weights))

    def pay_out(self, deal_id: str, delivery: dict[str, Any], stage: str = "whole", *, shortfall: int = 0) -> None:
        """Settlement has moved a delivery's money, or that of a stage of it."""
        gross = Money(**delivery["gross"])
        zero, short = Money.zero(gross.currency), Money(shortfall, gross.currency)
        ids = {"deal_id": deal_id, "delivery_id": delivery["id"], "statement_id": f"statement_{delivery['id']}"}
        self.hear(DeliverySettled(**ids, paid=gross - short, fee=zero, shortfall=short, stage=stage))

    # --- looking in ---------------------------------------------------------------------------------------------

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Look into the database."""
        asked = text(statement.replace(":", "\\:") if not values else statement)
        return [tuple(row) for row in self.database.look(lambda session: session.execute(asked, values).all())]

    def plant(self, statement: str, **values: Any) -> None:
        """Break something as the owner of the database could, past every rule."""

        def break_it(session: Any) -> None:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text(statement), values)

        self.owner.run(break_it)

    def broken(self) -> dict[str, list[str]]:
        """The ids that break each invariant."""
        queries = [f"SELECT '{each.name}', id FROM ({each.query}) AS {each.name}" for each in SERVICE.invariants]
        found: dict[str, list[str]] = {}
        for name, id in self.rows(" UNION ALL ".join(queries)):
            found.setdefault(name, []).append(id)
        return {name: sorted(ids) for name, ids in found.items()}

    def clear(self) -> None:
        """Empty every table and tell the service again of the market and the companies."""
        tables = self.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        names = ", ".join(f'"{table}"' for (table,) in tables)
        self.owner.run(lambda session: session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE")))
        self.hear(MarketDescribed(market="steel", version=1, name={}, clauses=CLAUSES, **make_market()))
        self.hear(*(describe_party(party) for party in ("mill", "buyer", "trader", "warehouse")))

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the service's own tables, to show that a refusal changed nothing."""
        tables = (
            "offer", "deal", "delivery", "delivery_line", "ended_part", "cancellation", "agreement", "allotment", "outbox",
        )  # fmt: skip
        return {table: sorted(map(str, self.rows(f"SELECT * FROM {table}"))) for table in tables}


def _read_event(row: Any) -> Event:
    kinds = {kind.type: kind for kind in vars(orders).values() if isinstance(kind, type) and hasattr(kind, "topic")}
    return msgspec.json.decode(bytes(row.value), type=kinds[row.headers["ce_type"]], dec_hook=read_wire)
