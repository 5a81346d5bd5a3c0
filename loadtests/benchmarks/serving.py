"""Web servers of a benchmark: gunicorn as the platform runs it, on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.capacity import Capacity
from infra.children import Process, read_end
from infra.environment import find_free_ports
from infra.failures import Failure

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.05


class NotServing(Failure):
    """A web server of the benchmark did not come up; the message has the end of its log."""


@dataclass(frozen=True)
class Server:
    """A running gunicorn: its port, and the process that all of its processes descend from."""

    port: int
    pid: int


@contextlib.contextmanager
def serve(app: str, folder: Path, capacity: Capacity) -> Iterator[Server]:
    """Serves a WSGI application (gunicorn's ``module:factory()``) while the context lasts. Raises NotServing."""
    (port,) = find_free_ports(1, socket.SOCK_STREAM)
    metrics = folder / f"metrics-{port}"
    metrics.mkdir(parents=True)
    log = folder / f"web-{port}.log"
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "infra" / "gunicorn.conf.py")]
    command += ["--workers", str(capacity.web_workers), "--threads", str(capacity.threads)]
    command += ["--bind", f"127.0.0.1:{port}", "--chdir", str(ROOT), app]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    process = Process(command, environ=environ, log=log)
    process.start()
    try:
        _await(process, port)
        yield Server(port, process.process.pid)
    finally:
        process.stop()


def _await(process: Process, port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port):
        if not process.is_running() or time.monotonic() > deadline:
            raise NotServing(f"the server on port {port} does not answer:\n{read_end(process.log)}")
        time.sleep(LOOK_EVERY_S)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
