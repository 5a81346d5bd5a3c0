"""The world: the whole platform in one process, for tests.

Real services, real PostgreSQL, the memory broker, and the worker's loops stepped one after the other until nothing is left to do.
Time stands until it is advanced and ids count up, so that answers can be compared whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import text

from chassis import clock, migrate
from chassis.access import kid_of, make_verifier
from chassis.auth import Caller, sign_token
from chassis.brokers.memory import MemoryBroker
from chassis.database import Database
from chassis.http import make_app
from chassis.service import Service
from chassis.settings import Settings
from chassis.worker import Context, Loop, make_loops
from infra.assembly import compose, load_services
from infra.cluster import Cluster
from infra.republishing import republish
from tests.callers import Answer, Client
from tests.crashes import Crash, Crashes

__all__ = ["Answer", "Client", "Crash", "World", "make_keys", "make_world"]
BEGINNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MOST_ROUNDS = 500
KEPT = {"alembic_version"}
NOWHERE = "http://127.0.0.1:9"


def make_keys() -> tuple[str, str]:
    """A fresh signing key pair as PEM."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    )


class World:
    """Five services, one broker, no threads."""

    def __init__(self, cluster: Cluster, services: list[Service], folder: Any, *, prefix: str = "world") -> None:
        self.cluster = cluster
        self.services = {service.name: service for service in services}
        self.folder = folder
        self.signing_key, self.verify_key = make_keys()
        self.databases: dict[str, Database] = {}
        self.addresses: dict[str, str] = {}
        self.owners: dict[str, Database] = {}
        for service in services:
            address = cluster.create_database(f"{prefix}_{service.name}", service=service.name)
            migrate.upgrade(service.name, address.owner)
            self.addresses[service.name] = address.app
            self.databases[service.name] = Database(address.app, pool_size=6)
            self.owners[service.name] = Database(address.owner, pool_size=1)
        self.broker = MemoryBroker()
        self.begun = 0
        self.loops: dict[tuple[str, str], Loop] = {}
        self.stripe_url = NOWHERE
        self.scanner = ""
        self.webhooks_private = False

    def settings(self, service: str) -> Settings:
        """What a service of this world is told from outside."""
        return Settings(
            service=service,
            database=self.addresses[service],
            scanner=self.scanner,
            webhooks_private=self.webhooks_private,
            signing_key=self.signing_key,
            verify_key=self.verify_key,
            search=f"tantivy:{self.folder}/search-{self.begun}",
            mail_folder=f"{self.folder}/mail",
            stripe_url=self.stripe_url,
            stripe_key="sk_test_world",
            stripe_webhook_secret="whsec_world",
            sample_data=True,
        )

    def begin(self, broker: MemoryBroker | None = None) -> None:
        """An empty platform, just set up."""
        self.begun += 1
        for database in self.owners.values():
            database.run(_truncate)
        self.start(broker or MemoryBroker())
        for service in self.services.values():
            if service.setup:
                self._set_up(service)
        self.settle()

    def _set_up(self, service: Service) -> None:
        caller, settings = Caller.system(service.name), self.settings(service.name)
        self.databases[service.name].run(lambda session: service.setup(session, caller, settings))

    def start(self, broker: MemoryBroker) -> None:
        """New processes on the data that is there: what only lived in memory is gone."""
        self.rest()
        self.broker = broker
        self.loops = {}
        by_place = {}
        self.verifiers = []
        for name, service in self.services.items():
            settings, database = self.settings(name), self.databases[name]
            broker.ensure_topics([name, *service.streams])
            verifier = make_verifier(database, settings)
            self.verifiers.append(verifier)
            app = make_app(service, database, verifier, broker=broker, settings=settings)
            by_place |= dict.fromkeys(service.places, app)
            context = Context(service, database, broker, settings, member="world")
            for loop, made in make_loops(context).items():
                if loop != "housekeeping":
                    self.loops[name, loop] = made
        self.application = compose(by_place, next(iter(by_place.values())))

    def settle(self, *, without: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Step every loop but the timers until none has anything left to do."""
        for _ in range(MOST_ROUNDS):
            try:
                if not any(
                    [loop.step() for key, loop in self.loops.items() if key[1] != "timers" and key not in without]
                ):
                    for verifier in self.verifiers:
                        verifier.forget()
                    return
            except Crash:
                self.start(self.broker)
        raise AssertionError("the world does not come to rest")

    def advance(self, by: timedelta) -> None:
        """Let time pass, do what is due, and settle; what that makes due at once is done too."""
        self.clock.advance(by)
        self.settle()
        for _ in range(MOST_ROUNDS):
            try:
                if not sum(loop.step() for key, loop in self.loops.items() if key[1] == "timers"):
                    return
            except Crash:
                self.start(self.broker)
            self.settle()
        raise AssertionError("deadlines never end")

    def client(self, token: str | None = None, **known: Any) -> Client:
        """Somebody who calls the API."""
        return Client(self, token, **known)

    def sql(self, service: str, statement: str, **values: Any) -> list[Any]:
        """Look into a service's database, as its owner; for assertions, never to arrange."""

        def look(session: Any) -> list[Any]:
            found = session.execute(text(statement), values)
            return list(found) if found.returns_rows else []

        return self.owners[service].run(look)

    def count_rows(self) -> dict[str, int]:
        """Rows a table over all databases, to show that a refusal changed nothing."""
        counts = {}
        for name in self.services:
            for metadata in migrate.load_metadata(name):
                for table in metadata.tables:
                    if table not in ("heartbeat", "idempotency"):
                        counts[f"{name}.{table}"] = self.sql(name, f"SELECT count(*) FROM {table}")[0][0]
        return counts

    def contents(self, *services: str) -> dict[str, Any]:
        """What all tables hold, in short; but heartbeats, kept answers and what identity counts of sign-ins."""
        found = {}
        for name in services or (each for each in self.services if each != "identity"):
            tables = {table for metadata in migrate.load_metadata(name) for table in metadata.tables}
            parts = [
                f"SELECT '{table}' AS name, count(*), sum(hashtextextended(t::text, 0)::numeric)::text FROM {table} t"
                for table in sorted(tables - {"heartbeat", "idempotency"})
            ]
            found |= {f"{name}.{row[0]}": (row[1], row[2]) for row in self.sql(name, " UNION ALL ".join(parts))}
        return found

    def broken(self) -> dict[str, list[str]]:
        """The invariants that do not hold now, with the ids that break them."""
        found: dict[str, list[str]] = {}
        for name, service in self.services.items():
            asked = [
                f"SELECT '{number}', broken.* FROM ({invariant.query}) AS broken (id)"
                for number, invariant in enumerate(service.invariants)
            ]
            for number, id in self.sql(name, " UNION ALL ".join(asked)) if asked else []:
                found.setdefault(f"{name}: {service.invariants[int(number)].name}", []).append(id)
        return found

    def republish(self) -> None:
        """Every service says everything again."""
        for name, service in self.services.items():
            for noun in service.describers:
                republish(self.databases[name], service, noun)

    def crash_often(self, seed: int) -> Crashes:
        """From now on one transaction in four ends with the death of its process, before or after its commit."""
        return Crashes(self, seed)

    def carry(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        """A carrier for ``loadtests.api.Api``; a request whose process dies is sent again, as any client would."""
        content_type = headers.get("Content-Type", "application/json")
        rest = {name: value for name, value in headers.items() if name != "Content-Type"}
        for _ in range(20):
            try:
                answer = Client(self).send(method, path, body=body, content_type=content_type, headers=rest)
                return answer.status, answer.body
            except Crash:
                self.start(self.broker)
        raise AssertionError("the web does not stay up")

    @contextmanager
    def at(self, beginning: datetime = BEGINNING) -> Iterator[World]:
        """Within the block time stands at ``beginning``."""
        with clock.frozen(beginning) as frozen:
            self.clock = frozen
            yield self

    def rest(self) -> None:
        """Let every loop give up what it holds."""
        for loop in self.loops.values():
            loop.close()

    def token(
        self,
        *roles: str,
        party_id: str = "party_nobody",
        user_id: str = "user_nobody",
        kind: Any = "user",
        **claims: Any,
    ) -> str:
        """A token as identity would sign it, for a caller that no service has heard of."""
        key = load_pem_private_key(self.signing_key.encode(), password=None)
        raw = key.public_key().public_bytes_raw()
        return sign_token(key, kid_of(raw), Caller(user_id, party_id, frozenset(roles), kind=kind, **claims))

    def close(self) -> None:
        """Let the connections go."""
        for database in (*self.databases.values(), *self.owners.values()):
            database.close()


def _truncate(session: Any) -> None:
    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    names = ", ".join(sorted(f'"{table}"' for table in tables if table not in KEPT))
    session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


def make_world(cluster: Cluster, folder: Any) -> World:
    """A world of all services."""
    return World(cluster, load_services(), folder)
