"""What Prometheus is told of HTTP: requests and latency by service and route template, never by a path with an id.

With ``PROMETHEUS_MULTIPROC_DIR`` set (before this is imported) all processes of a machine add up in one page; whoever
starts them wipes that folder first.
"""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
REQUESTS = Counter("haihe_http_requests", "Requests answered.", ("service", "method", "route", "status"))
LATENCY = Histogram("haihe_http_latency_seconds", "Time to answer.", ("service", "method", "route"), buckets=BUCKETS_S)
BUGS = Counter("haihe_http_bugs", "Requests that ended in an exception that is no Problem.", ("service", "route"))


class RouteMetrics:
    """Counts one route; looks each label up once."""

    __slots__ = ("_by_status", "_labels", "_latency")

    def __init__(self, *, service: str, method: str, route: str) -> None:
        self._labels = (service, method, route)
        self._latency = LATENCY.labels(service, method, route)
        self._by_status: dict[int, Counter] = {}

    def count(self, status: int, seconds: float) -> None:
        """One request was answered with this status after this time."""
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = REQUESTS.labels(*self._labels, str(status))
        counter.inc()
        self._latency.observe(seconds)


def write_metrics() -> tuple[bytes, str]:
    """The page that Prometheus reads, and its content type."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
