"""Orders on a database of its own; what its tests say and stand on is imported from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chassis import clock, migrate
from chassis.access import make_verifier
from chassis.database import Database
from chassis.http import make_app
from chassis.settings import Settings
from services.orders import SERVICE
from tests.services.orders.said import BEGINNING, describe_party, describe_piece, make_terms, tonnes
from tests.services.orders.stand import SYSTEM, Stand

__all__ = ["BEGINNING", "SYSTEM", "Stand", "describe_party", "describe_piece", "make_terms", "tonnes"]


@pytest.fixture(scope="session")
def databases(cluster: Any) -> Iterator[tuple[Database, Database]]:
    address = cluster.create_database("orders")
    migrate.upgrade("orders", address.owner)
    superuser = Database(cluster.superuser_url("orders"), pool_size=1)
    database = Database(address.app, pool_size=20)
    yield database, superuser
    database.close()
    superuser.close()


@pytest.fixture
def stand(databases: tuple[Database, Database]) -> Iterator[Stand]:
    database, owner = databases
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = Settings(service="orders", signing_key=pem)
    with clock.frozen(BEGINNING) as frozen:
        app = make_app(SERVICE, database, make_verifier(database, settings), settings=settings)
        stand = Stand(database, owner, app, private, frozen)
        stand.clear()
        yield stand
