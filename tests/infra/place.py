"""A data folder and a port, the commands that work on them, and how to look into what runs there."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from infra.cluster import Cluster
from infra.databases import libpq
from infra.folder import DataFolder


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

    def child(self, name: str) -> psutil.Process:
        return psutil.Process(self.pid(name))

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


def look_into(cluster: Cluster, database: str, query: str) -> Any:
    """The one value that a query of a service's database finds."""
    with psycopg.connect(libpq(cluster.superuser_url(database))) as connection:
        return connection.execute(query).fetchone()[0]
