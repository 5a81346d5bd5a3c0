"""Where a piece is, from its deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.trace.trail import Step, Whereabouts, find_whereabouts, fold_steps

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Leg(msgspec.Struct):
    id: str
    state: str = "loading"
    place: str = "Gate 3, Tianjin"
    started_at: datetime = NOW
    departed_at: datetime | None = None
    received_at: datetime | None = None


def after(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def test_a_piece_that_nobody_carries_lies_in_its_warehouse() -> None:
    assert find_whereabouts([]) == Whereabouts("in_warehouse")
    assert find_whereabouts([Leg("d1", state="cancelled")]) == Whereabouts("in_warehouse")


def test_the_last_step_says_where_it_is() -> None:
    leg = Leg("d1")
    assert find_whereabouts([leg]) == Whereabouts("loading", "Gate 3, Tianjin", NOW, "d1")
    leg = msgspec.structs.replace(leg, state="departed", departed_at=after(1))
    assert find_whereabouts([leg]) == Whereabouts("in_transit", None, after(1), "d1")
    leg = msgspec.structs.replace(leg, state="weighed", received_at=after(9))
    assert find_whereabouts([leg]) == Whereabouts("received", None, after(9), "d1")
    assert fold_steps([leg]) == [
        Step(NOW, "loading", "d1", "Gate 3, Tianjin"),
        Step(after(1), "departed", "d1", None),
        Step(after(9), "received", "d1", None),
    ]


@given(
    legs=st.permutations(
        [
            Leg("d1", "weighed", "A", NOW, after(1), after(2)),
            Leg("d2", "cancelled"),
            Leg("d3", "departed", "B", after(5), after(6)),
        ]
    )
)
def test_the_order_in_which_things_were_heard_plays_no_part(legs: list[Leg]) -> None:
    assert find_whereabouts(legs) == Whereabouts("in_transit", None, after(6), "d3")
