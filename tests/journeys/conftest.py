"""The steel trade on a world, and what must hold at the end of any journey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from loadtests.api import Actor, Api, session_of
from loadtests.steel import SteelTrade
from services.identity.users.commands import create_operator
from tests.journeys.town import Town
from tests.world import World

A_SECOND = timedelta(seconds=1)
OPERATOR = "operator@sample.haihe.example"


def make_trade(
    world: World, settle: Callable[[], None] | None = None, kind: type[SteelTrade] = SteelTrade, **options: Any
) -> SteelTrade:
    """A trade of three companies on a world; each wait lets a second pass."""
    from chassis import clock

    password = world.databases["identity"].run(
        lambda session: create_operator(session, email=OPERATOR, name="Operator")
    )
    api = Api(world.carry)
    operator = Actor(api, "operator", session_of(api, OPERATOR, password), "platform")
    return kind(
        api,
        operator,
        settle=settle or (lambda: world.advance(A_SECOND)),
        now=clock.now,
        pause=lambda _: None,
        wait_s=20,
        **options,
    )


@pytest.fixture
def trade(world: World) -> Iterator[SteelTrade]:
    """Three companies about to trade."""
    yield make_trade(world)


@pytest.fixture(scope="module")
def town(built_world: World) -> Iterator[Town]:
    """A town that all tests of a module share; a test that asks for it does not ask for ``world``."""
    with built_world.at():
        built_world.begin()
        town = make_trade(built_world, kind=Town)
        town.world = built_world
        town.settle_in()
        yield town
        built_world.rest()
