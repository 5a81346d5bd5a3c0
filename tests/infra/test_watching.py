"""What watches the platform asks for metrics that there are: the dashboard and the alerts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest

from chassis import metrics, worker
from infra.assembly import load_services

INFRA = Path(__file__).resolve().parents[2] / "infra"
DASHBOARD = json.loads((INFRA / "grafana" / "haihe.json").read_text())
METRIC = re.compile(r"\bhaihe_[a-z_]+")


def exposed() -> set[str]:
    """Every name on a page of /metrics whose processes have done something of everything."""
    assert metrics.REQUESTS and worker.LAG and load_services()
    typed = re.findall(r"^# TYPE (haihe_\w+) (\w+)$", generate_latest(REGISTRY).decode(), re.MULTILINE)
    return {
        name + part
        for name, kind in typed
        for part in ("", "_bucket", "_sum", "_count")[: 4 if kind == "histogram" else 1]
    }


def expressions() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    yield from re.findall(r"expr: (.+)", (INFRA / "prometheus" / "rules.yml").read_text())


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_metric_that_is_asked_for_is_there(expression: str) -> None:
    assert set(METRIC.findall(expression)) <= exposed()


def test_the_dashboard_shows_what_an_operator_watches() -> None:
    shown = set(METRIC.findall(" ".join(expressions())))
    assert shown >= {
        "haihe_http_requests_total",
        "haihe_http_latency_seconds_bucket",
        "haihe_outbox_waiting",
        "haihe_consumer_lag",
        "haihe_parked_keys",
        "haihe_loop_beat_seconds",
        "haihe_balance_minor",
    }


def test_every_panel_reads_the_source_that_is_provisioned() -> None:
    source = (INFRA / "grafana/provisioning/datasources/prometheus.yaml").read_text()
    uids = {part["datasource"]["uid"] for panel in DASHBOARD["panels"] for part in (panel, *panel["targets"])}
    assert [f"uid: {uid}" in source for uid in uids] == [True]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
