"""Makes people who run the platform, past its HTTP API: the first one can come from nowhere else."""

from __future__ import annotations

from chassis.database import Database


def make_operator(database: Database, *, email: str, name: str) -> dict[str, str]:
    """Makes an operator in identity's database; email and password, which is kept nowhere. Raises a Problem of
    identity's.
    """
    from services.identity.users.commands import create_operator

    password = database.run(lambda session: create_operator(session, email, name))
    return {"email": email, "password": password}
