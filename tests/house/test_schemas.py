"""What the migrations make and what the models say is the same, and each noun of the API has one owner."""

from __future__ import annotations

import pytest

from chassis import migrate
from chassis.openapi import list_operations
from infra.assembly import load_services
from tests.world import World


@pytest.mark.parametrize("service", migrate.SERVICES)
def test_the_migrated_schema_and_the_models_agree(built_world: World, service: str) -> None:
    with built_world.owners[service].engine.connect() as connection:
        assert migrate.differences(service, connection) == []


def test_each_service_answers_for_its_nouns_and_no_noun_has_two_owners() -> None:
    owners: dict[str, str] = {}
    for service in load_services():
        paths = {operation.path for operation in list_operations([service])}
        beside = {prefix: {path for path in paths if path.startswith(f"{prefix}/")} for prefix in service.prefixes}
        assert all(beside.values())
        assert {path.split("/")[2] for path in paths.difference(*beside.values())} == set(service.nouns)
        assert not set(service.places) & set(owners)
        owners |= dict.fromkeys(service.places, service.name)
