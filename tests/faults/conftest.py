"""A platform of real processes that lives as long as the tests of this folder, and callers who do not give up."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.folder import DataFolder
from loadtests.api import Actor, Api, HttpCarrier, session_of

OPERATOR = "operator@faults.haihe.example"
BROKEN_CALL = (http.client.HTTPException, OSError)
PATIENCE_S = 60.0


@dataclass
class Stubborn:
    """Sends a request again, with its key, until the platform answers it."""

    url: str
    repeats: int = 0

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                status, answer = HttpCarrier(self.url, timeout_s=20)(method, path, headers, body)
                if status not in (502, 503, 504):
                    return status, answer
                problem = f"{status} {answer}"
            except BROKEN_CALL as error:
                problem = repr(error)
            assert time.monotonic() < deadline, f"{method} {path}: {problem}"
            self.repeats += 1
            time.sleep(0.1)


@dataclass
class Place:
    """A data folder and a port, and the processes that serve them."""

    data: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def haihe(self, *words: str) -> Any:
        """What a command of ``haihe`` answers. Fails when it fails."""
        command = [sys.executable, "-m", "infra.cli", *words, "--json"]
        where = ["--data", str(self.data), "--port", str(self.port)]
        done = subprocess.run([*command, *where], capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def pid(self, child: str) -> int | None:
        """The process that the supervisor runs under this name now, if any."""
        return DataFolder(self.data).read_state()["children"][child]["pid"]

    def kill(self, victim: str, draw: Any) -> bool:
        """Kill −9: web with its workers, one of its workers, the worker, the postmaster, or one backend of a service.

        False when there is no such process just now.
        """
        child, _, part = victim.partition("/")
        if not (pid := self.pid(child)):
            return False
        try:
            process = psutil.Process(pid)
            family = process.children(recursive=True)
            if part == "one":
                victims = [draw.choice(family)] if family else []
            elif part == "backend":
                victims = [one for one in family if "_app" in " ".join(one.cmdline())]
                victims = [draw.choice(sorted(victims, key=lambda one: one.pid))] if victims else []
            else:
                victims = [process, *(family if child == "web" else [])]
            for one in victims:
                os.kill(one.pid, signal.SIGKILL)
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False
        return bool(victims)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=10) as answer:
                return answer.status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def wait_until_ready(self) -> None:
        """Wait until every service and loop says that it is ready."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.is_ready():
            assert time.monotonic() < deadline, "it does not become ready"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """An embedded platform, up and empty: one a module, since its supervisor gives up after so many deaths in a minute."""
    folder = Path(tempfile.mkdtemp(prefix="haihe-faults-"))
    folder.chmod(0o711)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    place = Place(folder / "data", port)
    try:
        place.haihe("up", "--detach")
        yield place
    finally:
        place.haihe("down")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def api(place: Place) -> Api:
    """Calls that are made again until they are answered."""
    return Api(Stubborn(place.url))


@pytest.fixture(scope="module")
def operator(place: Place, api: Api) -> Actor:
    """Somebody who runs the platform."""
    made = place.haihe("operator", "create", OPERATOR)
    return Actor(api, "operator", session_of(api, OPERATOR, made["password"]), "platform")
