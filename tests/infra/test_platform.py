"""The embedded platform as real processes: started, killed in every part, started twice, stopped under load, checked."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import pytest

from chassis.brokers import Message
from chassis.brokers.opening import open_broker
from chassis.envelope import Envelope
from events.catalog import PieceDescribed
from infra.children import Process
from infra.cluster import Cluster
from infra.databases import libpq
from infra.environment import platform_environment
from infra.folder import DataFolder
from infra.programs import database_user, may_pass

pytestmark = pytest.mark.xdist_group("platform")


@dataclass
class Run:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """Its answer."""
        return json.loads(self.out)


@dataclass
class Place:
    """A data folder and a port, with the commands that work on them."""

    data: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def haihe(self, *words: str, timeout_s: float = 240.0) -> Run:
        command = [sys.executable, "-m", "infra.cli", *words, "--data", str(self.data), "--port", str(self.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        return Run(done.returncode, done.stdout, done.stderr)

    def pid(self, child: str) -> int:
        return DataFolder(self.data).read_state()["children"][child]["pid"]

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def restarted(self, child: str, before: int) -> bool:
        return self.pid(child) not in (before, None) and self.ready()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(holds: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s for {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A platform with the steel trade played on it; left running or not by each test, run again where a test needs it."""
    folder = Path(tempfile.mkdtemp(prefix="haihe-platform-"))
    folder.chmod(0o711)
    place = Place(folder / "data", free_port())
    try:
        started = place.haihe("up", "--demo", "--detach")
        assert started.code == 0, started.err
        yield place
    finally:
        place.haihe("down")
        wiped = place.haihe("wipe")
    assert wiped.code == 0, wiped.err
    shutil.rmtree(folder)


@pytest.fixture
def up(place: Place) -> Place:
    if DataFolder(place.data).holder() is None:
        started = place.haihe("up", "--detach")
        assert started.code == 0, started.err
    wait_until(place.ready, "it to be ready")
    return place


def test_it_is_ready_and_says_so(up: Place) -> None:
    status = up.haihe("status", "--json")
    assert status.code == 0
    assert {child["running"] for child in status.json["children"].values()} == {True}
    services = {one["service"]: one["loops"] for one in status.json["readiness"]["services"]}
    assert set(services) == {"identity", "catalog", "orders", "settlement", "logistics"}
    assert all({"relay", "facts", "housekeeping"} <= set(loops) for loops in services.values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")
def test_what_root_starts_does_not_run_as_root(up: Place) -> None:
    user = database_user()
    if not may_pass(Path(sys.executable).resolve().parent, user):
        pytest.skip("this Python is where nobody but root can reach it")
    for child in ("postgres", "worker", "web"):
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


@pytest.mark.parametrize("child", ["worker", "web", "postgres", "stripe-sandbox"])
def test_a_killed_child_is_started_again(up: Place, child: str) -> None:
    before = up.pid(child)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: up.restarted(child, before), f"{child} to come back")
    wait_until(lambda: up.haihe("status").code == 0, "every loop to have got over it")


def test_a_request_waits_while_the_web_server_is_started_again(up: Place) -> None:
    before = up.pid("web")
    family = [before, *(one.pid for one in psutil.Process(before).children(recursive=True))]
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    with urllib.request.urlopen(f"{up.url}/health", timeout=60) as answer:
        assert answer.status == 200
    wait_until(lambda: up.restarted("web", before), "the web server to come back")


def test_a_killed_supervisor_leaves_nothing_that_the_next_start_stumbles_over(up: Place) -> None:
    supervisor = DataFolder(up.data).holder()
    os.kill(supervisor, signal.SIGKILL)
    started = up.haihe("up", "--detach")
    assert started.code == 0, started.err
    assert up.ready()
    assert up.haihe("check", "--settled").code == 0


def test_stopping_finishes_what_was_accepted(up: Place) -> None:
    """Many callers keep asking while it stops: every request is answered or was never accepted, none is cut off."""
    outcomes: list[str] = []
    stopping = threading.Event()

    def ask() -> None:
        while True:
            try:
                with urllib.request.urlopen(f"{up.url}/v1/keys", timeout=30) as answer:
                    outcomes.append("ok" if answer.status == 200 and json.loads(answer.read()) else "odd")
            except urllib.error.URLError as error:
                # Refused: the port is closed. Reset before a byte of an answer: it lay in the queue and was never accepted.
                never = isinstance(error.reason, (ConnectionRefusedError, ConnectionResetError))
                outcomes.append("never accepted" if never and stopping.is_set() else f"lost: {error}")
                return
            except (OSError, ValueError) as error:
                outcomes.append("never accepted" if stopping.is_set() and "reset" in str(error) else f"lost: {error!r}")
                return

    callers = [threading.Thread(target=ask) for _ in range(8)]
    for caller in callers:
        caller.start()
    wait_until(lambda: outcomes.count("ok") > 50, "some answers")
    stopping.set()
    stopped = up.haihe("down")
    for caller in callers:
        caller.join()
    assert stopped.code == 0, stopped.err
    assert set(outcomes) == {"ok", "never accepted"}
    assert outcomes.count("never accepted") == len(callers)
    assert up.haihe("down").code == 8


def test_the_next_start_finds_everything(place: Place) -> None:
    place.haihe("down")
    with_database = place.haihe("check", "--json")
    assert with_database.json["broken"] == []
    cluster = Cluster(place.data)
    assert place.haihe("up", "--detach").code == 0
    assert _scalar(cluster, "orders", "select count(*) from deal where state = 'completed'") == 1


def _scalar(cluster: Cluster, database: str, query: str) -> object:
    with psycopg.connect(libpq(cluster.superuser_url(database))) as connection:
        return connection.execute(query).fetchone()[0]


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
    asked = {
        name: process.environ() for name, process in (("web", _child(up, "web")), ("worker", _child(up, "worker")))
    }
    pool = int(asked["web"]["HAIHE_POOL_SIZE"])
    processes = len(_child(up, "web").children()) + 1
    most = int(_scalar(cluster, "orders", "show max_connections")) - int(
        _scalar(cluster, "orders", "show superuser_reserved_connections")
    )
    brokers = int(_scalar(cluster, "orders", "select count(*) from pg_stat_activity where datname = 'broker'"))
    assert 5 * processes * pool + brokers < most


def _child(up: Place, name: str) -> psutil.Process:
    return psutil.Process(up.pid(name))


def test_postgresql_listens_on_no_network(up: Place) -> None:
    postmaster = _child(up, "postgres")
    family = [postmaster, *postmaster.children(recursive=True)]
    assert [
        connection
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == "LISTEN"
    ] == []


def test_a_database_of_a_newer_version_is_refused_and_left_alone(place: Place) -> None:
    place.haihe("down")
    cluster = Cluster(place.data)
    cluster.start()
    with psycopg.connect(libpq(cluster.superuser_url("orders")), autocommit=True) as connection:
        connection.execute("insert into alembic_version values ('orders_9999')")
    cluster.stop()
    refused = place.haihe("up")
    assert refused.code == 5
    assert "orders" in refused.err and "orders_9999" in refused.err
    cluster.start()
    with psycopg.connect(libpq(cluster.superuser_url("orders")), autocommit=True) as connection:
        connection.execute("delete from alembic_version where version_num = 'orders_9999'")
    cluster.stop()


def test_commands_on_an_empty_folder_say_what_to_do(tmp_path: Path) -> None:
    nowhere = Place(tmp_path / "none", free_port())
    for words in (["status"], ["down"], ["check"], ["dead", "list"]):
        refused = nowhere.haihe(*words)
        assert refused.code == 8, refused
        assert refused.err.startswith("haihe: ") and "Traceback" not in refused.err


def test_data_that_no_demo_made_get_no_sample_users(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "real")
    folder.make()
    (folder.path / "postgres").mkdir()
    refused = Place(folder.path, free_port()).haihe("up", "--demo")
    assert refused.code == 14
    assert not folder.is_sample


def test_sample_secrets_are_refused_in_earnest(tmp_path: Path) -> None:
    process = Process(
        [sys.executable, "-m", "infra.cli", "worker", "orders"],
        environ={**os.environ, "HAIHE_STRIPE_KEY": "sk_test_sample_x"},
        log=tmp_path / "log",
    )
    process.start()
    assert process.process.wait(60) == 12
    assert "sample" in (tmp_path / "log").read_text()
