"""What a ticket must say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Quantity, UnitMismatch
from services.logistics.weighing.model import (
    NetIsNotGrossLessTare,
    NotAWeight,
    NotWeighedLately,
    check_time,
    check_weights,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def kg(value: str) -> Quantity:
    return Quantity(Exact(value), "KGM")


def test_net_is_gross_less_tare_exactly() -> None:
    assert check_weights(gross=kg("42300.5"), tare=kg("14100.25"), net=kg("28200.25")) == (
        Exact("42300.5"),
        Exact("14100.25"),
        Exact("28200.25"),
    )
    with pytest.raises(NetIsNotGrossLessTare):
        check_weights(gross=kg("42300.5"), tare=kg("14100.25"), net=kg("28200.250001"))


def test_tonnes_are_kilograms_exactly() -> None:
    tonnes = Quantity(Exact("28.2"), "TNE")
    assert check_weights(gross=kg("42300"), tare=kg("14100"), net=tonnes)[2] == 28200


@pytest.mark.parametrize(
    ("gross", "tare", "net"),
    [("100", "100", "0"), ("100000001", "0", "100000001"), ("999999999999", "999999999998", "1")],
)
def test_a_scale_weighs_something_that_a_scale_can_weigh(gross: str, tare: str, net: str) -> None:
    with pytest.raises(NotAWeight):
        check_weights(gross=kg(gross), tare=kg(tare), net=kg(net))


def test_pieces_are_no_weight() -> None:
    with pytest.raises(UnitMismatch):
        check_weights(gross=Quantity(Exact(3), "H87"), tare=kg("1"), net=kg("2"))


@given(gross=st.integers(1, 10**8), tare=st.integers(0, 10**8), off=st.integers(-5, 5))
def test_only_the_difference_is_taken(gross: int, tare: int, off: int) -> None:
    net = gross - tare + off
    if net < 0:
        return
    asked = {"gross": kg(str(gross)), "tare": kg(str(tare)), "net": kg(str(net))}
    if off == 0 and net > 0:
        assert check_weights(**asked) == (gross, tare, net)
    else:
        with pytest.raises((NetIsNotGrossLessTare, NotAWeight)):
            check_weights(**asked)


@pytest.mark.parametrize("at", [NOW + timedelta(microseconds=1), NOW - timedelta(days=30, microseconds=1)])
def test_a_weighing_is_in_the_past_and_not_long_ago(at: datetime) -> None:
    check_time(NOW, NOW)
    check_time(NOW - timedelta(days=30), NOW)
    with pytest.raises(NotWeighedLately):
        check_time(at, NOW)
