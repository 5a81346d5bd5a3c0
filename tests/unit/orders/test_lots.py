"""Who may take how much of an offer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.problems import Conflict
from chassis.values import Exact, Quantity
from services.orders.offers.lot import BelowMinimum, InsufficientQuantity, Lot, NotAStep
from services.orders.offers.model import Offer
from services.orders.offers.offered import OfferExpired, OfferWithdrawn, StaleOffer, State
from tests.unit.orders.examples import NOW


def tonnes(value: str | int) -> Quantity:
    return Quantity(Exact(value), "TNE")


LOT = Lot(tonnes("103"), tonnes("10"), tonnes("5"))


@pytest.mark.parametrize("wanted", ["10", "15", "90", "103"])
def test_a_multiple_of_the_step_or_the_whole_rest_may_be_taken(wanted: str) -> None:
    LOT.check(tonnes(wanted))


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("0", BelowMinimum),
        ("5", BelowMinimum),
        ("12", NotAStep),
        ("95", BelowMinimum),
        ("102", NotAStep),
        ("104", InsufficientQuantity),
    ],
)
def test_anything_else_is_refused_by_name(wanted: str, problem: type[Conflict]) -> None:
    with pytest.raises(problem) as refused:
        LOT.check(tonnes(wanted))
    assert refused.value.members["remaining"] == tonnes("103")


def test_pieces_have_neither_minimum_nor_step() -> None:
    Lot(tonnes("16.5")).check(tonnes("8.25"))
    with pytest.raises(InsufficientQuantity):
        Lot(tonnes("16.5")).check(tonnes("16.500001"))


@given(st.integers(1, 200), st.integers(1, 30), st.integers(1, 10), st.lists(st.integers(1, 200), max_size=20))
def test_takes_never_leave_a_tail_that_nobody_may_take(listed: int, minimum: int, step: int, wishes: list[int]) -> None:
    assume(minimum <= listed)
    lot = Lot(tonnes(listed), tonnes(minimum), tonnes(step))
    for wish in wishes:
        try:
            lot.check(tonnes(wish))
        except Conflict:
            continue
        lot = Lot(lot.remaining - tonnes(wish), lot.minimum, lot.step)
        assert not lot.remaining or lot.remaining >= lot.minimum
    if lot.remaining:
        lot.check(lot.remaining)


def offer(state: State = State.LISTED) -> Offer:
    return Offer(state=state, terms_version=3, valid_until=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("state", "seen", "after", "problem"),
    [
        (State.WITHDRAWN, 3, timedelta(0), OfferWithdrawn),
        (State.EXPIRED, 3, timedelta(0), OfferExpired),
        (State.LISTED, 3, timedelta(hours=1), OfferExpired),
        (State.TAKEN, 3, timedelta(hours=1), OfferExpired),
        (State.LISTED, 2, timedelta(0), StaleOffer),
        (State.PARTLY_TAKEN, 4, timedelta(0), StaleOffer),
    ],
)
def test_an_offer_says_why_it_cannot_be_taken(
    state: State, seen: int, after: timedelta, problem: type[Conflict]
) -> None:
    with pytest.raises(problem):
        offer(state).check_takable(seen=seen, now=NOW + after)


def test_an_open_offer_at_its_version_can_be_taken_until_the_last_moment() -> None:
    for state in (State.LISTED, State.PARTLY_TAKEN, State.TAKEN):
        offer(state).check_takable(seen=3, now=NOW + timedelta(hours=1) - timedelta(microseconds=1))
