"""What processes are told, the sum of the pools, the files that are generated, and a disk that is full."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from chassis.brokers import BrokerDown
from chassis.openapi import list_operations
from gateway.nginx import render_template
from gateway.readiness import FRESH, judge_loops
from gateway.upstreams import ask_services
from infra import cluster, environment, streams, work
from infra.assembly import load_services
from infra.capacity import Capacity
from infra.cli import main
from infra.cluster import Cluster
from infra.failures import DatabaseUnreachable, DiskFull, Failure, PortTaken
from infra.folder import DataFolder
from infra.ports import listening
from infra.stack_secrets import make_stack_secrets

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("web_workers", [1, 2, 4])
def test_all_pools_fit_below_max_connections(web_workers: int) -> None:
    capacity = Capacity(web_workers=web_workers)
    pools_of_services = 5 * capacity.pool_size * (web_workers + 1)
    brokers = 5 * (2 * web_workers + 4)
    streams = 4 + 1
    assert capacity.connections == pools_of_services + brokers + streams
    assert capacity.max_connections >= capacity.connections + 20


def test_settings_of_the_caller_do_not_reach_the_platform() -> None:
    base = {
        "HAIHE_ORDERS_DATABASE_FILE": "/elsewhere",
        "HAIHE_BROKER": "kafka://x",
        "HAIHE_SMTP": "smtp://mail",
        "PATH": "/bin",
    }
    merged = environment.merge_environment(base, {"HAIHE_ORDERS_DATABASE": "ours", "HAIHE_BROKER": "ours"})
    assert merged == {
        "HAIHE_ORDERS_DATABASE": "ours",
        "HAIHE_BROKER": "ours",
        "HAIHE_SMTP": "smtp://mail",
        "PATH": "/bin",
    }


def test_gauges_of_the_dead_are_forgotten_and_all_else_stays(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    kept = {f"gauge_max_{os.getpid()}.db", f"counter_{dead.pid}.db", f"histogram_{dead.pid}.db"}
    for name in (*kept, f"gauge_max_{dead.pid}.db"):
        (tmp_path / name).touch()
    environment.forget_dead_gauges(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_only_a_metrics_folder_is_removed(tmp_path: Path) -> None:
    made = environment.make_metrics_folder()
    environment.drop_metrics_folder(str(made))
    environment.drop_metrics_folder(tmp_path)
    environment.drop_metrics_folder(None)
    assert not made.exists()
    assert tmp_path.exists()


def test_sample_secrets_can_be_told_by_their_beginning(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.make()
    told = environment.sandbox_environment(folder, 12111)
    key = Path(told["HAIHE_STRIPE_KEY_FILE"]).read_text().strip()
    assert key.startswith("sk_test_sample_")
    assert environment.sandbox_environment(folder, 12111) == told
    assert Path(told["HAIHE_STRIPE_KEY_FILE"]).read_text().strip() == key


def test_the_nginx_template_is_what_the_services_declare() -> None:
    assert (ROOT / "infra/nginx/haihe.conf.template").read_text() == render_template(load_services()), "run `make docs`"


def test_nginx_holds_who_may_guess_without_a_token_to_a_rate() -> None:
    """Every command without a token, apart from what its sender signs, is sent to a location with the limit."""
    locations = re.findall(r"location ~ (\S+) {\n(.*?)\n    }", render_template(load_services()), re.DOTALL)
    signed = {"/v1/card-events"}
    open_to_all = {one.path for one in list_operations(load_services()) if one.route.public and one.route.is_command}
    assert open_to_all > signed | {"/v1/sessions", "/v1/sessions/refresh", "/v1/tokens", "/v1/passwords"}
    for path in open_to_all:
        first = next(said for pattern, said in locations if re.match(pattern, path))
        assert ("limit_req zone=tries" in first) == (path not in signed), path
    for path, zones in (
        ("/v1/streams/gates/gate_1", ["tickets"]),
        ("/epcis/v2/events", ["tickets"]),
        ("/epcis/v2/epcs", []),
        ("/dl/01/1", ["pages"]),
    ):
        first = next(said for pattern, said in locations if re.match(pattern, path))
        assert re.findall(r"limit_req zone=(\w+)", first) == zones, path


def test_stack_secrets_are_made_once_and_addresses_follow(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_stack_secrets(folder, postgres="postgres:5432")
    first = {path.name: path.read_text() for path in folder.iterdir()}
    make_stack_secrets(folder, postgres="elsewhere:6000")
    second = {path.name: path.read_text() for path in folder.iterdir()}
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {name for name in first if "_database" in name} | {"postgres_url"}
    assert second["orders_database"] == first["orders_database"].replace(
        "host=postgres&port=5432", "host=elsewhere&port=6000"
    )
    assert folder.stat().st_mode & 0o077 == 0
    assert "PRIVATE" not in second["verify_key"] and "PRIVATE" in second["signing_key"]


def test_stack_secrets_name_an_mqtt_broker_where_there_is_one(tmp_path: Path) -> None:
    make_stack_secrets(tmp_path, postgres="postgres:5432")
    assert (tmp_path / "mqtt").read_text() == ""
    make_stack_secrets(tmp_path, postgres="postgres:5432", mqtt="mosquitto:1883")
    first = (tmp_path / "mqtt").read_text()
    assert re.fullmatch(r"mqtt://haihe:\S{20,}@mosquitto:1883\n", first)
    make_stack_secrets(tmp_path, postgres="postgres:5432")
    assert (tmp_path / "mqtt").read_text() == first
    with pytest.raises(Failure, match="--mqtt must be HOST:PORT"):
        make_stack_secrets(tmp_path, postgres="postgres:5432", mqtt="mosquitto")


def test_a_service_that_does_not_speak_http_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1_000)
                connection.sendall(b"nonsense\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        (found,) = ask_services({"streams": address})
        thread.join()
    assert (found.ready, found.problem) == (False, f"{address} does not answer: nonsense\r\n")


def test_a_loop_is_ready_when_it_comes_round_in_one_living_worker() -> None:
    late = NOW - FRESH - timedelta(seconds=1)
    rows = [
        ("one", "relay", NOW, None),
        ("one", "facts", NOW, "BrokerDown: refused"),
        ("one", "timers", late, None),
        ("two", "facts", NOW, None),
        ("dead", "errands", late, None),
    ]
    said = judge_loops(rows, NOW)
    assert said == {"relay": "ok", "facts": "ok", "timers": f"has not come round since {late:%H:%M:%S} UTC"}
    assert set(judge_loops([], NOW)) == {"worker"}


def test_a_port_of_a_single_process_that_is_taken_is_named() -> None:
    with listening(0, option="") as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} .* --port"):
            streams.listen("127.0.0.1", port)
        with pytest.raises(PortTaken, match=f"Port {port} .* --status-port"):
            work._serve(("127.0.0.1", port), [])


def test_a_full_disk_is_found_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 0))
    with pytest.raises(DiskFull, match="Make room"):
        Cluster(tmp_path / "data").start()
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        ("FATAL: could not write lock file: No space left on device", DiskFull),
        ("FATAL: pre-existing shared memory block (key 1) is still in use", DatabaseUnreachable),
        ("FATAL: something else", DatabaseUnreachable),
    ],
)
def test_why_postgresql_did_not_start_is_said(log: str, kind: type[Exception]) -> None:
    assert type(cluster._start_failure(log)) is kind


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 6, "Make room"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 1, "Permission denied: /data/x"),
        (KeyboardInterrupt(), 130, "Aborted"),
        (psycopg.OperationalError("connection failed: Connection refused\nIs it running?"), 4, "address is right"),
        (psycopg.errors.UndefinedTable('relation "deal" does not exist'), 5, "haihe migrate"),
        (psycopg.errors.DiskFull("could not extend file"), 6, "Make room"),
        (BrokerDown("Connection refused"), 4, "HAIHE_BROKER"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_status(
    raised: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(main.haihe.commands["nginx"], "callback", fail)
    monkeypatch.setattr(sys, "argv", ["haihe", "nginx"])
    with pytest.raises(SystemExit) as left:
        main.main()
    told = capsys.readouterr()
    assert (left.value.code, told.out) == (code, "")
    assert said in told.err and told.err.count("\n") <= 2


def _commands(group: object, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        found += _commands(command, (*words, name)) if hasattr(command, "commands") else [(*words, name)]
    return found


@pytest.mark.parametrize("words", _commands(main.haihe), ids=" ".join)
def test_every_command_has_help_with_an_example(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main.haihe, [*words, "--help"])
    assert shown.exit_code == 0
    assert f"haihe {' '.join(words)}" in shown.output


PLACED = [
    words
    for words in _commands(main.haihe)
    if words not in {("web",), ("worker",), ("streams",), ("nginx",), ("secrets",), ("bench",), ("market", "check")}
]


@pytest.mark.parametrize("words", PLACED, ids=" ".join)
def test_every_command_on_data_takes_the_same_options(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main.haihe, [*words, "--help"]).output
    assert all(option in shown for option in ("--data", "--port", "--json"))
