"""The machine of a delivery: each move at its edges, and a random walk that never leaves the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chassis.problems import Conflict
from chassis.states import IllegalMove
from chassis.values import Exact, Quantity
from services.logistics.shipments.model import (
    AlreadyAccepted,
    AlreadyWeighed,
    CalledOff,
    Delivery,
    End,
    NotDeparted,
    PastDeadline,
    Seen,
    State,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LOAD, RECEIVE = timedelta(hours=72), timedelta(days=7)


def kg(value: int) -> Quantity:
    return Quantity(Exact(value), "KGM")


def make_delivery(weigher_decides: bool = False) -> Delivery:
    return Delivery(
        id="delivery_1",
        state=State.LOADING,
        due_at=NOW + LOAD,
        receive_within=RECEIVE,
        started_at=NOW,
        quantity=kg(28_000),
        loaded=None,
        received=None,
        departed_at=None,
        received_at=None,
        third_party=None,
        weigher_decides=weigher_decides,
        weights_version=1,
        accepted_stage=None,
    )


def test_the_plain_way() -> None:
    delivery = make_delivery()
    assert not delivery.take_weight(End.LOADING, kg(28_100), NOW)
    delivery.depart(NOW, Seen.GATE)
    assert (delivery.state, delivery.due_at) == (State.DEPARTED, NOW + RECEIVE)
    assert delivery.take_weight(End.RECEIVING, kg(28_050), NOW)
    assert (delivery.state, delivery.due_at) == (State.WEIGHED, None)
    assert (delivery.loaded, delivery.received) == (kg(28_100), kg(28_050))


def test_the_loading_ticket_may_come_after_the_receiving_one() -> None:
    delivery = make_delivery()
    delivery.depart(NOW, Seen.GATE)
    assert not delivery.take_weight(End.RECEIVING, kg(28_050), NOW)
    assert delivery.state == State.RECEIVED
    assert delivery.take_weight(End.LOADING, kg(28_100), NOW)


def test_a_truck_weighed_at_both_ends_has_left_even_if_no_tag_was_read() -> None:
    delivery = make_delivery()
    with pytest.raises(NotDeparted):
        delivery.take_weight(End.RECEIVING, kg(28_050), NOW)
    assert delivery.state == State.LOADING
    delivery.take_weight(End.LOADING, kg(28_100), NOW)
    assert delivery.take_weight(End.RECEIVING, kg(28_050), NOW)
    assert delivery.departure_seen_by == "scale"


def test_one_weight_an_end() -> None:
    delivery = make_delivery()
    delivery.take_weight(End.LOADING, kg(28_100), NOW)
    with pytest.raises(AlreadyWeighed):
        delivery.take_weight(End.LOADING, kg(28_100), NOW)


def test_what_has_left_cannot_be_called_off_and_what_is_called_off_is_not_weighed() -> None:
    delivery = make_delivery()
    delivery.depart(NOW, Seen.GATE)
    with pytest.raises(IllegalMove):
        delivery.cancel("changed our mind")
    delivery = make_delivery()
    delivery.cancel("truck broke down")
    assert delivery.due_at is None
    with pytest.raises(CalledOff):
        delivery.take_weight(End.LOADING, kg(1), NOW)


def test_a_deadline_holds_even_when_the_timer_is_late() -> None:
    delivery = make_delivery()
    delivery.depart(NOW, Seen.GATE)
    with pytest.raises(PastDeadline):
        delivery.take_weight(End.RECEIVING, kg(28_000), NOW + RECEIVE)
    delivery.take_weight(End.RECEIVING, kg(28_000), NOW + RECEIVE - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("tickets", "loaded", "received"),
    [([], 28_000, 28_000), ([End.LOADING], 28_100, 28_100), ([End.RECEIVING], 28_000, 28_100)],
)
def test_after_the_deadline_the_weight_that_is_known_stands(tickets: list[End], loaded: int, received: int) -> None:
    delivery = make_delivery()
    delivery.depart(NOW, Seen.GATE)
    for end in tickets:
        delivery.take_weight(end, kg(28_100), NOW)
    delivery.let_weight_stand(NOW + RECEIVE)
    assert (delivery.state, delivery.loaded, delivery.received) == (State.WEIGHED, kg(loaded), kg(received))


def test_where_the_third_party_decides_its_ticket_is_waited_for() -> None:
    delivery = make_delivery(weigher_decides=True)
    delivery.take_weight(End.LOADING, kg(28_100), NOW)
    assert not delivery.take_weight(End.RECEIVING, kg(28_050), NOW)
    assert (delivery.state, delivery.due_at) == (State.RECEIVED, NOW + RECEIVE)
    assert delivery.take_weight(End.THIRD_PARTY, kg(28_080), NOW)
    assert (delivery.loaded, delivery.received, delivery.third_party) == (kg(28_100), kg(28_050), kg(28_080))


@pytest.mark.parametrize("first", [End.LOADING, End.THIRD_PARTY])
def test_where_the_third_party_decides_the_buyers_scale_may_be_missing(first: End) -> None:
    delivery = make_delivery(weigher_decides=True)
    delivery.depart(NOW, Seen.GATE)
    second = End.THIRD_PARTY if first == End.LOADING else End.LOADING
    assert not delivery.take_weight(first, kg(28_100), NOW)
    assert delivery.take_weight(second, kg(28_100), NOW)
    assert (delivery.state, delivery.received, delivery.weights_version) == (State.WEIGHED, kg(28_100), 1)


def test_a_third_partys_weight_comes_at_any_time_until_it_is_decided() -> None:
    delivery = make_delivery()
    delivery.depart(NOW, Seen.GATE)
    delivery.let_weight_stand(NOW + RECEIVE)
    delivery.accept("undisputed", NOW + RECEIVE)
    assert delivery.take_weight(End.THIRD_PARTY, kg(28_080), NOW + 2 * RECEIVE)
    assert delivery.weights_version == 2
    delivery.third_party = None
    delivery.accept("decided", NOW)
    with pytest.raises(AlreadyAccepted):
        delivery.take_weight(End.THIRD_PARTY, kg(28_080), NOW)


def test_a_correction_takes_what_stands_for_a_missing_weight_along() -> None:
    delivery = make_delivery()
    assert not delivery.correct_weights({End.LOADING: kg(28_090)})
    assert (delivery.loaded, delivery.received) == (kg(28_090), None)
    delivery.depart(NOW, Seen.GATE)
    delivery.let_weight_stand(NOW + RECEIVE)
    assert delivery.correct_weights({End.LOADING: kg(28_080)})
    assert (delivery.loaded, delivery.received) == (kg(28_080), kg(28_080))
    assert delivery.correct_weights({End.RECEIVING: kg(28_070)})
    assert (delivery.loaded, delivery.received, delivery.weights_version) == (kg(28_000), kg(28_070), 3)


class Walk(RuleBasedStateMachine):
    """Whatever is tried, in whatever order: a refusal changes nothing, and what stands stays."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.delivery = make_delivery()
        self.history = [State.LOADING]

    def attempt(self, change) -> None:
        names = ("state", "due_at", "loaded", "received", "departed_at", "received_at", "departure_seen_by")
        before = {name: getattr(self.delivery, name, None) for name in names}
        try:
            change()
        except Conflict:
            assert {name: getattr(self.delivery, name, None) for name in names} == before
        else:
            assert before["loaded"] in (None, self.delivery.loaded)
            assert before["received"] in (None, self.delivery.received)
            assert before["departed_at"] in (None, self.delivery.departed_at)
        if self.delivery.state != self.history[-1]:
            self.history.append(self.delivery.state)

    @rule(hours=st.integers(0, 100))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(seen=st.sampled_from(Seen))
    def depart(self, seen: Seen) -> None:
        self.attempt(lambda: self.delivery.depart(self.now, seen))

    @rule()
    def cancel(self) -> None:
        self.attempt(lambda: self.delivery.cancel("no truck"))

    @rule(end=st.sampled_from(End), net=st.integers(1, 30_000))
    def weigh(self, end: End, net: int) -> None:
        self.attempt(lambda: self.delivery.take_weight(end, kg(net), self.now))

    @rule()
    def time_out(self) -> None:
        if self.delivery.is_due(self.now) and not self.delivery.can("depart"):
            self.attempt(lambda: self.delivery.let_weight_stand(self.now))

    @invariant()
    def rules_hold(self) -> None:
        delivery = self.delivery
        assert (delivery.due_at is not None) == (delivery.state in Delivery.waits)
        assert (delivery.state == State.WEIGHED) == (delivery.loaded is not None and delivery.received is not None)
        assert (delivery.departed_at is not None) == (delivery.state not in (State.LOADING, State.CANCELLED))
        assert (delivery.received_at is not None) == (delivery.received is not None)
        assert self.history == sorted(self.history, key=list(State).index)


Walk.TestCase.settings = settings(max_examples=200, stateful_step_count=20, deadline=None)
TestWalk = Walk.TestCase
