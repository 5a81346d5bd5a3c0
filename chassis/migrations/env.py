"""Alembic's environment, shared by the chassis and every service: the connection is the caller's, and so is the transaction."""

from typing import Any

from alembic import context
from sqlalchemy.types import TypeDecorator

from chassis.migrate import load_metadata

attributes = context.config.attributes
only: str | None = attributes.get("only")
metadata = load_metadata(attributes["service"])
if only:
    metadata = [metadata[0 if only == "chassis" else 1]]


def is_ours(thing: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
    """Leave the tables of the other branch alone when a migration is being written."""
    return not (kind == "table" and reflected and compared is None)


def write_plainly(kind: str, thing: Any, autogen: Any) -> str | bool:
    """Types of our own are written into migrations as the types of PostgreSQL that they are stored in."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        stored = thing.impl_instance
        written = repr(stored)
        return f"postgresql.{written}" if type(stored).__module__.startswith("sqlalchemy.dialects") else f"sa.{written}"
    return False


context.configure(
    connection=attributes["connection"],
    target_metadata=metadata,
    include_object=is_ours,
    render_item=write_plainly,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
