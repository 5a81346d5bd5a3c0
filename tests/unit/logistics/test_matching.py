"""Which deliveries left, from what was seen at their gate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.logistics.shipments.matching import Finding, Kind, match_deliveries

NOTHING: frozenset[str] = frozenset()


def of(*pieces: str) -> frozenset[str]:
    return frozenset(pieces)


def test_a_delivery_that_is_seen_whole_leaves_and_nothing_is_amiss() -> None:
    match = match_deliveries(of("a", "b"), {"d1": of("a", "b"), "d2": of("c")}, NOTHING)
    assert (match.departed, match.findings) == (("d1",), ())


def test_a_dead_tag_holds_no_truck_back() -> None:
    match = match_deliveries(of("a"), {"d1": of("a", "b", "c")}, NOTHING)
    assert match.departed == ("d1",)
    assert match.findings == (Finding(Kind.NOT_READ, "b", "d1"), Finding(Kind.NOT_READ, "c", "d1"))


def test_a_piece_beside_the_gate_sends_no_other_truck_off() -> None:
    match = match_deliveries(of("a", "b", "x"), {"d1": of("a", "b"), "d2": of("x", "y")}, NOTHING)
    assert match.departed == ("d1",)
    assert match.findings == (Finding(Kind.WRONG_TRUCK, "x", "d1"),)


def test_two_trucks_in_one_passage_both_leave_when_both_are_seen_whole() -> None:
    match = match_deliveries(of("a", "b", "x"), {"d1": of("a", "b"), "d2": of("x")}, NOTHING)
    assert (match.departed, match.findings) == (("d1", "d2"), ())


def test_a_piece_without_a_delivery_is_put_down_on_the_truck_that_left() -> None:
    assert match_deliveries(of("a", "z"), {"d1": of("a")}, NOTHING).findings == (Finding(Kind.NO_DELIVERY, "z", "d1"),)
    assert match_deliveries(of("z"), {"d1": of("a")}, NOTHING).findings == (Finding(Kind.NO_DELIVERY, "z", None),)


def test_late_reads_of_a_delivery_that_has_just_left_are_not_amiss() -> None:
    assert match_deliveries(of("a"), {}, of("a", "b")).findings == ()


pieces = st.frozensets(st.sampled_from("abcdefgh"), max_size=6)


@given(seen=pieces, deal=st.lists(st.sampled_from(["d1", "d2", "d3", "gone", "none"]), min_size=8, max_size=8))
def test_every_piece_is_accounted_for_once(seen: frozenset[str], deal: list[str]) -> None:
    owner = dict(zip("abcdefgh", deal, strict=True))
    waiting = {id: of(*(p for p in owner if owner[p] == id)) for id in ("d1", "d2", "d3") if id in deal}
    gone = of(*(p for p in owner if owner[p] == "gone"))
    match = match_deliveries(seen, waiting, gone)
    carried = frozenset().union(*(waiting[id] for id in match.departed))
    amiss = [finding.piece_id for finding in match.findings]
    assert len(amiss) == len(set(amiss))
    assert set(amiss) == (carried - seen) | (seen - carried - gone)
    assert bool(match.departed) == any(pieces & seen for pieces in waiting.values())
    assert all(waiting[id] & seen for id in match.departed)
