"""Databases and roles of the services in one PostgreSQL, embedded or not.

Each database has two roles: ``<role>_owner`` owns it and migrates, ``<role>_app`` may connect and gets its grants
from the migrations. Everybody else is shut out. Addresses are SQLAlchemy URLs; ``libpq`` makes psycopg's of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from psycopg import Connection, sql


@dataclass(frozen=True)
class Address:
    """Where one database is reached: SQLAlchemy URLs of its owner (migrates) and of the application (runs)."""

    owner: str
    app: str


def url(*, host: str, port: int, database: str, role: str, password: str) -> str:
    """An SQLAlchemy URL for psycopg 3; ``host`` may be the folder of a Unix socket."""
    where = urlencode({"host": host, "port": port})
    return f"postgresql+psycopg://{quote(role, safe='')}:{quote(password, safe='')}@/{quote(database, safe='')}?{where}"


def libpq(address: str) -> str:
    """The same address as psycopg and psql take it."""
    return address.replace("postgresql+psycopg://", "postgresql://", 1)


def ensure_role(admin: Connection, role: str, password: str) -> None:
    """Makes the login role, or gives the present one this password; it can do nothing but log in."""
    exists = admin.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
    verb = "alter" if exists else "create"
    admin.execute(sql.SQL(verb + " role {} login password {}").format(sql.Identifier(role), sql.Literal(password)))


def ensure_database(admin: Connection, name: str, *, owner: str, app: str, template: str | None = None) -> bool:
    """Makes the database (a copy of ``template`` when given) unless it is there; says whether it made it.

    ``admin`` is an autocommit connection that may create databases.
    """
    if admin.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        return False
    copied = sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template)) if template else sql.SQL("")
    admin.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner)) + copied)
    admin.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
    admin.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(name), sql.Identifier(app)))
    return True


def drop_database(admin: Connection, name: str) -> None:
    """Drops the database, putting everybody out of it; nothing happens when there is none."""
    admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
