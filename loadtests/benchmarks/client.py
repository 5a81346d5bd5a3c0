"""The client: some kept-alive connections in one process, each sending its next request when its last was answered.

It is one loop over sockets that sends prepared bytes and reads little of the answer, because on a small machine it
takes its processor time from the server that it measures; what it took is part of what it tells. Run by ``drive`` as
``python -m loadtests.benchmarks.client`` with a Load on standard input.
"""

from __future__ import annotations

import itertools
import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from infra.failures import Failure
from loadtests.benchmarks.figures import percentile_of

KEY = "{key}"
MOST_REQUESTS = 200_000
TIMEOUT_S = 15.0


class ClientFailed(Failure):
    """The client could not do its work, or was answered with something else than a success."""


@dataclass(frozen=True)
class Load:
    """What to send to a port of 127.0.0.1, by how many clients, for how long.

    Client n sends ``requests[n % len(requests)]`` over and over, with a fresh idempotency key for ``{key}``. Where there
    are ``scripts`` it sends what ``scripts[n]`` holds instead, one after the other and each once.
    """

    port: int
    clients: int
    seconds: float
    requests: Sequence[str]
    keys: str = "bench"
    scripts: Sequence[Sequence[str]] = ()


@dataclass
class Drive:
    """What came of a load: requests answered, each one's latency, and what the client itself used.

    ``began_at`` is the wall clock's time of the first request, in seconds of the epoch.
    """

    count: int = 0
    began_at: float = 0.0
    seconds: float = 0.0
    cpu_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def latency_ms(self, percent: float) -> float:
        """The latency that ``percent`` per cent of the requests kept to."""
        return percentile_of(self.latencies_s, percent) * 1000

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds


def write_request(method: str, path: str, *, token: str = "", body: Any = None, key: bool = False) -> str:
    """The text of a request; ``key`` leaves the place of the idempotency key open."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if key:
        lines.append(f"Idempotency-Key: {KEY}")
    raw = "" if body is None else json.dumps(body)
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(raw)}"]
    return "\r\n".join([*lines, "", raw])


def drive(load: Load) -> Drive:
    """Runs the load in a process of its own. Raises ClientFailed."""
    command = [sys.executable, "-m", "loadtests.benchmarks.client"]
    limit_s = load.seconds + 4 * TIMEOUT_S
    done = subprocess.run(command, input=json.dumps(asdict(load)), capture_output=True, text=True, timeout=limit_s)
    if done.returncode:
        raise ClientFailed(done.stderr.strip()[-2000:])
    drove = Drive(**json.loads(done.stdout))
    if drove.refused or not drove.count:
        raise ClientFailed(f"{drove.count} requests were answered, and refused: {drove.refused}")
    return drove


class _Connection:
    """One client: a socket, what it still sends, and where it is in the answer."""

    def __init__(self, load: Load, number: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", load.port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.turns = _list_turns(load, number)
        self.key = f"{load.keys}-{number}-"
        self.sent = 0
        self.received = b""
        self.began = 0.0

    def send(self) -> bool:
        """Sends the next request; whether there was one."""
        before, after = next(self.turns, (b"", b""))
        if not before:
            return False
        self.sent += 1
        key = f"{self.key}{self.sent:08d}".encode() if after else b""
        self.received = b""
        self.began = time.perf_counter()
        self.socket.sendall(before + key + after)
        return True

    def read(self) -> bytes:
        """The status of the answer once it is there whole, before that nothing."""
        part = self.socket.recv(262_144)
        if not part:
            raise ClientFailed("the server closed a connection")
        self.received += part
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found or len(body) < _length_of(head):
            return b""
        return head[9:12]


def _list_turns(load: Load, number: int) -> Iterator[tuple[bytes, bytes]]:
    """What a client sends, before its key and after it."""
    texts = load.scripts[number] if load.scripts else [load.requests[number % len(load.requests)]]
    parts = [text.encode().partition(KEY.encode()) for text in texts]
    turns = [(before, after) for before, _, after in parts]
    return iter(turns) if load.scripts else itertools.cycle(turns)


def _length_of(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def run(load: Load) -> Drive:
    """Runs the load in this process until its time is over and every request is answered."""
    done = Drive()
    selector = selectors.DefaultSelector()
    connections = [_Connection(load, number) for number in range(load.clients)]
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    done.began_at, used, began = time.time(), time.process_time(), time.perf_counter()
    waiting, until = sum(connection.send() for connection in connections), began + load.seconds
    while waiting:
        ready = selector.select(TIMEOUT_S)
        if not ready:
            raise ClientFailed(f"no answer for {TIMEOUT_S:g} s")
        for chosen, _ in ready:
            if status := chosen.data.read():
                waiting -= not _note(done, chosen.data, status, until)
    done.seconds, done.cpu_s = time.perf_counter() - began, time.process_time() - used
    for connection in connections:
        connection.socket.close()
    return done


def _note(done: Drive, connection: _Connection, status: bytes, until: float) -> bool:
    """Counts an answer and sends the next request, if it is time for one; whether it was."""
    now = time.perf_counter()
    done.latencies_s.append(now - connection.began)
    done.count += 1
    if not status.startswith(b"2"):
        done.refused[status.decode()] = done.refused.get(status.decode(), 0) + 1
    if now >= until or done.count >= MOST_REQUESTS:
        return False
    return connection.send()


if __name__ == "__main__":
    try:
        json.dump(asdict(run(Load(**json.load(sys.stdin)))), sys.stdout)
    except (ClientFailed, OSError) as failure:
        sys.exit(f"{type(failure).__name__}: {failure}")
