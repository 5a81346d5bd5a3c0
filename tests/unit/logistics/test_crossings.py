"""Reads become crossings: rules at their edges, and that neither order nor repetition matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.rfid.crossings import Read, find_crossings

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
COIL, OTHER = "3034257BF400B7800004CB2F", "3174257BF4499602D2000000"


class Rules(msgspec.Struct):
    closing: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(seconds=120)
    ghost_reads: int = 3
    ghost_rssi_dbm: int = -65
    clock_skew: timedelta = timedelta(hours=24)


def read(
    sequence: int,
    seconds: float,
    *,
    epc: str = COIL,
    rssi_dbm: float = -50,
    antenna: int = 1,
    lag: float = 0,
    boot: str = "0",
) -> Read:
    """A read at ``seconds`` by its reader's clock, received ``lag`` seconds after the end of a ten-second report."""
    return Read(
        boot=boot,
        sequence=sequence,
        received_at=NOW + timedelta(seconds=10 + lag),
        at=NOW + timedelta(seconds=seconds),
        epc=epc,
        antenna=antenna,
        rssi_dbm=rssi_dbm,
    )


def test_reads_of_one_tag_are_counted_and_their_best_kept() -> None:
    reads = [read(1, 9, rssi_dbm=-60), read(2, 9.5, rssi_dbm=-48, antenna=2), read(3, 10, rssi_dbm=-55)]
    (crossing,) = find_crossings(reads, Rules())
    (presence,) = crossing.presences
    assert (presence.reads, presence.rssi_dbm, presence.antennas, presence.is_ghost) == (3, -48, (1, 2), False)
    assert (presence.first_seen, presence.last_seen) == (NOW + timedelta(seconds=9), NOW + timedelta(seconds=10))
    assert crossing.reads == 3


def test_a_quiet_time_longer_than_the_closing_time_parts_two_crossings() -> None:
    assert len(find_crossings([read(1, 0), read(2, 2)], Rules())) == 1
    first, second = find_crossings([read(1, 0), read(2, 2.000001)], Rules())
    assert first.last_seen < second.first_seen


def test_no_crossing_lasts_longer_than_the_gate_says() -> None:
    reads = [read(n, n, lag=240) for n in range(0, 250)]
    crossings = find_crossings(reads, Rules())
    assert [crossing.reads for crossing in crossings] == [121, 121, 8]


def test_a_ghost_is_both_rare_and_weak() -> None:
    def is_ghost(count: int, rssi_dbm: float) -> bool:
        (crossing,) = find_crossings([read(n, 10, rssi_dbm=rssi_dbm) for n in range(count)], Rules())
        return crossing.presences[0].is_ghost

    assert is_ghost(2, -65.5)
    assert not is_ghost(3, -65.5)
    assert not is_ghost(2, -65)


def test_the_shortest_lag_is_the_readers_clock() -> None:
    hours_behind = [read(1, 9 - 7200), read(2, 10 - 7200)]
    (crossing,) = find_crossings(hours_behind, Rules())
    assert crossing.last_seen == NOW + timedelta(seconds=10)
    ahead = [read(1, 9 + 7200), read(2, 10 + 7200)]
    (crossing,) = find_crossings(ahead, Rules())
    assert (crossing.first_seen, crossing.last_seen) == (NOW + timedelta(seconds=9), NOW + timedelta(seconds=10))


def test_a_clock_beyond_belief_gives_way_to_ours() -> None:
    since_boot = [Read("0", n, NOW, datetime(1970, 1, 1, 0, 0, n, tzinfo=UTC), COIL, 1, -50) for n in range(3)]
    (crossing,) = find_crossings(since_boot, Rules())
    assert crossing.first_seen == crossing.last_seen == NOW


def test_what_a_reader_kept_back_is_parted_into_the_trucks_that_passed() -> None:
    kept_back = [read(n, second, lag=300) for n, second in enumerate((0, 1, 60, 61, 180, 310))]
    assert [crossing.reads for crossing in find_crossings(kept_back, Rules())] == [2, 2, 1, 1]


def test_a_reader_that_counts_anew_after_a_restart_loses_nothing() -> None:
    reads = [read(1, 10, boot="a"), read(1, 10, boot="b")]
    assert sum(crossing.reads for crossing in find_crossings(reads, Rules())) == 2


reads = st.builds(
    Read,
    boot=st.sampled_from(["0", "1"]),
    sequence=st.integers(0, 40),
    received_at=st.integers(0, 20).map(lambda s: NOW + timedelta(seconds=s)),
    at=st.integers(-200_000_000, 20_000_000).map(lambda us: NOW + timedelta(microseconds=us)),
    epc=st.sampled_from([COIL, OTHER, "E280689400004003E5A1B2C3"]),
    antenna=st.integers(0, 3),
    rssi_dbm=st.integers(-80, -40).map(float),
)


@given(batch=st.lists(reads, max_size=40), data=st.data())
def test_neither_order_nor_repetition_matters(batch: list[Read], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(batch), max_size=20)) if batch else []
    shuffled = data.draw(st.permutations(batch + again))
    assert find_crossings(shuffled, Rules()) == find_crossings(batch, Rules())


@given(batch=st.lists(reads, max_size=40))
def test_every_read_is_in_one_crossing_and_crossings_are_apart(batch: list[Read]) -> None:
    crossings = find_crossings(batch, Rules())
    assert sum(crossing.reads for crossing in crossings) == len({(one.boot, one.sequence) for one in batch})
    for earlier, later in zip(crossings, crossings[1:], strict=False):
        assert earlier.last_seen < later.first_seen
    assert all(crossing.last_seen - crossing.first_seen <= Rules().longest for crossing in crossings)
