"""What a stock-take finds, misses and did not expect, and what should be in a warehouse at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.stocktakes.counting import LastSeen, Standing, count, is_kept

T = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATER = T + timedelta(hours=1)
PIECES = st.sampled_from([f"piece_{n}" for n in range(6)])
SEEN = st.dictionaries(st.sampled_from([f"urn:x:{n}" for n in range(8)]), st.none() | PIECES)


@given(
    SEEN,
    st.sets(PIECES),
    st.dictionaries(PIECES, st.sampled_from(["bay_1", "bay_2"])),
    st.sampled_from([None, "bay_1"]),
)
def test_each_thing_has_one_line_and_all_lines_add_up(
    seen: dict[str, str | None], kept: set[str], zones: dict[str, str], zone_id: str | None
) -> None:
    lines = count(seen, kept, zones, zone_id=zone_id)
    here = {piece for piece in seen.values() if piece}
    should = {piece for piece in kept if zone_id is None or zones.get(piece) == zone_id}
    by = {standing: {line.name for line in lines if line.standing == standing} for standing in Standing}
    assert len({line.name for line in lines}) == len(lines)
    assert by[Standing.FOUND] == here & kept
    assert by[Standing.MISSING] == should - here
    assert by[Standing.UNEXPECTED] == (here - kept) | {epc for epc, piece in seen.items() if piece is None}


def test_a_piece_that_lies_elsewhere_than_was_thought_is_found_with_where_it_was_thought_to_be() -> None:
    (line,) = count({"urn:x:1": "piece_1"}, {"piece_1"}, {"piece_1": "bay_2"}, zone_id="bay_1")
    assert (line.standing, line.epc, line.zone_id) == (Standing.FOUND, "urn:x:1", "bay_2")


@pytest.mark.parametrize(
    ("last", "left_at", "kept"),
    [
        (None, None, True),
        (None, T, False),
        (LastSeen(T, None, None), None, True),
        (LastSeen(T, "in_transit", None), None, False),
        (LastSeen(T, "stolen", None), None, False),
        (LastSeen(T, "in_transit", None), T, False),
        (LastSeen(T, None, "urn:haihe:warehouse:w"), LATER, False),
        (LastSeen(LATER, "returned", "urn:haihe:warehouse:w"), T, True),
        (LastSeen(LATER, None, None), T, False),
    ],
)
def test_what_should_be_there(last: LastSeen | None, left_at: datetime | None, kept: bool) -> None:
    assert is_kept(last, left_at) is kept
