"""The rules of readers: what a lamp shows, how reads are named, which power is set."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.brokers import Message
from chassis.values import read_wire
from events.logistics import TagsRead
from services.logistics.rfid.llrp.codec import make as make_item
from services.logistics.rfid.llrp.codec import read_message, write_message
from services.logistics.rfid.llrp.plan import Plan, is_ours, power_indices, ro_spec
from services.logistics.rfid.llrp.session import InputChanged
from services.logistics.rfid.llrp.sights import UPTIME, UTC, Sight
from services.logistics.rfid.llrp.wire import Frame
from services.logistics.rfid.readers.batches import BEGINNING, Boots, make_batches, time_of
from services.logistics.rfid.readers.bodies import BatchInvalid
from services.logistics.rfid.readers.lamps import Lamp, Said, word_to_show
from services.logistics.rfid.readers.model import ReaderInvalid
from services.logistics.rfid.readers.mqtt import read_payload

S = 1_000_000
NOW = time_of(1_800_000_000 * S)
LAMP = Lamp((1, 4), (2,), (3,), 10)


@pytest.mark.parametrize(
    ("verdict", "ago_s", "word"),
    [
        ("release", 0, "release"),
        ("release", 9.9, "release"),
        ("release", 10, "check"),
        ("release", -4, "release"),
        ("release", -6, "check"),
        ("stop", 1, "stop"),
        ("stop", 11, "check"),
        ("check", 1, "check"),
        ("anything", 1, "check"),
    ],
)
def test_a_word_is_shown_while_it_is_fresh(verdict: str, ago_s: float, word: str) -> None:
    assert word_to_show(LAMP, Said(verdict, NOW - timedelta(seconds=ago_s)), NOW) == word


def test_without_a_word_a_lamp_says_check() -> None:
    assert word_to_show(LAMP, None, NOW) == "check"
    assert LAMP.outputs("check") == {1: False, 2: False, 3: True, 4: False}
    assert LAMP.outputs("release") == {1: True, 2: False, 3: False, 4: True}


outputs = st.lists(st.integers(1, 6), max_size=4).map(tuple)


@given(outputs, outputs, outputs)
def test_a_lamp_that_is_taken_never_means_release_in_doubt(release: Any, stop: Any, check: Any) -> None:
    lamp = Lamp(release, stop, check)
    try:
        lamp.check_is_safe()
    except ReaderInvalid:
        return
    green = lamp.outputs("release")
    for other in ("stop", "check"):
        on = {port for port, high in lamp.outputs(other).items() if high}
        assert not on & {port for port, high in green.items() if high}
    assert any(green.values()), "and not when the power is gone"


def sight(**changed: Any) -> Sight:
    said = {
        "reader_id": "reader_1",
        "epc": "3034257bf400b78000000001",
        "antenna": 1,
        "rssi_dbm": -50,
        "count": 1,
        "first_us": 1_800_000_000 * S,
        "last_us": 1_800_000_000 * S,
        "told_first": 1_799_999_990 * S,
        "told_last": 1_799_999_990 * S,
        "received_us": 1_800_000_000 * S,
        "clock": UTC,
        "is_skewed": False,
        "pc": 0x3000,
    }
    return Sight(**said | changed)


def told(messages: list[Message]) -> list[TagsRead]:
    return [msgspec.json.decode(one.value, type=TagsRead, dec_hook=read_wire) for one in messages]


def test_a_sight_has_one_name_wherever_it_comes_again() -> None:
    first = sight()
    again = sight(received_us=1_800_000_300 * S, first_us=1_800_000_000 * S + 250, last_us=1_800_000_000 * S + 250)
    others = [sight(antenna=2), sight(epc="3034257bf400b78000000002"), sight(told_first=1_799_999_990 * S + 1)]
    (batch,) = told(make_batches("gate_1", "reader_1", [first, again, *others], Boots(), now=NOW))
    assert batch.boot == "reader_1/llrp"
    names = [read.sequence for read in batch.reads]
    assert names[0] == names[1] and len(set(names)) == 4 and all(0 <= name < 2**63 for name in names)
    assert (batch.reads[0].at, batch.reads[0].reader_at) == (NOW, NOW - timedelta(seconds=10))
    assert (batch.reads[0].epc, batch.reads[0].pc) == ("3034257BF400B78000000001", 0x3000)


def test_a_reader_that_counts_from_its_start_names_its_starts() -> None:
    boots = Boots()

    def at(started_s: float, up_s: int) -> TagsRead:
        came = round((started_s + up_s) * S)
        one = sight(clock=UPTIME, told_first=up_s * S, told_last=up_s * S, first_us=came, last_us=came)
        return told(make_batches("gate_1", "reader_1", [one], boots, now=NOW))[0]

    first, later, again = at(1_800_000_029.9, 5), at(1_800_000_030.2, 5), at(1_800_003_600, 5)
    assert first.boot == later.boot and first.reads[0].sequence == later.reads[0].sequence
    assert again.boot != first.boot, "the same uptime of another start is another read"
    assert first.reads[0].reader_at is None


def test_sights_of_a_reader_without_a_clock_are_each_one_of_its_own() -> None:
    many = [sight(clock="none", told_first=None, told_last=None) for _ in range(2_500)]
    batches = told(make_batches("gate_1", "reader_1", many, Boots(), now=NOW))
    assert [len(batch.reads) for batch in batches] == [1_000, 1_000, 500]
    assert len({read.sequence for batch in batches for read in batch.reads}) == 2_500
    edges = [InputChanged("reader_1", 1, n % 2 == 0, n) for n in range(1_001)]
    assert [len(batch.edges) for batch in told(make_batches("gate_1", "reader_1", edges, Boots(), now=NOW))] == [
        1_000,
        1,
    ]


@pytest.mark.parametrize("at_us", [-(2**63), -1, 0, 2**63, 2**64 - 1])
def test_a_time_that_no_calendar_holds_is_the_nearest(at_us: int) -> None:
    assert time_of(at_us) >= BEGINNING and time_of(at_us).year <= 9000


def test_the_next_lower_power_that_a_reader_knows_is_set_antenna_by_antenna() -> None:
    levels = [(1, 1000), (2, 2000), (3, 3000), (7, 2700)]
    plan = Plan(antennas=(1, 2, 3), powers=((1, 27.5), (2, 5.0), (3, 33.0)))
    powers = power_indices(plan, levels)
    assert powers == {1: 7, 2: 1, 3: 3}
    assert power_indices(plan, []) == {}
    spec = ro_spec(plan, powers)
    number, body = write_message(make_item("AddROSpec", ROSpec=spec))
    back = read_message(Frame(1, number, 1, body))["ROSpec"]["AISpecs"][0]["InventoryParameterSpecs"][0]
    told = [(one["AntennaID"], one["RFTransmitter"]["TransmitPowerIndex"]) for one in back["AntennaConfigurations"]]
    assert told == [(1, 7), (2, 1), (3, 3)]


def test_our_operations_are_known_by_their_ids() -> None:
    ours = {ro_spec(plan)["ROSpecID"] for plan in (Plan(), Plan(antennas=(1,)), Plan(session=2))}
    assert len(ours) == 3 and all(map(is_ours, ours))
    assert not any(map(is_ours, (1, 123, 14150, 2**32 - 1)))


@given(st.binary(max_size=300))
def test_no_payload_does_harm(payload: bytes) -> None:
    with contextlib.suppress(BatchInvalid):
        read_payload(payload, "reads")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "reads",
                    "data",
                    "idHex",
                    "timestamp",
                    "tagInventoryEvent",
                    "epcHex",
                    "epc",
                    "antennaPort",
                    "peakRssiCdbm",
                    "type",
                    "antenna",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_json_does_harm(value: Any) -> None:
    try:
        batch = read_payload(msgspec.json.encode(value), "reads")
    except BatchInvalid:
        return
    assert all(read.at.tzinfo is not None and len(read.epc) % 4 == 0 for read in batch.reads)
