"""A web that is scaled while it works, and loses one of two: whoever calls afterwards hears nothing of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from loadtests.api import Actor, keep_session
from loadtests.steel import SteelTrade
from tests.compose.callers import Callers
from tests.compose.stack import Stack, kill, list_answered

CALLERS = 8
TITLE = "螺纹钢 rebar, listed once"


def describe_offer(trade: SteelTrade) -> dict[str, Any]:
    """An offer by weight that no other test lists."""
    forty = {"value": "40", "unit": "TNE"}
    return {
        "market": "steel",
        "quantity": forty,
        "minimum": forty,
        "step": forty,
        "warehouse_id": trade.warehouse.party_id,
        "title": TITLE,
        "terms": trade.terms(),
    }


@pytest.fixture
def scalable(stack: Stack) -> Iterator[Stack]:
    """The stack, which has one of each again afterwards."""
    yield stack
    stack.up()


def test_one_of_two_webs_dies_and_only_what_it_had_in_hand_fails(scalable: Stack, trade: SteelTrade) -> None:
    """Everybody asks for one offer again and again, and lists it again under its key."""
    offer, key = describe_offer(trade), "the-same-offer-from-every-caller"
    listed = trade.mill.desk.post("/v1/offers", offer, key=key)

    def call(actor: Actor) -> None:
        assert actor.post("/v1/offers", offer, key=key) == listed
        assert actor.get(f"/v1/offers/{listed['id']}")["title"] == TITLE

    with Callers(scalable.url, keep_session(trade.mill.email, trade.mill.password), call, count=CALLERS) as callers:
        scalable.compose("up", "--detach", "--no-recreate", "--scale", "orders-web=2")
        first, second = scalable.list_containers("orders-web")
        trade.until(lambda: all(count_answers(one, callers) > CALLERS for one in (first, second)), "both to answer")
        before = time.monotonic()
        kill(first)
        after = time.monotonic()
        trade.until(lambda: len(callers.list_asked(since=after)) > 40 * CALLERS, "callers to have gone on")
    assert callers.wrong == []
    failed = [one for one in callers.list_asked() if one.status >= 400]
    assert [one for one in failed if one.began > after or one.ended < before] == []
    assert len(failed) <= CALLERS
    assert [one["id"] for one in trade.mill.desk.every("/v1/offers") if one["title"] == TITLE] == [listed["id"]]


def count_answers(container: str, callers: Callers) -> int:
    """How many commands of the callers a container has answered."""
    return len(list_answered(container) & {one.id for one in callers.list_asked()})
