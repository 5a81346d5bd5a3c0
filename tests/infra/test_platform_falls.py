"""The embedded platform killed in every part, stopped under load, started again, and refused to start."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.children import Process
from infra.cluster import Cluster
from infra.databases import libpq
from infra.folder import DataFolder
from tests.infra.place import Place, free_port, look_into, wait_until

pytestmark = pytest.mark.xdist_group("platform")


@pytest.mark.parametrize("child", ["worker", "streams", "web", "postgres", "stripe-sandbox"])
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
    assert look_into(cluster, "orders", "select count(*) from deal where state = 'completed'") == 1


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
