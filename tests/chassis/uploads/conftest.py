"""The library alone, over HTTP, with its loops to step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from chassis import migrate
from chassis.brokers.memory import MemoryBroker
from chassis.database import Database
from chassis.uploads import job
from tests.chassis.uploads import library
from tests.world import Answer, Client, World

HEADING = "编号,书名,重量(g),书架"
MILL, OTHER = "party_mill", "party_other"


class Shelf(World):
    """A world of the library, whose tables have no migrations."""

    def __init__(self, cluster: Any, folder: Any) -> None:
        super().__init__(cluster, [], folder)
        address = cluster.create_database("library")
        migrate.upgrade("chassis", address.owner, role="library_app")
        self.owners["library"] = Database(address.owner, pool_size=1)
        library.Base.metadata.create_all(self.owners["library"].engine)
        self.addresses["library"] = address.app
        self.databases["library"] = Database(address.app, pool_size=4)
        self.services = {"library": library.SERVICE}

    def count_rows(self) -> dict[str, int]:
        """Rows a table of the library."""
        tables = [*library.Base.metadata.tables, "upload", "upload_part", "upload_mistake", "upload_mapping", "outbox"]
        return {table: self.sql("library", f"SELECT count(*) FROM {table}")[0][0] for table in tables}


class Library:
    """The library and those who send it files."""

    def __init__(self, world: Shelf) -> None:
        self.world = world
        self.mill = self.caller(MILL, "seller")
        self.other = self.caller(OTHER, "seller")
        self.reader = self.caller(MILL, "reader")
        self.buyer = self.caller(MILL, "purchaser")
        self.ear = world.broker.subscribe("test", ["library"], "test")
        self.said: list[str] = []
        self.operator = self.caller("platform", "operator", kind="operator")

    def caller(self, party_id: str, *roles: str, **claims: Any) -> Client:
        """A user of a company."""
        token = self.world.token(*roles, party_id=party_id, user_id=f"user_{party_id}", **claims)
        return self.world.client(token, party_id=party_id)

    def begin(self, by: Client | None = None, **said: Any) -> Answer:
        """Begin an upload."""
        body = {"kind": "books", "market": "paper", "file_name": "books.csv", **said}
        return (by or self.mill).post("/v1/uploads", body)

    def send(self, id: str, part: int | str, body: bytes, by: Client | None = None, **params: Any) -> Answer:
        """Send a part."""
        return (by or self.mill).send(
            "PUT", f"/v1/uploads/{id}/parts/{part}", body=body, params=params, content_type="application/octet-stream"
        )

    def upload(self, body: bytes, *, cuts: tuple[int, ...] = (), by: Client | None = None, **said: Any) -> str:
        """Send a file in parts and close it; its id."""
        id = self.begin(by, **said).ok()["id"]
        places = sorted({0, *(cut for cut in cuts if 0 < cut < len(body)), len(body)})
        parts = [body[start:end] for start, end in itertools.pairwise(places)]
        for number, part in enumerate(parts, start=1):
            self.send(id, number, part, by).ok()
        self.move(id, "close", by, parts=len(parts)).ok()
        self.world.settle()
        return id

    def move(self, id: str, move: str, by: Client | None = None, **body: Any) -> Answer:
        """Make a move."""
        return (by or self.mill).post(f"/v1/uploads/{id}/{move}", body or None)

    def run(self, id: str, move: str = "apply") -> dict[str, Any]:
        """Check or apply, and wait."""
        self.move(id, move).ok()
        self.world.settle()
        return self.see(id)

    def see(self, id: str, by: Client | None = None) -> dict[str, Any]:
        """An upload as it stands."""
        return (by or self.mill).get(f"/v1/uploads/{id}").ok()

    def errors(self, id: str, **params: Any) -> list[tuple[int, str, str, str]]:
        """What is wrong."""
        items = self.mill.get(f"/v1/uploads/{id}/errors", **{"limit": 100, **params}).ok()["items"]
        return [(each["row"], each["column"], each["value"], each["reason"]) for each in items]

    def books(self, owner: str = MILL) -> dict[str, tuple[int, str, str, str | None]]:
        """What is in, by number."""
        rows = self.world.sql(
            "library", "SELECT number, version, title, grams, shelf FROM book WHERE owner_id = :owner", owner=owner
        )
        return {number: tuple(rest) for number, *rest in rows}

    def told(self) -> list[str]:
        """What was told of books, as text, in any order."""
        self.world.settle()
        while batch := self.ear.poll(500, 0):
            self.said += [message.value.decode() for message in batch]
        return sorted(self.said)


def counts(upload: dict[str, Any]) -> tuple[int, ...]:
    """Rows, created, updated, unchanged, refused."""
    return tuple(upload[name] for name in ("rows", "created", "updated", "unchanged", "refused"))


def sheet(*rows: str, heading: str = HEADING) -> bytes:
    """A CSV file."""
    return "\r\n".join((heading, *rows, "")).encode()


@pytest.fixture(scope="session")
def shelf(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """One world for all tests of uploads."""
    world = Shelf(cluster, tmp_path_factory.mktemp("library"))
    yield world
    world.rest()
    world.close()


@pytest.fixture
def books(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """An empty library; batches are small."""
    monkeypatch.setattr(job, "BATCH", 3)
    monkeypatch.setattr(job, "BATCHES_A_STEP", 1)
    with shelf.at():
        shelf.begin(MemoryBroker())
        yield Library(shelf)
        shelf.rest()
