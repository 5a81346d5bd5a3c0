"""The journeys of a load, made on a world, and the books read from it over its API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from chassis import clock
from loadtests.api import Api, ApiRefused, SharingActor, keep_session
from loadtests.draining import list_moving
from loadtests.invariants import find_broken, read_books
from loadtests.journeys import browse, popular, whole_trade
from loadtests.journeys.fair import Fair
from loadtests.journeys.load_trade import LoadTrade
from services.identity.users.commands import create_operator
from tests.world import World

OPERATOR = "operator@load.haihe.example"
JOURNEYS = [
    browse.browse,
    popular.take_coils,
    popular.take_weight,
    whole_trade.trade_coils,
    whole_trade.trade_weight,
]


@pytest.fixture
def operator(world: World) -> SharingActor:
    password = world.databases["identity"].run(lambda session: create_operator(session, OPERATOR, "Operator"))
    return SharingActor(Api(world.carry), "operator", keep_session(OPERATOR, password), "platform")


@pytest.fixture
def fair(world: World, operator: SharingActor) -> Iterator[Fair]:
    def settle() -> None:
        world.advance(timedelta(milliseconds=300))

    yield Fair(operator.kept, settle=settle, pause=lambda _: None, now=clock.now, most_buyers=2)


def test_every_journey_comes_off_and_the_books_add_up(world: World, operator: SharingActor, fair: Fair) -> None:
    told: list[str] = []
    trades = [fair.enter(Api(world.carry)) for _ in range(3)]
    for number, trade in enumerate(trades):
        trade.tell = lambda name, seconds: told.append(name)
        for journey in JOURNEYS:
            journey(trade, fair, Random(number))
    assert len({trade.buyer.party_id for trade in trades}) == 2
    assert told.count("take to payout") == 6 and told.count("take to effective") >= 6 + 3
    popular.take_coils(trades[0], fair, Random(9))
    assert [
        deal["state"] for deal in list_moving(operator, set(fair.account.parties), fair.account.began, clock.now())
    ] == ["effective"]
    world.advance(timedelta(seconds=10))
    account = fair.account
    assert list_moving(operator, set(account.parties), account.began, clock.now()) == []
    books = read_books(
        operator, set(account.parties), account.mills, account.began, paid_in=account.paid_in, takes=account.takes
    )
    assert len(books.deals) == account.takes == told.count("take to effective")
    assert [deal["state"] for deal in books.deals].count("completed") == 6
    assert find_broken(books) == []
    assert world.broken() == {}


def test_one_who_comes_too_late_goes_on(fair: Fair, world: World) -> None:
    """The second buyer has seen the offer before the first took all of it."""
    first, second = (fair.enter(Api(world.carry)) for _ in range(2))
    offer = browse.look_at(first, fair.weight_offers[0])
    quantity = {"value": "120", "unit": "TNE"}

    def be_faster(_: float) -> None:
        first.strike(offer, quantity=quantity)

    second.pause = be_faster
    popular.take_weight(second, fair, Random(1))
    second.pause = lambda _: None
    assert browse.look_at(second, fair.weight_offers[0]) is None
    popular.take_weight(second, fair, Random(1))
    assert fair.account.takes == 1


def test_a_number_that_is_taken_is_not_used_twice(fair: Fair, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([5, 5, 6, 6, *range(7, 99)])
    monkeypatch.setattr("loadtests.journeys.fair.new_number", lambda: next(numbers))
    trade: LoadTrade = fair.enter(Api(world.carry))
    assert len(fair.account.parties) == 4 and trade.buyer.party_id in fair.account.parties


def test_an_operator_who_is_none_is_refused(world: World) -> None:
    fair = Fair(keep_session(OPERATOR, "wrong password"), pause=lambda _: None)
    with pytest.raises(ApiRefused, match="wrong_credentials"):
        fair.enter(Api(world.carry))
    assert fair.account.parties == []


def test_locust_finds_its_users() -> None:
    """In a process of its own: Locust patches what others of this process stand on."""
    command = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", "--list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert {"Visitor", "CoilTaker", "WeightTaker", "Trader"} <= set(done.stdout.split())
