"""Identity on a database of its own, over HTTP, with time standing still."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from sqlalchemy import text

import events.identity
from chassis import clock, migrate
from chassis.access import make_verifier
from chassis.auth import Caller, Verifier
from chassis.database import Database
from chassis.envelope import Event
from chassis.errands import Errands
from chassis.http import make_app
from chassis.settings import Settings
from chassis.timers import Timers
from chassis.values import read_wire
from services.identity import SERVICE
from services.identity.users.commands import create_operator

BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
PASSWORD = "correct horse battery"
MILL = {"scheme": "uscc", "value": "91110000600037341L"}
BUYER = {"scheme": "eu_vat", "value": "DE136695976"}
WAREHOUSE = {"scheme": "lei", "value": "213800KUD8LAJWSQ9D15"}
IBAN = "DE89 3704 0044 0532 0130 00"


@dataclass
class Answer:
    """What a route answered."""

    status: int
    body: Any
    headers: Any

    def ok(self) -> Any:
        """The body of a success."""
        assert 200 <= self.status < 300, f"{self.status}: {self.body}"
        return self.body

    def problem(self) -> str:
        """The short name of the problem."""
        assert self.status >= 400, f"{self.status}: {self.body}"
        return self.body["type"].removeprefix("urn:haihe:problem:")


@dataclass
class Somebody:
    """Who calls the API."""

    app: Flask
    token: str | None = None
    refresh_token: str = ""
    user_id: str = ""
    party_id: str = ""
    _keys = itertools.count(1)

    def get(self, path: str) -> Answer:
        """Ask a query."""
        return self.send("GET", path)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """Give a command under a fresh key."""
        return self.send("POST", path, body, key or f"test-key-{next(self._keys):06d}")

    def send(self, method: str, path: str, body: Any = None, key: str = "") -> Answer:
        """One request."""
        headers = {"Idempotency-Key": key} if key else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        response = self.app.test_client().open(path, method=method, json=body, headers=headers)
        return Answer(response.status_code, response.get_json(), response.headers)


@dataclass
class Stand:
    """The service, and what it says to others."""

    database: Database
    app: Flask
    verifier: Verifier
    settings: Settings
    frozen: clock.FrozenClock
    public: Somebody
    operator: Somebody = field(init=False)

    def sign_in(self, email: str, password: str = PASSWORD) -> Somebody:
        """Somebody with fresh tokens."""
        got = self.public.post("/v1/sessions", {"email": email, "password": password}).ok()
        return self.holder(got)

    def holder(self, got: dict[str, Any]) -> Somebody:
        """Whoever holds these tokens."""
        return Somebody(
            self.app, got["access_token"], got.get("refresh_token", ""), got.get("user_id", ""), got.get("party_id", "")
        )

    def admit(self, name: str = "Mill", identifier: dict[str, str] = MILL, **changed: Any) -> dict[str, Any]:
        """A company, admitted by the operator."""
        return self.operator.post("/v1/parties", admission(name, identifier, **changed)).ok()

    def admin_of(self, name: str = "Mill", identifier: dict[str, str] = MILL, **changed: Any) -> Somebody:
        """The administrator of a fresh company."""
        admitted = self.admit(name, identifier, **changed)
        self.choose(admitted["admin"]["invitation"])
        return self.sign_in(f"admin@{name.lower()}.example")

    def choose(self, token: str, password: str = PASSWORD) -> None:
        """Choose a password."""
        assert self.public.post("/v1/passwords", {"token": token, "password": password}).status == 204

    def user_of(self, admin: Somebody, email: str, *roles: str) -> Somebody:
        """A user with roles, signed in."""
        invited = admin.post("/v1/users", {"email": email, "name": email, "roles": list(roles)}).ok()
        self.choose(invited["invitation"])
        return self.sign_in(email)

    def advance(self, by: timedelta) -> int:
        """Let time pass and do what is due; how many deadlines were handled."""
        self.frozen.advance(by)
        timers, handled = Timers(SERVICE, self.database), 0
        while done := timers.step():
            handled += done
        return handled

    def send_mail(self) -> list[str]:
        """Do the errands; the mails that are in the folder."""
        Errands(SERVICE, self.database, self.settings).step()
        folder = Path(self.settings.mail_folder)
        return sorted(path.read_text() for path in folder.glob("*.eml")) if folder.exists() else []

    def told(self) -> list[Event]:
        """What was said since the last time, in order."""
        rows = self.database.run(
            lambda session: session.execute(text("DELETE FROM outbox RETURNING id, headers, value")).all()
        )
        kinds = {
            kind.type: kind
            for kind in vars(events.identity).values()
            if isinstance(kind, type) and hasattr(kind, "topic")
        }
        return [
            msgspec.json.decode(bytes(row.value), type=kinds[row.headers["ce_type"]], dec_hook=read_wire)
            for row in sorted(rows)
        ]

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Look into the database."""
        return [
            tuple(row) for row in self.database.look(lambda session: session.execute(text(statement), values).all())
        ]

    def empty(self) -> None:
        """Throw everything away."""
        for table in ("licence_step", "licence", "bank_account", "party_identifier", *TABLES):
            self.database.run(lambda session, table=table: session.execute(text(f"DELETE FROM {table}")))

    def broken(self) -> dict[str, list[str]]:
        """The ids that break each invariant."""
        found = {invariant.name: sorted(id for (id,) in self.rows(invariant.query)) for invariant in SERVICE.invariants}
        return {name: ids for name, ids in found.items() if ids}

    def snapshot(self) -> dict[str, list[str]]:
        """Every row, to show that a refusal changed nothing."""
        return {table: sorted(map(str, self.rows(f"SELECT * FROM {table}"))) for table in TABLES}


TABLES = (
    "party", "party_identifier", "bank_account", "licence", "licence_step", "user_account", "password_ticket",
    "refresh_family", "api_key", "signing_key", "attempt", "alert", "stream_ticket", "outbox", "errand", "idempotency",
    "access_key", "access_denial",
)  # fmt: skip


def admission(name: str = "Mill", identifier: dict[str, str] = MILL, **changed: Any) -> dict[str, Any]:
    """What the operator says of a company."""
    admin = {"email": f"admin@{name.lower()}.example", "name": f"{name} admin"}
    return {"name": name, "country": "CN", "identifiers": [identifier], "admin": admin, **changed}


@pytest.fixture(scope="session")
def identity_database(cluster) -> Iterator[Database]:
    address = cluster.create_database("identity")
    migrate.upgrade("identity", address.owner)
    database = Database(address.app, pool_size=12)
    yield database
    database.close()


@pytest.fixture
def stand(identity_database: Database, tmp_path: Path) -> Iterator[Stand]:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = Settings(service="identity", signing_key=pem, mail_folder=str(tmp_path / "mail"))
    verifier = make_verifier(identity_database, settings)
    app = make_app(SERVICE, identity_database, verifier, settings=settings)
    with clock.frozen(BEGINNING) as frozen:
        stand = Stand(identity_database, app, verifier, settings, frozen, Somebody(app))
        stand.empty()
        identity_database.run(lambda session: SERVICE.setup(session, Caller.system("identity"), settings))
        password = identity_database.run(lambda session: create_operator(session, "operator@haihe.example", "Olga"))
        stand.operator = stand.sign_in("operator@haihe.example", password)
        stand.told()
        yield stand
        assert stand.broken() == {}
