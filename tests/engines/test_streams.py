"""The process of streams on a real Kafka: every process hears everything, and an outage loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.streams.limits import Limits
from tests.brokers.conftest import require_kafka
from tests.brokers.stands import KafkaStand, eventually
from tests.streams.conftest import Process, gate, judged, process, stopped, warehouse  # noqa: F401
from tests.world import Client

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture
def stand() -> Iterator[KafkaStand]:
    """A real Kafka, through a proxy that can be cut."""
    stand = KafkaStand(require_kafka())
    yield stand
    stand.close()


def test_displays_at_two_processes_hear_the_same(
    process: Process,  # noqa: F811
    warehouse: Client,  # noqa: F811
    gate: dict[str, Any],  # noqa: F811
) -> None:
    path = f"/v1/streams/gates/{gate['id']}"
    other = Process(process.world, process.stand, process.identity_url)
    with other.running(Limits()):
        displays = [process.listen(path, warehouse), other.listen(path, warehouse)]
        process.say(*(judged(gate, number) for number in range(20)))
        for display in displays:
            heard = [display.next_of("gate_judged").data["passage_id"] for _ in range(20)]
            assert heard == [f"passage_{number}" for number in range(20)]
        other.close()


def test_an_outage_is_told_and_nothing_is_lost(
    process: Process,  # noqa: F811
    warehouse: Client,  # noqa: F811
    gate: dict[str, Any],  # noqa: F811
) -> None:
    display = process.listen(f"/v1/streams/gates/{gate['id']}", warehouse)
    process.say(judged(gate, 1))
    assert display.next_of("gate_judged").data["passage_id"] == "passage_1"
    with process.stand.outage():
        while display.next_of("feed").data != {"state": "down"}:
            pass
    assert display.next_of("feed").data == {"state": "up"}
    eventually(lambda: process.say(judged(gate, 2)))
    assert display.next_of("gate_judged").data["passage_id"] == "passage_2"
