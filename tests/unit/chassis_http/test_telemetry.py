"""Ids that run through everything, lines of JSON, and what Prometheus reads."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from flask import Blueprint
from prometheus_client import REGISTRY

from chassis import metrics, telemetry
from chassis.http import View, query
from chassis.problems import Unavailable
from chassis.settings import BadSetting

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
routes = Blueprint("traced", __name__)


class Ids(View):
    request_id: str | None
    traceparent: str | None


@routes.get("/v1/ids/<name>")
@query(public=True)
def show_ids(name: str) -> Ids:
    """Say which ids an event would carry."""
    if name == "none":
        raise Unavailable()
    return Ids(request_id=telemetry.current_request_id(), traceparent=telemetry.current_traceparent())


def test_the_ids_of_a_request_are_those_of_what_it_does(client_of) -> None:
    client = client_of(routes)
    answer = client.get("/v1/ids/a", headers={"X-Request-Id": "abc", "traceparent": TRACE})
    assert answer.json == {"request_id": "abc", "traceparent": TRACE}
    assert telemetry.current_request_id() is None
    made_up = client.get("/v1/ids/a", headers={"traceparent": "00-0-0-01"}).json
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made_up["traceparent"])
    assert made_up["request_id"] != client.get("/v1/ids/a").json["request_id"]


def test_an_event_goes_on_under_its_ids() -> None:
    with telemetry.continued("abc", TRACE):
        assert (telemetry.current_request_id(), telemetry.current_traceparent()) == ("abc", TRACE)
        with telemetry.continued(None, None):
            assert telemetry.current_request_id() not in (None, "abc")
    assert (telemetry.current_request_id(), telemetry.current_traceparent()) == (None, None)


def test_requests_are_counted_by_template(client_of) -> None:
    def count(status: str) -> float:
        labels = {"service": "things", "method": "GET", "route": "/v1/ids/<name>", "status": status}
        return REGISTRY.get_sample_value("haihe_http_requests_total", labels) or 0

    before = count("200"), count("503")
    client = client_of(routes)
    for name in ("a", "b", "none"):
        client.get(f"/v1/ids/{name}")
    assert (count("200"), count("503")) == (before[0] + 2, before[1] + 1)
    page, content_type = metrics.write_metrics()
    assert b'haihe_http_latency_seconds_bucket{le="0.005"' in page and content_type.startswith("text/plain")
    assert b"/v1/ids/a" not in page


def test_processes_add_up_in_one_page(tmp_path) -> None:
    code = (
        "from chassis import metrics\n"
        "metrics.RouteMetrics(service='s', method='GET', route='/r').count(200, 0.001)\n"
        "print(metrics.write_metrics()[0].decode())"
    )
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path)}
    for expected in ("1.0", "2.0"):
        page = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
        ).stdout
        assert f'haihe_http_requests_total{{method="GET",route="/r",service="s",status="200"}} {expected}' in page


def test_lines_are_json_with_the_ids() -> None:
    code = """
import logging, structlog
from chassis import telemetry
telemetry.configure_logging(process="orders-web")
with telemetry.continued("abc", None):
    structlog.get_logger("mine").warning("something", deal="deal_1")
    logging.getLogger("other").info("plain %s", "words")
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger("mine").exception("broken")
telemetry.log_request(telemetry.Trace("r", None), "orders", "POST", "/v1/offers", 201, 0.0123)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[0]["event"] == "something" and lines[0]["deal"] == "deal_1" and lines[0]["level"] == "warning"
    assert lines[1]["event"] == "plain words" and lines[1]["process"] == "orders-web"
    assert {line["request_id"] for line in lines[:3]} == {"abc"}
    assert "ZeroDivisionError" in lines[2]["exception"]
    assert (lines[3]["route"], lines[3]["status"], lines[3]["ms"]) == ("/v1/offers", 201, 12.3)
    assert len(lines) == 4


def test_a_level_that_there_is_not_is_named() -> None:
    with pytest.raises(BadSetting, match="HAIHE_LOG_LEVEL.*'loud'"):
        telemetry.configure_logging(process="orders-web", level="loud")
