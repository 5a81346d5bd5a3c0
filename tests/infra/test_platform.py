"""The embedded platform as real processes: what it answers, what its commands do, and how it is set up."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from chassis.brokers import Message
from chassis.brokers.opening import open_broker
from chassis.envelope import Envelope
from events.catalog import PieceDescribed
from infra.cluster import Cluster
from infra.environment import platform_environment
from infra.folder import DataFolder
from infra.programs import database_user, may_pass
from tests.infra.place import Place, free_port, look_into, wait_until

pytestmark = pytest.mark.xdist_group("platform")


def test_it_is_ready_and_says_so(up: Place) -> None:
    status = up.haihe("status", "--json")
    assert status.code == 0
    assert {child["running"] for child in status.json["children"].values()} == {True}
    services = {one["service"]: one["loops"] for one in status.json["readiness"]["services"]}
    assert services.pop("streams") == {"feed": "ok"}
    assert set(services) == {"identity", "catalog", "orders", "settlement", "logistics"}
    assert all({"relay", "facts", "housekeeping"} <= set(loops) for loops in services.values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")
def test_what_root_starts_does_not_run_as_root(up: Place) -> None:
    user = database_user()
    if not may_pass(Path(sys.executable).resolve().parent, user):
        pytest.skip("this Python is where nobody but root can reach it")
    for child in ("postgres", "worker", "streams", "web"):
        family = [psutil.Process(up.pid(child)), *psutil.Process(up.pid(child)).children(recursive=True)]
        assert {(one.uids().effective, one.uids().saved, one.gids().real) for one in family} == {
            (user.pw_uid, user.pw_uid, user.pw_gid)
        }
    assert {path.stat().st_uid for path in (up.data / "index").rglob("*")} == {user.pw_uid}
    assert {path.stat().st_uid for path in (up.data / "secrets").rglob("*")} == {0}


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/health", "/ready", "/metrics"])
def test_its_pages_answer(up: Place, path: str) -> None:
    with urllib.request.urlopen(up.url + path, timeout=10) as answer:
        assert answer.status == 200
        page = answer.read()
    assert b"http://" not in page.replace(up.url.encode(), b"") or path in ("/openapi.json", "/metrics")


def test_what_the_dashboard_asks_for_is_measured(up: Place) -> None:
    dashboard = (Path(__file__).resolve().parents[2] / "infra" / "grafana" / "haihe.json").read_text()
    only_in_trouble = {"haihe_http_bugs_total", "haihe_loop_failures_total"}
    wanted = set(re.findall(r"\bhaihe_[a-z_]+", dashboard)) - only_in_trouble

    def measured() -> set[str]:
        with urllib.request.urlopen(f"{up.url}/metrics", timeout=10) as page:
            return set(re.findall(r"^(haihe_\w+)[{ ]", page.read().decode(), re.MULTILINE))

    assert wanted
    wait_until(lambda: wanted <= measured(), "every metric to be on the page")


def test_an_unknown_address_is_a_problem_document(up: Place) -> None:
    for path in ("/nothing", "/v1/nothing"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(up.url + path, timeout=10)
        assert refused.value.status == 404
        assert refused.value.headers["Content-Type"] == "application/problem+json"


def test_the_demo_was_played_and_nothing_is_broken(up: Place) -> None:
    samples = json.loads((up.data / "sample.json").read_text())
    assert len(samples["played"]) == 1
    checked = up.haihe("check", "--settled", "--json")
    assert (checked.code, checked.json["broken"]) == (0, [])


def test_a_second_start_on_the_same_data_is_refused(up: Place) -> None:
    before = up.pid("postgres")
    again = Place(up.data, free_port()).haihe("up")
    assert again.code == 7
    assert "already runs" in again.err and "haihe down" in again.err
    assert up.ready() and up.pid("postgres") == before


def test_a_port_that_is_taken_is_named_and_nothing_is_made(up: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", up.port)
    refused = other.haihe("up")
    assert refused.code == 3
    assert str(up.port) in refused.err and "--port" in refused.err
    assert not (other.data / "postgres").exists()
    as_json = other.haihe("up", "--json")
    assert as_json.json["code"] == 3


def test_a_message_that_cannot_be_handled_is_listed_shown_replayed_and_dropped(up: Place) -> None:
    broker = open_broker(platform_environment(DataFolder(up.data), Cluster(up.data), port=up.port)["HAIHE_BROKER"])
    envelope = Envelope(
        id="event_planted", type=PieceDescribed.type, source="/catalog", time=datetime.now(UTC), subject="piece_planted"
    )
    broker.publish([Message("catalog", "piece_planted", b'{"nonsense": 1}', envelope.headers())])
    broker.close()
    wait_until(lambda: len(up.haihe("dead", "list", "--json").json) >= 2, "the message to be parked")
    parked = {(key["group"], key["topic"], key["key"]) for key in up.haihe("dead", "list", "--json").json}
    assert ("orders", "catalog", "piece_planted") in parked
    assert [one["name"] for one in up.haihe("check", "--grace", "5", "--json").json["broken"]] == [
        "nothing_parked"
    ] * len(parked)
    words = ("orders", "catalog", "piece_planted")
    shown = up.haihe("dead", "show", *words, "--json").json
    assert [(one["headers"]["ce_id"], one["value"]) for one in shown] == [("event_planted", '{"nonsense": 1}')]
    failed = up.haihe("dead", "replay", *words, "--why", "to see it fail")
    assert failed.code != 0 and "Traceback" not in failed.err
    assert len(up.haihe("dead", "show", *words, "--json").json) == 1
    for group, topic, key in parked:
        assert up.haihe("dead", "drop", group, topic, key, "--why", "it was planted").code == 0
    assert up.haihe("dead", "list").out.strip() == "Nothing is set aside."
    logged = (up.data / "logs" / "operator.log").read_text()
    assert '"why":"to see it fail"' in logged and '"why":"it was planted"' in logged and '"who":' in logged
    assert up.haihe("dead", "drop", *words, "--why", "again").code == 1


def test_an_operator_made_by_hand_may_log_in(up: Place) -> None:
    made = up.haihe("operator", "create", "second@example.com", "--name", "Second", "--json")
    assert made.code == 0, made.err
    body = json.dumps({"email": "second@example.com", "password": made.json["password"]}).encode()
    asked = urllib.request.Request(f"{up.url}/v1/sessions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert json.loads(answer.read())["roles"] == ["operator"]
    again = up.haihe("operator", "create", "second@example.com")
    assert again.code == 1 and "Traceback" not in again.err


def test_a_speaker_says_everything_again(up: Place) -> None:
    assert up.haihe("republish", "orders", "offer", "--json").json == {"republished": 1}
    wrong = up.haihe("republish", "orders", "unicorns")
    assert wrong.code == 1 and "offer" in wrong.err
    assert up.haihe("check", "--settled").code == 0


def test_postgresql_has_room_for_all_pools(up: Place) -> None:
    cluster = Cluster(up.data)
    asked = {name: process.environ() for name, process in (("web", up.child("web")), ("worker", up.child("worker")))}
    pool = int(asked["web"]["HAIHE_POOL_SIZE"])
    processes = len(up.child("web").children()) + 1
    most = int(look_into(cluster, "orders", "show max_connections")) - int(
        look_into(cluster, "orders", "show superuser_reserved_connections")
    )
    brokers = int(look_into(cluster, "orders", "select count(*) from pg_stat_activity where datname = 'broker'"))
    assert 5 * processes * pool + brokers < most


def test_postgresql_listens_on_no_network(up: Place) -> None:
    postmaster = up.child("postgres")
    family = [postmaster, *postmaster.children(recursive=True)]
    assert [
        connection
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == "LISTEN"
    ] == []
