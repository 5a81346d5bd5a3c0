"""The distributed profile without containers: each service its own web and worker processes and its own database, and streams, on a
real Kafka and a real Elasticsearch; the trade is played over HTTP, events are heard, and nothing is broken at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chassis.migrate import SERVICES
from infra.assembly import load_services
from infra.cluster import UNSAFE_BUT_FAST, Cluster
from infra.environment import find_free_ports
from infra.operators import make_operator
from infra.stack_secrets import make_stack_secrets
from loadtests.api import Actor, Api, HttpCarrier, session_of
from loadtests.steel import SteelTrade
from tests.engines.test_search import require

pytestmark = pytest.mark.xdist_group("kafka")
ROOT = Path(__file__).resolve().parents[2]
STARTING_S = 120
EVENT = {
    "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    "type": "ObjectEvent",
    "eventID": "urn:uuid:0d2b5b0e-6f3b-4a06-9d53-5b1f6b0b6f0c",
    "eventTime": "2026-03-02T07:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "epcList": ["https://id.gs1.org/01/09521321100008/21/1"],
    "action": "OBSERVE",
}


class Stack:
    """Eleven processes on one machine, as the compose file runs them in containers."""

    def __init__(self, folder: Path, cluster: Cluster, kafka: str, elasticsearch: str) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = dict(zip((*SERVICES, "streams"), find_free_ports(len(SERVICES) + 1), strict=True))
        make_stack_secrets(folder / "secrets", postgres="127.0.0.1:5432")
        keys = {
            "HAIHE_SIGNING_KEY_FILE": folder / "secrets/signing_key",
            "HAIHE_VERIFY_KEY_FILE": folder / "secrets/verify_key",
        }
        self.environ = {
            **os.environ,
            **{name: str(path) for name, path in keys.items()},
            "PYTHONPATH": str(ROOT),
            "HAIHE_BROKER": f"kafka://{kafka}?session_timeout_ms=6000&heartbeat_interval_ms=500",
            "HAIHE_SEARCH": elasticsearch,
            "HAIHE_MAIL_FOLDER": str(folder / "mail"),
            "HAIHE_STRIPE_KEY": "",
            "HAIHE_WEB_WORKERS": "1",
            "HAIHE_IDENTITY_URL": f"http://127.0.0.1:{self.ports['identity']}",
        }
        for name in SERVICES:
            address = cluster.create_database(name)
            self.environ[f"HAIHE_{name.upper()}_DATABASE"] = address.app
            self.environ[f"HAIHE_{name.upper()}_DATABASE_OWNER"] = address.owner

    def haihe(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line to its end."""
        command = [sys.executable, "-m", "infra.cli", *words]
        return subprocess.run(command, env=self.environ, cwd=self.folder, capture_output=True, text=True, timeout=180)

    def start(self) -> None:
        """Start a web and a worker a service and the streams, and wait until each answers."""
        for name in SERVICES:
            self.spawn(f"{name}-web", "web", name, "--port", str(self.ports[name]))
            self.spawn(f"{name}-worker", "worker", name)
        self.spawn("streams-web", "streams", "--port", str(self.ports["streams"]))
        deadline = time.monotonic() + STARTING_S
        for name in self.ports:
            while not self.is_ready(name):
                assert time.monotonic() < deadline, f"{name} is not ready:\n{self.log(name)}"
                time.sleep(0.2)

    def spawn(self, label: str, *words: str) -> None:
        """Start one process."""
        with (self.folder / f"{label}.log").open("ab") as log:
            command = [sys.executable, "-m", "infra.cli", *words]
            self.processes[label] = subprocess.Popen(command, env=self.environ, cwd=self.folder, stdout=log, stderr=log)

    def is_ready(self, name: str) -> bool:
        """Whether a service says that it can do its work."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/ready", timeout=5) as answer:
                return json.load(answer)["ready"]
        except (OSError, ValueError):
            return False

    def log(self, name: str) -> str:
        """The end of what a service's processes said."""
        return "\n".join(path.read_text()[-3000:] for path in self.folder.glob(f"{name}-*.log"))

    def stop(self) -> None:
        """Stop every process, and wait for it."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()

    def carrier(self) -> Any:
        """Sends each request to the service that owns its noun, as nginx does."""
        nouns = {noun: service.name for service in load_services() for noun in service.nouns}
        prefixes = {prefix: service.name for service in load_services() for prefix in service.prefixes}
        carriers = {name: HttpCarrier(f"http://127.0.0.1:{port}") for name, port in self.ports.items()}

        def carry(method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
            if not path.startswith("/v1/"):
                owner = next(service for prefix, service in prefixes.items() if path.startswith(prefix))
                return carriers[owner](method, path, headers, body)
            noun = path.removeprefix("/v1/").partition("?")[0].partition("/")[0]
            return carriers[nouns[noun]](method, path, headers, body)

        return carry


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    kafka, elasticsearch = require("HAIHE_TEST_KAFKA"), require("HAIHE_TEST_ELASTICSEARCH")
    folder = tmp_path_factory.mktemp("stack")
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o711)
    cluster = Cluster(folder / "pg", max_connections=200, settings=UNSAFE_BUT_FAST)
    cluster.start()
    made = Stack(folder, cluster, kafka, elasticsearch)
    try:
        migrated = made.haihe("migrate")
        assert migrated.returncode == 0, migrated.stderr
        made.start()
        yield made
    finally:
        made.stop()
        cluster.stop()


async def hear(stack: Stack, desk: Actor) -> list[str]:
    """The events that a WebSocket, opened with a ticket, tells when one is captured."""
    ticket = desk.post("/v1/tickets", key="")["ticket"]
    url = f"http://127.0.0.1:{stack.ports['streams']}/epcis/v2/events?stream=true&ticket={ticket}&EQ_eventID={EVENT['eventID']}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await asyncio.to_thread(desk.post, "/epcis/v2/events", EVENT, key="")
        told = await socket.receive_json(timeout=STARTING_S)
    return [event["eventID"] for event in told["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]


def test_the_trade_runs_on_separate_processes_with_kafka_and_elasticsearch(stack: Stack) -> None:
    from chassis.database import Database

    identity = Database(stack.environ["HAIHE_IDENTITY_DATABASE"], pool_size=1)
    email = "operator@stack.example"
    password = make_operator(identity, email=email, name="Operator")["password"]
    identity.close()
    api = Api(stack.carrier())
    operator = Actor(api, "operator", session_of(api, email, password), "platform")
    trade = SteelTrade(api, operator, number=secrets.randbelow(10**5), wait_s=60)
    states = [step.state for step in trade.play()]
    assert states[-4:] == ["completed", "recorded", "recorded", "paid"]
    assert asyncio.run(hear(stack, trade.mill.desk)) == [EVENT["eventID"]]
    checked = stack.haihe("check", "--settled", "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
