"""What the migrations make is what the models say."""

from __future__ import annotations

from chassis import migrate
from tests.services.logistics.conftest import Stand


def test_migrated_schema_and_models_agree(stand: Stand) -> None:
    with stand.owner.engine.connect() as connection:
        assert migrate.differences("logistics", connection) == []
