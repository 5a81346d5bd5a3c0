"""The deployed stack: our own compose file brought up, the steel trade played through nginx, data kept over down and up."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loadtests.api import Actor, Api, ApiRefused, HttpCarrier, session_of
from loadtests.steel import SteelTrade
from tests.compose.stack import OPERATOR, ROOT, SERVICES, Stack


def test_the_trade_comes_off_and_nothing_is_broken(stack: Stack, trade: SteelTrade) -> None:
    (deal,) = trade.buyer.desk.every("/v1/deals")
    assert deal["state"] == "completed"
    checked = stack.compose("run", "--rm", "check")
    assert "invariants hold" in checked.stdout


def test_every_service_and_loop_is_ready(stack: Stack) -> None:
    services = {one["service"]: one for one in stack.ask_readiness()["services"]}
    assert services.pop("streams")["loops"] == {"feed": "ok"}
    assert set(services) == set(SERVICES)
    assert all(one["ready"] and {"relay", "facts"} <= set(one["loops"]) for one in services.values())


def test_only_nginx_publishes_a_port_and_mosquitto_where_it_is_asked_for(stack: Stack) -> None:
    plain = subprocess.run(
        ["docker", "compose", "-f", str(ROOT / "infra" / "compose.yaml"), "--env-file", str(stack.folder / "variables.env"),
         "--profile", "*", "config", "--format", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    services = json.loads(plain.stdout)["services"]
    published = {name: service.get("profiles", []) for name, service in services.items() if service.get("ports")}
    assert published == {"nginx": [], "mosquitto": ["mqtt"]}
    assert not [name for name, service in services.items() if service.get("network_mode") or service.get("privileged")]


def test_secrets_come_as_files(stack: Stack) -> None:
    told = json.loads(stack.compose("--profile", "*", "config", "--format", "json").stdout)
    values = {path.read_text().strip() for path in (stack.folder / "secrets").iterdir()} - {""}
    environments = [
        str(value) for service in told["services"].values() for value in service.get("environment", {}).values()
    ]
    assert not [value for value in environments if any(secret in value for secret in values)]
    owners = {name for name, one in told["services"].items() if "orders_database_owner" in str(one.get("secrets"))}
    assert owners == {"migrate"}


def test_streams_are_reached_through_nginx(stack: Stack, trade: SteelTrade) -> None:
    """A display's stream begins at once, unbuffered; a WebSocket is let through to the streams and refused there."""
    desk = trade.warehouse.desk
    gate = desk.every("/v1/gates")[0]
    ticket = desk.post("/v1/tickets")["ticket"]
    with urllib.request.urlopen(f"{stack.url}/v1/streams/gates/{gate['id']}?ticket={ticket}", timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.readline().startswith(b"retry:")
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    asked = urllib.request.Request(f"{stack.url}/epcis/v2/events?stream=true&ticket={ticket}", headers=upgrade)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=20)
    body = json.loads(refused.value.read())
    assert (body["status"], body["type"], "detail" in body) == (401, "epcisException:SecurityException", False)


def test_metrics_stay_inside_and_prometheus_sees_every_process(stack: Stack, trade: SteelTrade) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{stack.url}/metrics", timeout=10)
    assert refused.value.code == 404
    query = urllib.parse.quote("sum by (job) (up)")
    url = f"http://127.0.0.1:{stack.variables.get('HAIHE_PROMETHEUS_PORT', '9090')}/api/v1/query?query={query}"
    ask = f"import urllib.request; print(urllib.request.urlopen({url!r}).read().decode())"

    def look() -> dict[str, str] | None:
        place = [
            "exec",
            "-T",
            "gateway",
            "python",
            "-c",
            ask.replace("127.0.0.1", "prometheus") if stack.bridged else ask,
        ]
        found = json.loads(stack.compose(*place).stdout)["data"]["result"]
        jobs = {one["metric"]["job"]: one["value"][1] for one in found}
        return jobs if len(jobs) == 2 * len(SERVICES) + 1 and set(jobs.values()) == {"1"} else None

    assert trade.until(look, "Prometheus to have asked every process")


def test_what_nginx_refuses_is_a_problem_document(stack: Stack) -> None:
    asked = urllib.request.Request(f"{stack.url}/v1/offers", b"x" * (17 << 20), {"Content-Type": "application/json"})
    with pytest.raises((urllib.error.HTTPError, urllib.error.URLError)) as refused:
        urllib.request.urlopen(asked, timeout=30)
    if isinstance(refused.value, urllib.error.HTTPError):
        assert refused.value.code == 413
        assert refused.value.headers["Content-Type"] == "application/problem+json"


def test_an_address_that_tries_too_often_is_429_and_all_else_goes_on(stack: Stack, trade: SteelTrade) -> None:
    def guess(_: int) -> tuple[int, str | None]:
        body = json.dumps({"api_key": f"key_{'0' * 26}.{'x' * 43}"}).encode()
        asked = urllib.request.Request(f"{stack.url}/v1/tokens", body, {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=60)
        answer = json.loads(refused.value.read())
        assert answer["status"] == refused.value.code
        assert refused.value.headers["Content-Type"] == "application/problem+json"
        return refused.value.code, refused.value.headers["Retry-After"]

    with ThreadPoolExecutor(150) as callers:
        answers = list(callers.map(guess, range(150)))
    assert (429, "5") in answers
    assert {code for code, _ in answers} <= {401, 422, 429}
    assert trade.buyer.desk.get("/v1/accounts")["items"]
    trade.until(lambda: guess(0)[0] != 429, "the address to be heard again")


def test_a_service_that_is_away_is_503_and_comes_back(stack: Stack, trade: SteelTrade) -> None:
    stack.compose("stop", "--timeout", "20", "orders-web")
    with pytest.raises(ApiRefused) as refused:
        trade.buyer.desk.get("/v1/deals")
    assert (refused.value.status, refused.value.problem) == (503, "unavailable")
    assert trade.buyer.desk.get("/v1/accounts")["items"]
    stack.compose("start", "orders-web")
    assert trade.until(lambda: trade.buyer.desk.every("/v1/deals"), "orders to answer again")


def test_down_and_up_keep_everything(stack: Stack, trade: SteelTrade) -> None:
    balances, deals = trade.balances(), trade.buyer.desk.every("/v1/deals")
    stack.compose("down", "--timeout", "30")
    stack.up()
    assert trade.balances() == balances
    assert trade.buyer.desk.every("/v1/deals") == deals
    assert "invariants hold" in stack.compose("run", "--rm", "check").stdout


def test_an_upgrade_from_the_commit_before_keeps_everything(stack: Stack, trade: SteelTrade, tmp_path: Path) -> None:
    """A second stack begins with the image of the commit before, plays the trade, and goes on with this one's."""
    before = subprocess.run(
        ["git", "archive", "HEAD~1", "-o", str(tmp_path / "before.tar")], cwd=ROOT, check=False, capture_output=True
    )
    if before.returncode:
        pytest.skip("there is no commit before this one")
    source = tmp_path / "before"
    source.mkdir()
    shutil.unpack_archive(tmp_path / "before.tar", source)
    if not (source / "infra" / "Dockerfile").exists():
        pytest.skip("the commit before has no image")
    if not (source / "infra" / "streams.py").exists():
        pytest.skip("the commit before has no process of streams, which this compose file starts")
    image = f"{stack.name}:before"
    build = [
        "docker",
        "build",
        "--quiet",
        "--network",
        "host",
        "-f",
        str(source / "infra" / "Dockerfile"),
        "-t",
        image,
        str(source),
    ]
    subprocess.run(build, check=True, capture_output=True)
    stack.compose("down", "--volumes", "--timeout", "20")
    now = stack.variables["HAIHE_IMAGE"]
    stack.variables["HAIHE_IMAGE"] = image
    stack.write_variables()
    stack.up()
    made = json.loads(stack.compose("run", "--rm", "operator", "create", OPERATOR, "--json").stdout)
    api = Api(HttpCarrier(stack.url))
    earlier = SteelTrade(
        api, Actor(api, "operator", session_of(api, OPERATOR, made["password"]), "platform"), wait_s=60.0
    )
    assert [step.state for step in earlier.play()][-1] == "paid"
    balances = earlier.balances()
    stack.variables["HAIHE_IMAGE"] = now
    stack.write_variables()
    stack.up()
    assert earlier.balances() == balances
    assert "invariants hold" in stack.compose("run", "--rm", "check").stdout
