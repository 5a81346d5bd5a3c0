"""A small service and somebody who calls it: with no database, or with one where the transaction matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Blueprint
from flask.testing import FlaskClient

from chassis import clock, migrate
from chassis.access import kid_of, read_access
from chassis.auth import Access, Caller, Verifier, sign_token
from chassis.database import Database, base
from chassis.http import make_app
from chassis.service import Service

BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)


class NoDatabase:
    """Runs what is to run in a transaction without one; says how often."""

    after_emit = None

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run(self, work: Callable[[Any], Any]) -> Any:
        self.ran.append("run")
        return work(object())

    def look(self, work: Callable[[Any], Any]) -> Any:
        self.ran.append("look")
        return work(object())


class Signer:
    """The key that signs the tokens of a test, and the verifier that knows it."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        self.kid = kid_of(self.public)
        self.access = Access({}, frozenset())
        self.verifier = Verifier({self.kid: self.public}, lambda: self.access)

    def token(self, *roles: str, user: str = "user_1", party: str = "party_1", **known: Any) -> dict[str, str]:
        """The headers of a caller."""
        caller = Caller(user, party, frozenset(roles), **known)
        return {"Authorization": f"Bearer {sign_token(self.private, self.kid, caller)}"}


def make_service(*blueprints: Blueprint) -> Service:
    """A service of these routes."""
    return Service(name="things", base=base("things"), nouns=("things",), blueprints=blueprints)


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def client_of(signer: Signer) -> Callable[..., FlaskClient]:
    """Makes a client of some routes; without a database unless one is given."""

    def make(*blueprints: Blueprint, database: Any = None) -> FlaskClient:
        return make_app(make_service(*blueprints), database or NoDatabase(), signer.verifier).test_client()

    return make


@pytest.fixture(scope="session")
def things_database(cluster) -> Iterator[Database]:
    address = cluster.create_database("things")
    migrate.upgrade("chassis", address.owner, role="things_app")
    database = Database(address.app, pool_size=12)
    yield database
    database.close()


@pytest.fixture
def stored(things_database: Database) -> Iterator[Database]:
    """The database, empty, with time standing still."""
    with clock.frozen(BEGINNING):
        yield things_database
    tables = ("idempotency", "access_key", "access_denial")
    for table in tables:
        things_database.run(lambda session, table=table: session.connection().exec_driver_sql(f"DELETE FROM {table}"))


@pytest.fixture
def hearing(signer: Signer, stored: Database) -> Verifier:
    """A verifier that is fed from the database."""
    return Verifier({signer.kid: signer.public}, lambda: stored.look(read_access))
