"""Brings databases to this version: roles and databases, schema, then the first rows of a service."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from chassis import migrate, settings
from chassis.auth import Caller
from chassis.database import Database
from chassis.migrate import SERVICES
from infra import databases
from infra.assembly import load_service


def ensure_databases(superuser_url: str) -> list[str]:
    """Makes the databases and roles that the environment's addresses name and that are missing; the databases made.

    A role that is there gets the password of its address, so that a new password needs only a new secret and this.
    """
    made = []
    with psycopg.connect(databases.libpq(superuser_url), autocommit=True) as admin:
        for name in SERVICES:
            given = settings.read(name)
            owner, app = make_url(given.database_owner), make_url(given.database)
            for role in (owner, app):
                databases.ensure_role(admin, role.username, role.password)
            if databases.ensure_database(admin, owner.database, owner=owner.username, app=app.username):
                made.append(name)
    return made


def refuse_unmigrated(name: str) -> None:
    """Raises HalfMigrated when a service's database lacks a migration of this version.

    A newer database is fine, because migrations only expand; one that does not answer is looked at later, by whoever uses it.
    """
    try:
        missing = migrate.pending(name, settings.read(name).database)
    except (migrate.HalfMigrated, OperationalError):
        return
    if missing:
        raise migrate.HalfMigrated(f"the database of {name} lacks {', '.join(missing)}: run `haihe migrate` first")


def migrate_service(name: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Migrates one service's database and writes its first rows; the revisions that were new.

    Raises chassis.migrate.HalfMigrated when the database belongs to another version.
    """
    given = settings.read(name, environ)
    new = migrate.pending(name, given.database_owner)
    if new:
        migrate.upgrade(name, given.database_owner)
    service = load_service(name)
    if service.setup is not None:
        database = Database(given.database, pool_size=1, application=f"{name}-migrate")
        try:
            database.run(lambda session: service.setup(session, Caller.system(name), given))
        finally:
            database.close()
    return new
