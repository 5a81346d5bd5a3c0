"""Part imports: a file of products as an owner sends it, streamed from its parts into the catalog: read, checked, stored and told.

It stands on a catalog's database alone, with durable settings and no web: what is measured is what the worker does with
a file that lies there. One row in a hundred is wrong. Memory is what the process has grown by at its highest.
"""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from chassis import migrate
from chassis.auth import Caller
from chassis.database import Database
from chassis.settings import Settings
from chassis.uploads import commands
from chassis.uploads.commands import Beginning
from chassis.uploads.loop import UploadLoop
from chassis.uploads.model import Upload
from chassis.uploads.writers import write_table
from infra.cluster import Cluster
from infra.failures import Failure
from loadtests.benchmarks.figures import Figure, Goal, measure_alone
from loadtests.benchmarks.plan import Plan
from services.catalog import SERVICE
from services.catalog.imports.importers import IMPORTERS
from services.catalog.imports.product_rows import list_fields
from services.catalog.markets.loader import load_packs
from services.catalog.markets.samples import make_samples

MARKET = "steel"
SAMPLES = 2_000
PART_BYTES = 8 << 20
WRONG_EACH = 100
OWNER = Caller("user_bench", "party_bench", frozenset({"seller"}))


class ImportFailed(Failure):
    """A file was not taken in as it should have been."""


def measure_imports(plan: Plan, cluster: Cluster) -> list[Figure]:
    """Rows a second of a dry run, of a file that is new, and of the same file again."""
    address = cluster.create_database("imports", service="catalog")
    migrate.upgrade("catalog", address.owner)
    with contextlib.closing(Database(address.app)) as database:
        database.run(lambda session: SERVICE.setup(session, Caller.system("catalog"), Settings()))  # type: ignore[misc]
        upload_id = _send(database, plan.rows)
        before = _most_memory_mb()
        checked = _run(database, upload_id, "check", plan.rows)
        applied = _run(database, upload_id, "apply", plan.rows)
        again = _run(database, _send(database, plan.rows), "apply", plan.rows)
        grown = _most_memory_mb() - before
    goal = Goal(of="ours", at_least=10_000)
    return [
        measure_alone("imports", f"{plan.rows:,} products of a CSV file checked (dry run)", "rows/s", [checked]),
        measure_alone("imports", f"{plan.rows:,} products checked and stored", "rows/s", [applied], goal),
        measure_alone("imports", "the same file again", "rows/s", [again]),
        measure_alone("imports", "memory that the three runs grew by", "MB", [grown]),
    ]


def _rows(count: int) -> Iterator[list[str]]:
    pack = load_packs()[MARKET]
    samples, names = make_samples(pack, 1, SAMPLES), [field.name for field in list_fields(pack)]
    shown = [sample.at(pack, "product") for sample in samples]
    wrong = {"kind": "nothing of this kind"}
    for number in range(count):
        said = shown[number % SAMPLES] | {"number": f"P-{number:07}"} | (wrong if number % WRONG_EACH == 7 else {})
        yield [said.get(name, "") for name in names]


def _send(database: Database, count: int) -> str:
    fields = list_fields(load_packs()[MARKET])
    table = write_table("csv", [field.label["zh"] for field in fields], _rows(count), numbers=[False] * len(fields))
    body = b"".join(table)
    parts = [body[begin : begin + PART_BYTES] for begin in range(0, len(body), PART_BYTES)]
    asked = Beginning(kind="products", market=MARKET, file_name="products.csv", sheet=None, language="zh")

    def begin(session: Any) -> str:
        return commands.begin_upload(session, OWNER, IMPORTERS, asked).id

    upload_id = database.run(begin)
    for number, part in enumerate(parts, 1):
        database.run(
            lambda session, number=number, part=part: commands.add_part(
                session, OWNER, IMPORTERS, upload_id, number, part, None
            )
        )
    database.run(lambda session: commands.close_upload(session, OWNER, IMPORTERS, upload_id, len(parts)))
    _step(database, upload_id, "opening")
    return upload_id


def _run(database: Database, upload_id: str, move: str, count: int) -> float:
    database.run(lambda session: commands.start_run(session, OWNER, IMPORTERS, upload_id, move))
    began = time.perf_counter()
    upload = _step(database, upload_id, "checking", "applying")
    lasted = time.perf_counter() - began
    if (upload.rows, upload.refused) != (count, count // WRONG_EACH):
        raise ImportFailed(f"{upload.rows} rows, {upload.refused} refused: {upload.reason}")
    return count / lasted


def _step(database: Database, upload_id: str, *states: str) -> Upload:
    """Let the worker's loop work while the upload is in one of the states."""
    loop = UploadLoop(IMPORTERS, database, "bench")
    try:
        while (upload := _see(database, upload_id)).state in states:
            loop.step()
        return upload
    finally:
        loop.close()


def _see(database: Database, upload_id: str) -> Upload:
    return database.look(lambda session: session.scalars(select(Upload).where(Upload.id == upload_id)).one())


def _most_memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
