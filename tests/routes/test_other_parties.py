"""Nobody sees or touches another party's things: every route is asked by a stranger with every id of a finished trade."""

from __future__ import annotations

import json
import re

import pytest

from chassis.auth import PLATFORM_ROLES
from loadtests.steel import SteelTrade
from tests.journeys.conftest import make_trade
from tests.routes.test_every_route import DOCUMENT, SCHEMAS, sample_body
from tests.world import World

ID = re.compile(r"\b[a-z_]+_[0-9a-hjkmnp-tv-z]{26}\b")
SCOPED = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if operation["x-party-scoped"]
]
MOVES = [route for route in SCOPED if route[0] != "GET" and not set(route[2]["x-roles"]) <= set(PLATFORM_ROLES)]
NAMES = {"ids": lambda route: f"{route[0]} {route[1]}"}


class Finished:
    """A world in which a trade was played, the ids that its parties saw, and a stranger with every role."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.trade: SteelTrade = make_trade(world)
        self.seen: set[str] = set()
        self.trade.api.seen = lambda method, path, body, status, answer: self.seen.update(
            ID.findall(json.dumps(answer, default=str))
        )
        for _ in self.trade.play():
            pass
        for company in ("mill", "buyer", "warehouse"):
            for path in (path for method, path, _ in SCOPED if method == "GET" and "{" not in path):
                for item in self.trade.companies[company].desk.get(path).get("items", []):
                    self.seen.update(ID.findall(json.dumps(item)))
        self.trade.api.seen = None
        own = self.trade.admit("stranger", "Nosy Trading")
        world.settle()
        self.stranger = own.desk
        self.shared = {own.party_id, *self._ids(own.desk.get("/v1/offers")), *self._ids(own.desk.get("/v1/parties"))}

    @staticmethod
    def _ids(answer: object) -> set[str]:
        return set(ID.findall(json.dumps(answer)))


@pytest.fixture(scope="module")
def finished(built_world: World):
    with built_world.at():
        built_world.begin()
        yield Finished(built_world)
        built_world.rest()


def _paths(finished: Finished, path: str) -> list[str]:
    count = path.count("{")
    deals = sorted(id for id in finished.seen if id.startswith("deal_"))
    if count == 1:
        return [re.sub(r"{[^}]+}", id, path) for id in sorted(finished.seen - finished.shared)]
    found = []
    for deal in deals:
        for other in sorted(finished.seen - finished.shared):
            parts = iter((deal, other))
            found.append(re.sub(r"{[^}]+}", lambda _: next(parts), path))  # noqa: B023
    return found


def test_the_trade_showed_many_ids(finished: Finished) -> None:
    nouns = {id.rpartition("_")[0] for id in finished.seen}
    assert len(finished.seen) > 30 and {"deal", "offer", "piece", "delivery", "statement", "payout", "gate"} <= nouns


@pytest.mark.parametrize("route", [r for r in SCOPED if r[0] == "GET" and "{" not in r[1]], **NAMES)
def test_no_list_or_count_holds_anything_of_others(finished: Finished, route: tuple) -> None:
    token = finished.stranger._token or finished.stranger.sign_in()
    answer = finished.world.client(token).get(route[1])
    assert answer.status == 200, answer
    assert Finished._ids(answer.body) & (finished.seen - finished.shared) == set()


@pytest.mark.parametrize("route", [r for r in SCOPED if r[0] == "GET" and "{" in r[1]], **NAMES)
def test_nothing_of_others_is_found_by_its_id(finished: Finished, route: tuple) -> None:
    ask = finished.world.client(finished.stranger.sign_in())
    for path in _paths(finished, route[1]):
        assert ask.get(path).status == 404, path


@pytest.mark.parametrize("route", [r for r in MOVES if "{" in r[1]], **NAMES)
def test_nothing_of_others_can_be_moved_by_its_id(finished: Finished, route: tuple) -> None:
    method, _, operation = route
    ask = finished.world.client(finished.stranger.sign_in())
    before = finished.world.count_rows()
    for path in _paths(finished, route[1]):
        answer = ask.send(method, path, body=sample_body(operation), key=f"stranger-{abs(hash(path))}")
        assert answer.status == 404, (path, answer)
    assert finished.world.count_rows() == before


def test_a_stranger_cannot_name_things_of_others_in_a_body(finished: Finished) -> None:
    """Every identifier field of every command is given every id of the trade: nothing may come of it."""
    ask = finished.world.client(finished.stranger.sign_in())
    before = {name: count for name, count in finished.world.count_rows().items() if not name.startswith("identity.")}
    for method, path, operation in SCOPED:
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if (
            method == "GET"
            or "{" in path
            or not schema
            or path.startswith(("/v1/users", "/v1/api-keys", "/v1/gates", "/v1/card"))
        ):
            continue
        for where, keys, _ in SCHEMAS.fields(schema):
            if not where.endswith(("_id", "_ids")):
                continue
            for id in sorted(finished.seen - finished.shared):
                body = SCHEMAS.sample(schema) | {keys[0]: [id] if where.endswith("_ids") else id}
                answer = ask.send(method, path, body=body, key=f"body-{keys[0]}-{id}")
                assert answer.status in (403, 404, 409, 422, 503), (path, keys, id, answer)
    after = {name: count for name, count in finished.world.count_rows().items() if not name.startswith("identity.")}
    assert after == before
