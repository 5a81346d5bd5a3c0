"""Logistics on a database of its own, over HTTP, by news and by reads, with time standing still."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from sqlalchemy import text

import events.logistics
from chassis import clock, migrate
from chassis.access import kid_of, make_verifier
from chassis.auth import Caller, sign_token
from chassis.brokers.memory import MemoryBroker
from chassis.consumer import Consumer, Streams
from chassis.database import Database
from chassis.envelope import Event
from chassis.http import make_app
from chassis.settings import Settings
from chassis.timers import Timers
from chassis.values import Exact, Money, Quantity, UnitPrice, read_wire
from events.catalog import PieceDescribed
from events.logistics import DeliveryWeighed, GateJudged, RecallAnswered
from events.orders import DealDescribed, DealPiece, DeliveriesCalled, DeliveryAccepted, PartRecalled
from services.logistics import SERVICE

BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
SYSTEM = Caller.system("logistics")
TOLD = {
    kind.type: kind for kind in vars(events.logistics).values() if isinstance(kind, type) and hasattr(kind, "topic")
}
LOAD, RECEIVE = timedelta(hours=72), timedelta(days=7)


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
    """The service, with what the others say to it, what its gates read and what it says to them."""

    database: Database
    owner: Database
    app: Flask
    broker: MemoryBroker
    signing_key: Ed25519PrivateKey
    frozen: clock.FrozenClock
    _keys: Iterator[int] = field(default_factory=itertools.count)
    _sequences: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # --- as somebody who calls the API -------------------------------------------------------------------------

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        party: str = "warehouse",
        role: str = "warehouse",
        device: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """The answer of a route to a user, or a gate's machine, of a party with one role."""
        kind = "machine" if device else "operator" if role == "operator" else "user"
        caller = Caller(f"user_{party}_{role}", party, frozenset({role}), kind, device)
        token = sign_token(self.signing_key, kid_of(self.signing_key.public_key().public_bytes_raw()), caller)
        headers = {"Authorization": f"Bearer {token}"}
        if method != "GET" and not path.endswith("/reads"):
            headers["Idempotency-Key"] = key or f"test-key-{next(self._keys):08d}"
        response = self.app.test_client().open(path, method=method, json=body, headers=headers)
        told = response.get_json() if response.is_json else response.get_data(as_text=True) or None
        return Answer(response.status_code, told)

    def send_raw(self, path: str, body: bytes, media_type: str, *, party: str, role: str = "warehouse") -> Answer:
        """The answer of a route that takes a file."""
        caller = Caller(f"user_{party}_{role}", party, frozenset({role}), "user", None)
        token = sign_token(self.signing_key, kid_of(self.signing_key.public_key().public_bytes_raw()), caller)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type}
        response = self.app.test_client().post(path, data=body, headers=headers)
        return Answer(response.status_code, response.get_json())

    def get(self, path: str, *, party: str = "buyer", role: str = "reader") -> Answer:
        """Ask a query."""
        return self.send("GET", path, party=party, role=role)

    def make_gate(self, *, party: str = "warehouse", **rules: Any) -> dict[str, Any]:
        """A gate of a warehouse."""
        body = {"name": "Gate 3", "place": "Xingang, yard 2", **rules}
        return self.send("POST", "/v1/gates", body, party=party).ok()

    def issue(self, *piece_ids: str, deal_id: str = "deal_1", party: str = "mill", **changed: Any) -> Answer:
        """The seller issues a pick-up note for pieces of a deal."""
        body = {"deal_id": deal_id, "piece_ids": list(piece_ids), "plate": "津A·12345", "driver": "Li Wei"}
        key = changed.pop("key", None)
        return self.send("POST", "/v1/pickup-notes", {**body, **changed}, party=party, role="seller", key=key)

    def change(self, note: dict[str, Any], move: str, body: Any = None, *, party: str = "mill") -> Answer:
        """Split, void or renew a note."""
        return self.send("POST", f"/v1/pickup-notes/{note['id']}/{move}", body, party=party, role="seller")

    def note(self, note: dict[str, Any], *, party: str = "mill") -> dict[str, Any]:
        """The view of a note."""
        return self.get(f"/v1/pickup-notes/{note['id']}", party=party).ok()

    def load(self, gate: dict[str, Any], note: dict[str, Any], *, party: str = "warehouse", **changed: Any) -> Answer:
        """The warehouse confirms what a truck has loaded by a note."""
        body = {"note_id": note["id"], "code": note["code"], "gate_id": gate["id"]}
        key = changed.pop("key", None)
        return self.send("POST", "/v1/deliveries", {**body, **changed}, party=party, key=key)

    def start(
        self,
        gate: dict[str, Any],
        *piece_ids: str,
        deal_id: str = "deal_1",
        seller: str = "mill",
        party: str = "warehouse",
        **changed: Any,
    ) -> Answer:
        """A note is issued for pieces of a deal and the truck is loaded by it."""
        issued = self.issue(*piece_ids, deal_id=deal_id, party=seller, **changed)
        return self.load(gate, issued.body, party=party) if issued.status == 201 else issued

    def weigh(self, delivery: dict[str, Any], end: str, net_kg: int = 16_000, **changed: Any) -> Answer:
        """Record the ticket of one end, by whom it belongs to."""
        by = {"loading": "warehouse", "receiving": "buyer", "third_party": "weigher"}
        party, role = changed.pop("party", by.get(end, "buyer")), changed.pop("role", "warehouse")
        key = changed.pop("key", None)
        body = {
            "end": end,
            "scale": "Scale 1",
            "plate": "津A·12345",
            "gross": kg(net_kg + 14_000),
            "tare": kg(14_000),
            "net": kg(net_kg),
            "weighed_at": clock.now().isoformat(),
        }
        return self.send(
            "POST", f"/v1/deliveries/{delivery['id']}/tickets", {**body, **changed}, party=party, role=role, key=key
        )

    def correct(self, delivery: dict[str, Any], ticket: dict[str, Any], net_kg: int, *, party: str) -> Answer:
        """Propose another weight for the end of a ticket."""
        return self.weigh(delivery, ticket["end"], net_kg, party=party, replaces=ticket["id"])

    def answer(self, ticket: dict[str, Any], move: str, *, party: str) -> Answer:
        """Sign or decline a correction."""
        path = f"/v1/deliveries/{ticket['delivery_id']}/tickets/{ticket['id']}/{move}"
        return self.send("POST", path, party=party)

    def show(self, delivery: dict[str, Any], *, party: str = "buyer") -> dict[str, Any]:
        """The view of a delivery."""
        return self.get(f"/v1/deliveries/{delivery['id']}", party=party).ok()

    # --- as a gate ---------------------------------------------------------------------------------------------

    def read(self, epc: str, *, seconds: float = 0, rssi_dbm: float = -50, antenna: int = 1) -> dict[str, Any]:
        """One read, ``seconds`` from now by the reader's clock."""
        at = (clock.now() + timedelta(seconds=seconds)).isoformat()
        return {"sequence": next(self._sequences), "epc": epc, "antenna": antenna, "rssi_dbm": rssi_dbm, "at": at}

    def post_reads(self, gate: dict[str, Any], reads: list[dict[str, Any]], **changed: Any) -> Answer:
        """Hand reads in with the gate's own key, and let them be worked off."""
        sent = {"party": gate["party_id"], "device": gate["id"], **changed}
        answer = self.send("POST", f"/v1/gates/{gate['id']}/reads", {"reads": reads}, **sent)
        self.work_off()
        return answer

    def work_off(self) -> None:
        """Take in what the broker holds."""
        consumer = Consumer(Streams(SERVICE), self.database, self.broker, member="test", wait_s=0)
        while consumer.step():
            pass
        consumer.close()

    def pass_gate(self, gate: dict[str, Any], *numbers: int, times: int = 3) -> list[dict[str, Any]]:
        """A truck with these coils goes through and the passage closes; the passages of the gate, newest first."""
        self.post_reads(gate, [self.read(tag(number)) for number in numbers for _ in range(times)]).ok()
        self.advance(timedelta(seconds=3))
        return self.passages(gate)

    def passages(self, gate: dict[str, Any], *, party: str = "warehouse") -> list[dict[str, Any]]:
        """The passages of a gate, newest first."""
        return self.get(f"/v1/passages?gate_id={gate['id']}", party=party).ok()["items"]

    def discrepancies(self, *, party: str = "warehouse", role: str = "reader") -> list[dict[str, Any]]:
        """What did not fit, newest first."""
        return self.get("/v1/discrepancies", party=party, role=role).ok()["items"]

    # --- as the other services ---------------------------------------------------------------------------------

    def hear(self, *news: Event) -> None:
        """Let news come in, each in a transaction of its own."""
        for event in news:
            self.database.run(lambda session, event=event: SERVICE.handlers[type(event)](session, SYSTEM, event))

    def hear_deal(self, count: int = 2, *, deal_id: str = "deal_1", first: int = 1, **changed: Any) -> list[str]:
        """A paid deal over coils, each known with its tag; their ids."""
        numbers = range(first, first + count)
        self.hear(*(describe_piece(number) for number in numbers), describe_deal(*numbers, deal_id=deal_id, **changed))
        return [f"piece_{number}" for number in numbers]

    def call(self, deal_id: str = "deal_1") -> None:
        """The time to deliver is over."""
        self.hear(DeliveriesCalled(deal_id=deal_id))

    def accept(self, weighed: DeliveryWeighed, **changed: Any) -> None:
        """Orders has accepted the weights that a delivery was told with."""
        zero = Money.zero("CNY")
        said = {
            "loaded": weighed.loaded,
            "received": weighed.received,
            "third_party": weighed.third_party,
            "settled": weighed.loaded,
            "price": UnitPrice(Exact("3850"), "CNY", "TNE"),
            "tax_rate": Exact("0.13"),
            "net": zero,
            "tax": zero,
            "gross": zero,
            "is_last": True,
        }
        self.hear(DeliveryAccepted(deal_id=weighed.deal_id, delivery_id=weighed.delivery_id, **{**said, **changed}))

    def recall(self, *piece_ids: str, recall_id: str = "recall_1", quantity: str = "8") -> bool:
        """Orders asks for a part of a deal back; whether it is free."""
        weight = Quantity(Exact(quantity), "TNE")
        self.hear(PartRecalled(deal_id="deal_1", recall_id=recall_id, piece_ids=list(piece_ids), quantity=weight))
        (answer,) = [one for one in self.told() if isinstance(one, RecallAnswered)]
        assert answer.recall_id == recall_id
        return answer.is_free

    def advance(self, by: timedelta) -> int:
        """Let time pass and do what is due; how many deadlines were handled."""
        self.frozen.advance(by)
        timers, handled = Timers(SERVICE, self.database), 0
        while done := timers.step():
            handled += done
        return handled

    def told(self, topic: str = "logistics") -> list[Event]:
        """What was said in a topic since the last time, in order, but for the verdicts; the other topics are emptied too."""
        rows = self.owner.run(
            lambda session: session.execute(text("DELETE FROM outbox RETURNING id, topic, headers, value")).all()
        )
        return [
            msgspec.json.decode(bytes(row.value), type=TOLD[row.headers["ce_type"]], dec_hook=read_wire)
            for row in sorted(rows, key=lambda row: row.id)
            if row.topic == topic and row.headers["ce_type"] != GateJudged.type
        ]

    def judged(self) -> list[GateJudged]:
        """The verdicts that still wait to be sent, in order."""
        values = self.rows(f"SELECT value FROM outbox WHERE headers ->> 'ce_type' = '{GateJudged.type}' ORDER BY id")
        return [msgspec.json.decode(bytes(value), type=GateJudged) for (value,) in values]

    # --- looking in ---------------------------------------------------------------------------------------------

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Look into the database."""
        return [tuple(row) for row in self.owner.look(lambda session: session.execute(text(statement)).all())]

    def snapshot(self) -> dict[str, list[str]]:
        """Every row of the service's own tables and its outbox, to show that a refusal changed nothing."""
        tables = (*SERVICE.base.metadata.tables, "outbox")
        return {table: sorted(map(str, self.rows(f"SELECT * FROM {table}"))) for table in tables}

    def drop_projections(self) -> None:
        """Forget what the other services have told."""
        tables = "deal, deal_piece, piece, piece_viewer"
        self.owner.run(lambda session: session.execute(text(f"TRUNCATE {tables}")) and None)

    def broken(self) -> dict[str, list[str]]:
        """The ids that break each invariant."""
        found = {invariant.name: sorted(id for (id,) in self.rows(invariant.query)) for invariant in SERVICE.invariants}
        return {name: ids for name, ids in found.items() if ids}


def kg(value: int | str) -> dict[str, str]:
    """A weight in kilograms, as JSON."""
    return {"value": str(value), "unit": "KGM"}


def tag(number: int) -> str:
    """The SGTIN-96 of a coil."""
    return f"3034257BF400B780{number:08X}"


def describe_piece(number: int, version: int = 1, **changed: Any) -> PieceDescribed:
    """A coil as the catalog describes it."""
    net = Quantity(Exact("8000"), "KGM")
    said = {
        "market": "steel",
        "maker_id": "mill",
        "owner_id": "mill",
        "number": f"C{number:04d}",
        "title": {"en": "Hot rolled coil"},
        "attributes": {},
        "net": net,
        "gross": net,
        "warehouse_id": "warehouse",
        "epc": tag(number),
        "state": "sold",
    }
    return PieceDescribed(piece_id=f"piece_{number}", version=version, **{**said, **changed})


def describe_deal(*numbers: int, deal_id: str = "deal_1", version: int = 1, **changed: Any) -> DealDescribed:
    """A paid deal over coils as orders describes it, in tonnes."""
    net = Quantity(Exact("8"), "TNE")
    said = {
        "market": "steel",
        "state": "delivering",
        "buyer_id": "buyer",
        "seller_id": "mill",
        "warehouse_id": "warehouse",
        "weighing_rule": "WITHIN_TOL_SELLER_ELSE_BUYER",
        "pieces": [DealPiece(piece_id=f"piece_{number}", number=f"C{number:04d}", net=net) for number in numbers],
        "quantity": Quantity(Exact(8 * len(numbers)), "TNE"),
        "deliver_by": BEGINNING + timedelta(days=20),
        "load": LOAD,
        "receive": RECEIVE,
    }
    return DealDescribed(deal_id=deal_id, version=version, **{**said, **changed})


@pytest.fixture(scope="session")
def databases(cluster: Any) -> Iterator[tuple[Database, Database]]:
    address = cluster.create_database("logistics")
    migrate.upgrade("logistics", address.owner)
    database, superuser = Database(address.app, pool_size=20), Database(cluster.superuser_url("logistics"), pool_size=1)
    yield database, superuser
    database.close()
    superuser.close()


@pytest.fixture
def stand(databases: tuple[Database, Database]) -> Iterator[Stand]:
    with clock.frozen(BEGINNING) as frozen:
        yield open_stand(databases, frozen)


def open_stand(databases: tuple[Database, Database], frozen: clock.FrozenClock) -> Stand:
    """The service with empty tables."""
    database, owner = databases
    tables = owner.look(
        lambda session: session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    )
    names = ", ".join(f'"{table}"' for table in tables if table != "alembic_version")
    owner.run(lambda session: session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE")))
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = Settings(service="logistics", signing_key=pem)
    broker = MemoryBroker()
    broker.ensure_topics(["logistics", *SERVICE.streams])
    app = make_app(SERVICE, database, make_verifier(database, settings), broker=broker, settings=settings)
    return Stand(database, owner, app, broker, private, frozen)
