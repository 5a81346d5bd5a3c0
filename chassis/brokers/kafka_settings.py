"""How Kafka is reached: settings of kafka-python by client, what its errors mean, and its log kept short."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from chassis.brokers import DEFAULT_PARTITIONS, RETENTION_S, BrokerDown

_COMMON = {
    "request_timeout_ms": 10_000,
    "bootstrap_timeout_ms": 5_000,
    "reconnect_backoff_max_ms": 1_000,
    "metrics_enabled": False,
}
_PRODUCER = {
    "acks": "all",
    "enable_idempotence": True,
    "allow_auto_create_topics": False,
    "linger_ms": 2,
    "batch_size": 1 << 18,
    "max_block_ms": 5_000,
    "delivery_timeout_ms": 15_000,
}
_CONSUMER = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "allow_auto_create_topics": False,
    "session_timeout_ms": 15_000,
    "heartbeat_interval_ms": 3_000,
    "max_poll_interval_ms": 120_000,
}
_KNOWN = KafkaAdminClient.DEFAULT_CONFIG | KafkaProducer.DEFAULT_CONFIG | KafkaConsumer.DEFAULT_CONFIG


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Bootstrap servers, what topics are made with, and settings that the operator gives to kafka-python."""

    servers: str
    partitions: int = DEFAULT_PARTITIONS
    replication_factor: int = -1
    retention_s: float = RETENTION_S
    given: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, servers: str, given: Mapping[str, str]) -> KafkaSettings:
        """From ``host:port,host:port`` and names with their values as text. Raises ValueError for a name that is not known."""
        rest = dict(given)
        kinds = {"partitions": int, "replication_factor": int, "retention_s": float}
        own = {name: kind(rest.pop(name)) for name, kind in kinds.items() if name in rest}
        if unknown := sorted(rest.keys() - _KNOWN.keys()):
            raise ValueError(f"kafka-python has no setting {', '.join(unknown)}")
        return cls(servers, given={name: _as_kind_of(_KNOWN[name], text) for name, text in rest.items()}, **own)

    def make_admin(self) -> KafkaAdminClient:
        """A connected admin client. Raises KafkaError."""
        return KafkaAdminClient(**self._for(KafkaAdminClient, {}))

    def make_producer(self) -> KafkaProducer:
        """A connected idempotent producer. Raises KafkaError."""
        return KafkaProducer(**self._for(KafkaProducer, _PRODUCER))

    def make_consumer(self, group: str | None, member: str) -> KafkaConsumer:
        """A connected consumer, of a group or of none, that commits only when told to and never jumps to another offset by
        itself. Raises KafkaError.
        """
        return KafkaConsumer(**self._for(KafkaConsumer, _CONSUMER), group_id=group, client_id=member)

    def _for(self, client: type, ours: dict[str, Any]) -> dict[str, Any]:
        limit_log()
        wanted = _COMMON | ours | self.given | {"bootstrap_servers": self.servers.split(",")}
        return {name: value for name, value in wanted.items() if name in client.DEFAULT_CONFIG}


def _as_kind_of(default: Any, text: str) -> Any:
    if isinstance(default, bool):
        return text.lower() in ("true", "1", "yes")
    return type(default)(text) if isinstance(default, int | float) else text


@contextmanager
def broker_down() -> Iterator[None]:
    """Turn what kafka-python raises into BrokerDown."""
    try:
        yield
    except KafkaError as error:
        raise BrokerDown(f"{type(error).__name__}: {error}") from error


class _LimitedHandler(logging.Handler):
    """Passes on a few records of each kind every while, for an outage makes kafka-python write thousands."""

    MOST = 3
    EVERY_S = 30.0

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[tuple[str, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record to the root's handlers, or count it."""
        kind = (record.name, record.lineno)
        began, count = self._windows.get(kind, (0.0, 0))
        now = time.monotonic()
        if not began or now - began > self.EVERY_S:
            if count > self.MOST:
                record.msg, record.args = (
                    f"{record.getMessage()} ({count - self.MOST} more like it were left out)",
                    None,
                )
            began, count = now, 0
        self._windows[kind] = (began, count + 1)
        if count < self.MOST:
            logging.getLogger().handle(record)


def limit_log() -> None:
    """Let kafka-python's loggers write warnings and worse only, and few of a kind; doing it again changes nothing."""
    logger = logging.getLogger("kafka")
    if not any(isinstance(handler, _LimitedHandler) for handler in logger.handlers):
        logger.addHandler(_LimitedHandler())
        logger.propagate = False
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
