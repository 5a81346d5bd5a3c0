"""Schema migrations: one Alembic branch for the chassis's tables and one a service, applied together to a service's database.

Migrations only expand; contraction comes a release later. ``python -m chassis.migrate revision SERVICE "message"`` writes
the next one by comparing the models with a database made from the migrations so far.
"""

from __future__ import annotations

import importlib
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("identity", "catalog", "orders", "settlement", "logistics")


class HalfMigrated(Exception):
    """A database is at a schema that this version does not know, or a migration stopped half-way."""


def load_metadata(service: str) -> list[Any]:
    """The metadata of the chassis and of a service, every model imported."""
    chassis = importlib.import_module("chassis.database").Chassis
    for module in ("access", "messages", "parking", "errands", "heartbeats", "idempotency", "uploads.model"):
        importlib.import_module(f"chassis.{module}")
    if service == "chassis":
        return [chassis.metadata]
    return [chassis.metadata, importlib.import_module(f"services.{service}").SERVICE.base.metadata]


def config(service: str, connection: Connection | None = None) -> Config:
    """Alembic's configuration for one service's database."""
    made = Config(stdout=io.StringIO())
    made.set_main_option("script_location", str(ROOT / "chassis" / "migrations"))
    folders = [ROOT / "chassis" / "migrations" / "versions"]
    if service != "chassis":
        folders.append(ROOT / "services" / service / "migrations" / "versions")
    made.set_main_option("path_separator", "os")
    made.set_main_option("version_locations", ":".join(str(folder) for folder in folders))
    made.attributes.update(connection=connection, service=service)
    return made


def upgrade(service: str, owner_url: str, *, role: str | None = None) -> None:
    """Bring a service's database to this version's schema: all migrations in one transaction, under a lock.

    ``role`` is who gets the grants of the application, ``<service>_app`` unless told otherwise.

    Raises HalfMigrated when the database is newer than, or foreign to, this version.
    """
    engine = create_engine(owner_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('haihe migration'))"))
            refuse_unknown(service, connection)
            connection.execute(text(_GRANTS.format(role=role or f"{service}_app")))
            command.upgrade(config(service, connection), "heads")
    finally:
        engine.dispose()


# Said before the migrations run, so that what a migration revokes stays revoked.
_GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {role};
"""


def refuse_unknown(service: str, connection: Connection) -> None:
    """Raise HalfMigrated when the database says that it is at a revision that this version does not have."""
    script = ScriptDirectory.from_config(config(service))
    known = {revision.revision for revision in script.walk_revisions()}
    present = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := present - known:
        raise HalfMigrated(
            f"the database of {service} is at {', '.join(sorted(unknown))}, which this version of Haihe does not know: "
            "start the version that migrated it, or a newer one"
        )


def pending(service: str, url: str) -> list[str]:
    """The revisions that a service's database still lacks."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            refuse_unknown(service, connection)
            script = ScriptDirectory.from_config(config(service))
            present = set(MigrationContext.configure(connection).get_current_heads())
            done = {r.revision for head in present for r in script.iterate_revisions(head, "base")}
            return sorted({r.revision for r in script.walk_revisions()} - done)
    finally:
        engine.dispose()


def differences(service: str, connection: Connection) -> list[Any]:
    """What the migrated schema and the models disagree on: empty when they agree."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
    found: list[Any] = []
    tables = {name for metadata in load_metadata(service) for name in metadata.tables}
    for metadata in load_metadata(service):
        for difference in compare_metadata(context, metadata):
            first = difference[0] if isinstance(difference, tuple) else ""
            thing = difference[1] if isinstance(difference, tuple) else None
            name = (
                getattr(thing, "name", None)
                if first == "remove_table"
                else getattr(getattr(thing, "table", None), "name", None)
            )
            if first.startswith("remove_") and name in (tables | {"alembic_version"}) - set(metadata.tables):
                continue
            found.append(difference)
    return found


def revise(name: str, message: str) -> None:
    """Write the next migration of a service (or of ``chassis``) from its models, against an embedded database."""
    from infra.cluster import UNSAFE_BUT_FAST, Cluster

    folder = Path(tempfile.mkdtemp(prefix="haihe-migrate-"))
    folder.chmod(0o711)
    cluster = Cluster(folder, max_connections=20, settings=UNSAFE_BUT_FAST)
    cluster.start()
    versions = ROOT / ("chassis" if name == "chassis" else f"services/{name}") / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    done = len(list(versions.glob("*.py")))
    try:
        engine = create_engine(cluster.create_database(name).owner)
        with engine.begin() as connection:
            made = config(name, connection)
            if done or name != "chassis":
                command.upgrade(made, "heads")
            made.attributes["only"] = name
            command.revision(
                made,
                message=message,
                autogenerate=True,
                head=f"{name}@head" if done else "base",
                branch_label=None if done else name,
                version_path=str(versions),
                rev_id=f"{name}_{done + 1:04d}",
            )
        engine.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] != "revision":
        raise SystemExit('usage: python -m chassis.migrate revision SERVICE "message"')
    revise(sys.argv[2], sys.argv[3])
