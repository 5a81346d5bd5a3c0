"""What only our use of kafka-python can get wrong."""

from __future__ import annotations

import logging
import logging.handlers
import os
import subprocess

import pytest

from chassis.brokers import BrokerDown
from chassis.brokers.kafka_settings import KafkaSettings, limit_log
from tests.brokers.stands import KafkaStand, count_heard, eventually, first_hearing, read, read_until

KEYS = [f"key-{number}" for number in range(24)]


def test_what_failed_is_not_delivered_behind_its_successors(
    kafka_stand: KafkaStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.brokers.kafka.PUBLISH_WITHIN_S", 0.5)
    kafka_stand.broker = broker = kafka_stand.open(delivery_timeout_ms=60_000)
    eventually(lambda: kafka_stand.publish(*[(key, 0) for key in KEYS]))
    producer = broker._producer
    with kafka_stand.outage(), pytest.raises(BrokerDown):
        kafka_stand.publish(*[(key, 1) for key in KEYS])
    assert not producer._sender.is_alive()
    monkeypatch.undo()
    eventually(lambda: kafka_stand.publish(*[(key, 2) for key in KEYS]))
    got = read_until(kafka_stand.subscribe(), lambda got: count_heard(got) >= 2 * len(KEYS))
    assert first_hearing(got) == {key: [0, 2] for key in KEYS}


def test_what_was_acknowledged_outlives_kill_minus_nine(kafka_stand: KafkaStand) -> None:
    restart = os.environ.get("HAIHE_TEST_KAFKA_RESTART", "")
    if not restart:
        pytest.skip(
            "no way to kill this Kafka: set HAIHE_TEST_KAFKA_RESTART to a shell command that kills -9 and starts it again"
        )
    kafka_stand.publish(*[(key, number) for number in range(20) for key in KEYS])
    subscription = kafka_stand.subscribe()
    got = read(subscription, 10 * len(KEYS), max_messages=20)
    subprocess.run(restart, shell=True, check=True, capture_output=True, timeout=120)
    eventually(lambda: kafka_stand.publish(*[(key, 20) for key in KEYS]))
    got += read_until(subscription, lambda more: count_heard([*got, *more]) == 21 * len(KEYS))
    assert first_hearing(got) == {key: list(range(21)) for key in KEYS}


def test_settings_are_named_as_in_kafka_python_and_typed_by_its_defaults() -> None:
    given = {"partitions": "3", "session_timeout_ms": "6000", "sasl_plain_password": "0123", "check_crcs": "false"}
    settings = KafkaSettings.read("a:1,b:2", given)
    assert settings.partitions == 3
    assert settings.given == {"session_timeout_ms": 6000, "sasl_plain_password": "0123", "check_crcs": False}
    with pytest.raises(ValueError, match="no setting sesion_timeout_ms"):
        KafkaSettings.read("a:1", {"sesion_timeout_ms": "1"})


def test_an_outage_writes_few_lines() -> None:
    limit_log()
    limit_log()
    written = logging.handlers.BufferingHandler(10_000)
    logging.getLogger().addHandler(written)
    for number in range(1000):
        logging.getLogger("kafka.said.by.this.test").error("line %s of this test", number)
    logging.getLogger().removeHandler(written)
    assert [line.getMessage() for line in written.buffer] == [f"line {number} of this test" for number in range(3)]
