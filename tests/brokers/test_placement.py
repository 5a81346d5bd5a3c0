"""Keys to partitions, partitions to members, addresses to brokers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.brokers.memory import MemoryBroker
from chassis.brokers.opening import UnknownBroker, open_broker
from chassis.brokers.placement import assign_ranges, partition_of
from chassis.brokers.postgres import PostgresBroker
from chassis.brokers.postgres_settings import PostgresSettings


def test_keys_stay_where_earlier_releases_put_them() -> None:
    assert [partition_of(key, 12) for key in ("deal_1", "deal_2", "offer_1", "交易", "")] == [1, 11, 2, 6, 0]


def test_members_of_equal_topics_get_the_same_partitions_of_each() -> None:
    dealt = assign_ranges({3: ["a", "b"], 7: ["a", "b"], 9: ["b"]}, {"a": 12, "b": 12})
    assert dealt[3] == {("a", p) for p in range(6)} | {("b", p) for p in range(4)}
    assert dealt[7] == {("a", p) for p in range(6, 12)} | {("b", p) for p in range(4, 8)}
    assert dealt[9] == {("b", p) for p in range(8, 12)}


topics = st.sampled_from(["a", "b", "c"])


@given(st.dictionaries(st.integers(1, 50), st.sets(topics)), st.dictionaries(topics, st.integers(1, 20)))
def test_each_partition_has_one_reader_if_anybody_hears_its_topic(
    members: dict[int, set[str]], partitions: dict[str, int]
) -> None:
    dealt = assign_ranges({member: sorted(heard) for member, heard in members.items()}, partitions)
    for topic, count in partitions.items():
        shares = {member: {p for t, p in dealt[member] if t == topic} for member in members}
        hearers = [member for member in members if topic in members[member]]
        assert sorted(p for share in shares.values() for p in share) == (list(range(count)) if hearers else [])
        sizes = [len(shares[member]) for member in hearers]
        assert not sizes or max(sizes) - min(sizes) <= 1


def test_the_address_names_the_kind() -> None:
    assert isinstance(open_broker("memory:"), MemoryBroker)
    assert isinstance(open_broker("postgresql+psycopg://u:p@/db?host=/run/x"), PostgresBroker)
    with pytest.raises(UnknownBroker, match="'rabbit' is not a kind of broker"):
        open_broker("rabbit://h")
    with pytest.raises(ValueError, match="lease_s|invalid|option"):
        open_broker("postgresql://h/db?leese_s=3")


def test_settings_of_the_embedded_broker_stand_beside_those_of_libpq() -> None:
    settings = PostgresSettings.read(
        "postgresql://u:s%40crt@/broker?host=/run/x&lease_s=2.5&retention_s=60&partitions=4"
    )
    assert (settings.lease_s, settings.retention_s, settings.partitions) == (2.5, 60.0, 4)
    assert settings.address == "/run/x:5432/broker"
    assert "crt" not in settings.address + repr(settings)
    given = settings.conninfo_for("me")
    assert "password=s@crt" in given and "application_name=me" in given and "statement_timeout" in given
