"""One stand a kind of broker. Kafka's address is HAIHE_TEST_KAFKA."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cluster import Cluster
from tests.brokers.stands import KafkaStand, MemoryStand, PostgresStand, Stand, make_postgres_name


def require_kafka() -> str:
    """Kafka's address; skips without one, or fails where engines are required."""
    address = os.environ.get("HAIHE_TEST_KAFKA", "")
    if not address:
        line = "no Kafka to test with: set HAIHE_TEST_KAFKA=host:port"
        if os.environ.get("HAIHE_REQUIRE_ENGINES") == "1":
            pytest.fail(line)
        pytest.skip(line)
    return address


@pytest.fixture(scope="module")
def broker_database(cluster: Cluster) -> Iterator[str]:
    """A database for the broker."""
    name = make_postgres_name()
    cluster.create_database(name)
    yield name
    cluster.drop_database(name)


@pytest.fixture(params=["memory", "postgres", "kafka"])
def stand(request: pytest.FixtureRequest) -> Stand:
    """Each kind of broker in turn."""
    return request.getfixturevalue(f"{request.param}_stand")


@pytest.fixture
def memory_stand() -> Iterator[MemoryStand]:
    """The memory broker."""
    stand = MemoryStand()
    yield stand
    stand.close()


@pytest.fixture
def postgres_stand(cluster: Cluster, broker_database: str) -> Iterator[PostgresStand]:
    """The embedded broker."""
    stand = PostgresStand(cluster, broker_database)
    yield stand
    stand.close()


@pytest.fixture
def kafka_stand() -> Iterator[KafkaStand]:
    """A real Kafka."""
    stand = KafkaStand(require_kafka())
    yield stand
    stand.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One after the other: they kill the Kafka that they share."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("kafka"))
