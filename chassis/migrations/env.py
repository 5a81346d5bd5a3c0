"""Alembic's environment, shared by the chassis and every service: the connection is the caller's, and so is the transaction."""

from typing import Any

from alembic import context

from chassis.migrate import load_metadata

attributes = context.config.attributes
only: str | None = attributes.get("only")
metadata = load_metadata(attributes["service"])
if only:
    metadata = [metadata[0 if only == "chassis" else 1]]


def is_ours(thing: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
    """Leave the tables of the other branch alone when a migration is being written."""
    return not (kind == "table" and reflected and compared is None)


context.configure(
    connection=attributes["connection"],
    target_metadata=metadata,
    include_object=is_ours,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
