"""The statement that takes from an offer says what the model's rule says."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.database import see
from chassis.problems import Conflict
from chassis.values import Exact, Quantity
from services.orders.offers.model import Offer
from services.orders.offers.offered import State
from services.orders.offers.remaining import take_quantity
from tests.services.orders.conftest import BEGINNING, SYSTEM, Stand

THOUSANDTHS = st.integers(0, 40_000).map(lambda n: f"{n / 1000:.3f}")


class _RolledBack(Exception):
    pass


def _try(stand: Stand, offer_id: str, wanted: Quantity, seen: int, after: timedelta) -> tuple[Any, Any]:
    """What the statement did to an offer, and what the model says of it; nothing stays."""
    found: list[Any] = []

    def attempt(session: Any) -> None:
        before = see(session, Offer, offer_id, SYSTEM)
        lot, version = before.lot, before.version
        try:
            before.check_takable(seen=seen, now=BEGINNING + after)
            lot.check(wanted)
            left = lot.remaining - wanted
            expected = (left, State.PARTLY_TAKEN if left else State.TAKEN, version + 1, bool(left))
        except Conflict:
            expected = None
        offer = take_quantity(session, offer_id, wanted, seen=seen, now=BEGINNING + after)
        done = offer and (offer.remaining, offer.state, offer.version, offer.due_at is not None)
        found.extend([done, expected])
        raise _RolledBack

    with contextlib.suppress(_RolledBack):
        stand.database.run(attempt)
    return found[0], found[1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    listed=st.integers(1, 40),
    lot=st.tuples(st.integers(1, 40), st.sampled_from(["0.5", "1", "3", "7.25"])),
    first=st.integers(0, 40),
    wishes=st.lists(st.one_of(THOUSANDTHS, st.integers(0, 45).map(str)), min_size=1, max_size=8),
    seen=st.sampled_from([1, 1, 1, 2]),
    after=st.sampled_from([timedelta(0), timedelta(days=2) - timedelta(microseconds=1), timedelta(days=2)]),
)
def test_the_statement_and_the_model_agree(
    stand: Stand, listed: int, lot: tuple[int, str], first: int, wishes: list[str], seen: int, after: timedelta
) -> None:
    answer = stand.list_weight(str(listed), str(min(lot[0], listed)), str(min(float(lot[1]), listed)))
    offer = answer.ok()
    stand.take(offer, quantity={"value": str(first), "unit": "TNE"})
    for wish in [*wishes, str(listed), str(listed - first if listed >= first else 0)]:
        done, expected = _try(stand, offer["id"], Quantity(Exact(wish), "TNE"), seen, after)
        assert done == expected, wish
