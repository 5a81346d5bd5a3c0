"""Settlement on a database of its own, over HTTP and by news from the other services, with time standing still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chassis import clock, migrate
from chassis.access import make_verifier
from chassis.database import Database
from chassis.http import make_app
from chassis.settings import Settings
from services.settlement import SERVICE
from tests.services.settlement.stand import Stand

BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="session")
def settlement_address(cluster: Any) -> Any:
    address = cluster.create_database("settlement_tests", service="settlement")
    migrate.upgrade("settlement", address.owner)
    return address


@pytest.fixture(scope="session")
def settlement_databases(settlement_address: Any) -> Iterator[tuple[Database, Database]]:
    database = Database(settlement_address.app, pool_size=50)
    owner = Database(settlement_address.owner, pool_size=2)
    yield database, owner
    database.close()
    owner.close()


@pytest.fixture
def stand(settlement_databases: tuple[Database, Database]) -> Iterator[Stand]:
    database, owner = settlement_databases
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = Settings(service="settlement", signing_key=pem)
    with clock.frozen(BEGINNING) as frozen:
        app = make_app(SERVICE, database, make_verifier(database, settings), settings=settings)
        stand = Stand(database, owner, app, private, frozen)
        stand.begin_again()
        yield stand
