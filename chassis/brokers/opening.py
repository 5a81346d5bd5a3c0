"""Opens a broker by its address, importing only what that kind needs."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from chassis.brokers import Broker


class UnknownBroker(ValueError):
    """The address names no kind of broker that there is."""


def open_broker(url: str) -> Broker:
    """A broker that is not connected yet. Raises UnknownBroker for another scheme, ValueError for a setting it does not know.

    ``memory:`` · ``postgresql://…/haihe_broker?lease_s=30&retention_s=604800&partitions=12``, with libpq's own parameters
    too · ``kafka://host:port,host:port?partitions=12&…`` with settings of kafka-python, such as ``security_protocol``.
    """
    scheme = url.partition(":")[0]
    if scheme == "memory":
        from chassis.brokers.memory import MemoryBroker

        return MemoryBroker()
    if scheme in ("postgresql", "postgresql+psycopg"):
        from chassis.brokers.postgres import PostgresBroker

        return PostgresBroker.at(url)
    if scheme == "kafka":
        from chassis.brokers.kafka import KafkaBroker

        parts = urlsplit(url)
        return KafkaBroker.at(parts.netloc, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))))
    raise UnknownBroker(f"{scheme!r} is not a kind of broker: use memory:, postgresql://… or kafka://host:port")
