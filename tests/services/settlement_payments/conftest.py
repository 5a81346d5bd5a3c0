"""Settlement's card payments on a database of their own, over HTTP, with the stand-in for Stripe beside them.

Time stands still for the service; the sandbox keeps its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from sqlalchemy import text

from chassis import clock, migrate
from chassis.access import kid_of, make_verifier
from chassis.auth import Caller, sign_token
from chassis.database import Database
from chassis.errands import Errands
from chassis.http import make_app
from chassis.settings import Settings
from chassis.timers import Timers
from chassis.values import Money
from infra.stripe_sandbox.server import Sandbox
from services.settlement import SERVICE
from services.settlement.ledger.commands import post_certain
from services.settlement.ledger.model import Kind, Leg
from services.settlement.payments import stripe_client

KEY = "sk_test_settlement"
SECRET = "whsec_settlement"
BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass
class Stand:
    """The service, its loops to step, and Stripe's stand-in."""

    database: Database
    owner: Database
    sandbox: Sandbox
    frozen: clock.FrozenClock
    settings: Settings
    signing_key: Ed25519PrivateKey
    app: Flask = field(init=False)
    _keys: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.app = make_app(SERVICE, self.database, make_verifier(self.database, self.settings), settings=self.settings)
        self.errands = Errands(SERVICE, self.database, self.settings)
        self.timers = Timers(SERVICE, self.database)

    @property
    def stripe(self) -> stripe.StripeClient:
        return stripe_client.open_client(self.settings)

    def send(self, method: str, path: str, body: Any = None, *, party: str = "party_a", role: str = "finance") -> Any:
        """The answer of a route to a user of a party with one role."""
        caller = Caller(f"user_{party}", party, frozenset({role}), "operator" if role == "operator" else "user")
        token = sign_token(self.signing_key, kid_of(self.signing_key.public_key().public_bytes_raw()), caller)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"test-key-{next(self._keys):08d}"}
        return self.app.test_client().open(path, method=method, json=body, headers=headers)

    def pay(self, amount: int = 10_000, currency: str = "EUR", **members: Any) -> str:
        """Ask for a card payment; its id."""
        body = {"amount": {"amount": amount, "currency": currency}, **members}
        answer = self.send("POST", "/v1/card-payments", body)
        assert answer.status_code == 201, answer.json
        return answer.json["id"]

    def see(self, payment_id: str) -> dict[str, Any]:
        """The view of a payment."""
        return self.send("GET", f"/v1/card-payments/{payment_id}").json

    def settle(self) -> None:
        """Do every errand and deadline that is due."""
        while self.errands.step() + self.timers.step():
            pass

    def settle_but(self, kind: str) -> None:
        """Do every errand and deadline that is due, except errands of one kind."""
        self.errands.kinds = {name: errand for name, errand in SERVICE.errands.items() if name != kind}
        self.settle()
        self.errands.kinds = SERVICE.errands

    def spend(self, party: str, amount: int) -> None:
        """A party gives euros to another, as a deal would."""
        legs = [Leg(party, Kind.AVAILABLE, Money(-amount, "EUR")), Leg("mill", Kind.AVAILABLE, Money(amount, "EUR"))]
        key = f"spent-{next(self._keys)}"
        self.database.run(lambda session: post_certain(session, key=key, kind="spent", subject=key, legs=legs))

    def give(self, party: str, amount: int) -> None:
        """A party gets euros back from the other."""
        legs = [Leg("mill", Kind.AVAILABLE, Money(-amount, "EUR")), Leg(party, Kind.AVAILABLE, Money(amount, "EUR"))]
        key = f"given-{next(self._keys)}"
        self.database.run(lambda session: post_certain(session, key=key, kind="given", subject=key, legs=legs))

    def advance(self, by: timedelta) -> None:
        """Let time pass for the service, and do what is due."""
        self.frozen.advance(by)
        self.settle()

    def deliver(self) -> int:
        """Let the sandbox send its webhooks to the service; how many were sent."""
        return self.sandbox.deliver_all(self.post_event)

    def post_event(self, body: bytes, headers: dict[str, str]) -> int:
        """What a webhook is answered."""
        return self.app.test_client().post("/v1/card-events", data=body, headers=headers).status_code

    def script(self, **script: Any) -> None:
        """Make the sandbox misbehave."""
        self.admin("scripts", **script)

    def admin(self, route: str, **body: Any) -> dict[str, Any]:
        """Use what the sandbox has for tests."""
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = requests.post(f"{self.sandbox.url}/sandbox/{route}", json=body, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def admin_clear(self) -> None:
        """Let the sandbox behave again."""
        headers = {"Authorization": f"Bearer {KEY}"}
        requests.delete(f"{self.sandbox.url}/sandbox/scripts", headers=headers, timeout=5).raise_for_status()

    def set_up(self) -> None:
        """Make the rows that recur."""
        self.database.run(lambda session: SERVICE.setup(session, Caller.system("settlement"), self.settings))

    def settings_of_database(self) -> Settings:
        """The settings by which a check reaches the database."""
        return replace(self.settings, database=self.database.engine.url.render_as_string(hide_password=False))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Look into the database."""
        return [tuple(row) for row in self.database.look(lambda session: session.execute(text(statement)).all())]

    def plant(self, statement: str) -> None:
        """Break something behind the service's back, past the triggers that forbid it."""
        with self.owner.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE posting DISABLE TRIGGER USER")
            connection.exec_driver_sql(statement)
            connection.exec_driver_sql("ALTER TABLE posting ENABLE TRIGGER USER")

    def balances(self) -> dict[str, int]:
        """Every account's balance by its id."""
        return dict(self.rows("SELECT id, balance FROM account"))

    def broken(self) -> list[str]:
        """The ids that break an invariant of the service, each once."""
        return sorted({id for invariant in SERVICE.invariants for (id,) in self.rows(invariant.query)})

    def broken_by(self, *statements: str) -> dict[str, list[str]]:
        """The invariants that some SQL would break, past what forbids it; nothing of it stays."""
        with self.owner.engine.connect() as connection:
            for table in ("posting", "journal"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for statement in statements:
                connection.exec_driver_sql(statement)
            found = {each.name: connection.exec_driver_sql(each.query).scalars().all() for each in SERVICE.invariants}
            connection.rollback()
        return {name: list(ids) for name, ids in found.items() if ids}


@pytest.fixture(scope="session")
def address(cluster: Any) -> Any:
    address = cluster.create_database("card_payments", service="settlement")
    migrate.upgrade("settlement", address.owner)
    return address


@pytest.fixture
def databases(address: Any) -> Iterator[tuple[Database, Database]]:
    database, owner = Database(address.app, pool_size=6), Database(address.owner, pool_size=1)
    tables = owner.look(
        lambda session: session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    )
    names = ", ".join(f'"{table}"' for table in tables if table != "alembic_version")
    owner.run(lambda session: session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE")))
    yield database, owner
    database.close()
    owner.close()


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.01)
    running = Sandbox(tmp_path / "stripe.log", api_key=KEY, webhook_secret=SECRET).start()
    yield running
    running.stop()


@pytest.fixture
def make_stand(databases: tuple[Database, Database], sandbox: Sandbox) -> Iterator[Callable[..., Stand]]:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    known = {"stripe_url": sandbox.url, "stripe_key": KEY, "stripe_webhook_secret": SECRET, "signing_key": pem}
    with clock.frozen(BEGINNING) as frozen:

        def make(**changed: Any) -> Stand:
            settings = Settings(service="settlement", **{**known, **changed})
            return Stand(*databases, sandbox, frozen, settings, private)

        yield make


@pytest.fixture
def stand(make_stand: Callable[..., Stand]) -> Stand:
    stand = make_stand()
    stand.set_up()
    return stand
