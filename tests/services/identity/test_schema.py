"""The migrated schema is what the models say."""

from __future__ import annotations

from chassis import migrate
from tests.services.identity.conftest import Stand


def test_migrations_and_models_agree(stand: Stand) -> None:
    with stand.database.engine.connect() as connection:
        assert migrate.differences("identity", connection) == []
