"""Does the benchmarks' client send what it should and count what came back?"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loadtests.benchmarks.client import ClientFailed, Load, drive, run, write_request


class Counter(ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answerer)
        self.asked: list[tuple[str, str, dict[str, int]]] = []


class Answerer(BaseHTTPRequestHandler):
    """Keeps connections alive; refuses what says so."""

    protocol_version = "HTTP/1.1"
    server: Counter

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Idempotency-Key"], body))
        self.send_response(409 if self.path == "/refuse" else 201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Counter]:
    """On a free port of 127.0.0.1."""
    with Counter() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_each_client_sends_its_request_under_fresh_keys(server: Counter) -> None:
    requests = [write_request("POST", path, token="t", key=True, body={"n": 1}) for path in ("/a", "/b")]
    done = run(Load(server.server_address[1], 3, 0.2, requests))
    assert done.count == len(done.latencies_s) == len(server.asked) >= 3
    assert {path for path, *_ in server.asked} == {"/a", "/b"}
    assert len({key for _, key, _ in server.asked}) == done.count
    assert all(body == {"n": 1} for *_, body in server.asked)
    assert 0 < done.cpu_s <= done.seconds + 0.1 and done.rate == done.count / done.seconds
    assert not done.refused


def test_a_client_process_that_is_refused_fails(server: Counter) -> None:
    request = write_request("POST", "/refuse", key=True, body={})
    with pytest.raises(ClientFailed, match="409"):
        drive(Load(server.server_address[1], 1, 0.05, [request]))


def test_a_client_with_a_script_sends_each_of_its_requests_once_and_in_turn(server: Counter) -> None:
    scripts = [
        [write_request("POST", path, key=True, body={}) for path in paths] for paths in (("/a", "/b"), ("/c",), ())
    ]
    before = time.time()
    done = run(Load(server.server_address[1], 3, 5.0, (), scripts=scripts))
    paths = [path for path, *_ in server.asked]
    assert sorted(paths) == ["/a", "/b", "/c"] and paths.index("/a") < paths.index("/b")
    assert len({key for _, key, _ in server.asked}) == done.count == 3
    assert before <= done.began_at <= time.time()
