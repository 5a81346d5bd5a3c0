"""The sample service on a database of its own and the memory broker, with time standing still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from chassis import clock, migrate
from chassis.auth import Caller
from chassis.brokers.memory import MemoryBroker
from chassis.database import Database
from chassis.settings import Settings
from chassis.worker import Context, make_loops
from tests.chassis import sample

SYSTEM = Caller.system("notes")


class Stand:
    """The sample service, its database, and its loops to step."""

    def __init__(self, database: Database, frozen: clock.FrozenClock) -> None:
        self.database = database
        self.clock = frozen
        self.broker = MemoryBroker()
        self.broker.ensure_topics(["notes", "notes.readings"])
        context = Context(sample.SERVICE, database, self.broker, Settings(), "one")
        self.loops = make_loops(context)

    def write(self, words: str, **known: object) -> str:
        """Write a note; its id."""
        return self.database.run(lambda session: sample.write_note(session, "party_a", words, **known).id)

    def append(self, id: str, *words: str) -> None:
        """Write on a note, one transaction each."""
        for word in words:
            self.database.run(lambda session, word=word: sample.append(session, SYSTEM, id, word))

    def settle(self) -> None:
        """Step all loops until nothing is left."""
        while any([loop.step() for name, loop in self.loops.items() if name not in ("timers", "housekeeping")]):
            pass

    def rows(self, statement: str) -> list[tuple]:
        """Look."""
        return [tuple(row) for row in self.database.look(lambda session: session.execute(text(statement)).all())]

    def heard(self) -> list[tuple]:
        """What was heard, in order."""
        return self.rows("SELECT note_id, text FROM heard ORDER BY id")


@pytest.fixture(scope="session")
def notes_database(cluster) -> Iterator[Database]:
    address = cluster.create_database("notes")
    migrate.upgrade("chassis", address.owner, role="notes_app")
    owner = Database(address.owner, pool_size=1)
    sample.Base.metadata.create_all(owner.engine)
    owner.close()
    database = Database(address.app, pool_size=10)
    yield database
    database.close()


@pytest.fixture
def stand(notes_database: Database) -> Iterator[Stand]:
    tables = "outbox, inbox, parked_key, parked_message, errand, heartbeat, note, heard, known_party"
    with clock.frozen(datetime(2026, 3, 2, 8, tzinfo=UTC)) as frozen:
        notes_database.run(
            lambda session: [session.execute(text(f"DELETE FROM {table}")) for table in tables.split(", ")]
        )
        sample.dislikes.clear(), sample.unknown.clear(), sample.printed.clear(), sample.streamed.clear()
        stand = Stand(notes_database, frozen)
        yield stand
        for loop in stand.loops.values():
            loop.close()
