"""The one-machine platform: one PostgreSQL, one gunicorn with all services, one worker, one process of streams, and who
looks after them.

``Platform.run`` holds the data folder, brings everything up, keeps it up until it is told to stop, and stops it in
the order in which nothing that was accepted is lost: web, streams, worker, PostgreSQL.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from chassis import migrate
from chassis.migrate import SERVICES
from infra import environment, privileges
from infra.capacity import STREAMS_POOL, Capacity
from infra.children import Child, Process, end_leftovers
from infra.cluster import Cluster
from infra.failures import Failure, HalfMigrated
from infra.folder import DataFolder
from infra.logs import read_end
from infra.migrations import migrate_service
from infra.ports import listening, listening_near

HERE = Path(__file__).resolve().parent
TICK_S = 0.2
READY_WITHIN_S = 90.0
# Longer than gunicorn's own patience with requests that it has accepted.
WEB_FINISHES_WITHIN_S = 60.0
Say = Callable[[str], None]


class NotReady(Failure):
    """The platform did not become ready in time."""

    code = 10


class Platform:
    """An embedded platform on one data folder and one port of 127.0.0.1. ``say`` is told of progress, a line each.

    Streams have a port of their own, as gunicorn's threads are for short answers: ``streams_port``, or else the next one
    that is free.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        port: int,
        streams_port: int | None = None,
        say: Say = print,
        capacity: Capacity | None = None,
    ) -> None:
        self.folder = folder
        self.port = port
        self.streams_port = streams_port
        self.say = say
        self.capacity = capacity or Capacity.of_this_machine()
        self.cluster = Cluster(folder.path, max_connections=self.capacity.max_connections)
        self.url = f"http://127.0.0.1:{port}"
        self.streams_url = ""
        self.children: list[Child] = []
        self.told_to_stop = threading.Event()
        self._started = datetime.now(UTC)
        self._announced = False
        self._metrics: Path | None = None

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """The platform, ready, for as long as the context lasts. Raises a Failure that says what is wrong."""
        self.folder.make()
        with self.folder.held(), listening(self.port, option="--port") as web, self._listen_for_streams() as streams:
            self.streams_url = f"http://127.0.0.1:{streams.getsockname()[1]}"
            try:
                self._bring_up(web, streams)
                self._await_ready()
                yield
            finally:
                self._take_down(web, streams)

    def look_after(self, until: threading.Event | None = None) -> None:
        """Keeps the children alive until ``told_to_stop`` or ``until`` is set. Raises GaveUp when one dies too often."""
        while not (until is not None and until.is_set()) and not self.told_to_stop.wait(TICK_S):
            self._tick()

    def announce(self) -> None:
        """Says to whoever waits for it (``up --detach``) that everything that belongs to the start is done."""
        self._announced = True
        self._note_state()

    def stop_on_signals(self) -> None:
        """Lets Ctrl-C and SIGTERM stop the platform cleanly; a second Ctrl-C changes nothing."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.told_to_stop.set())

    def _bring_up(self, web: socket.socket, streams: socket.socket) -> None:
        self._clear_last_run()
        self.say("Starting PostgreSQL")
        self._start("postgres", self.cluster)
        for name in (*SERVICES, environment.BROKER):
            self.cluster.create_database(name)
        told = environment.platform_environment(self.folder, self.cluster, port=self.port)
        for name in SERVICES:
            self._migrate(name, told)
        self._metrics = environment.make_metrics_folder()
        told |= environment.process_environment(self.capacity, self._metrics) | self._start_sandbox()
        told |= {"HAIHE_STREAMS_URL": self.streams_url, "HAIHE_IDENTITY_URL": self.url}
        self._start_services(web, streams, environment.merge_environment(os.environ, told))

    def _start_services(self, web: socket.socket, streams: socket.socket, environ: dict[str, str]) -> None:
        user, warning = privileges.give_up_root([self.folder.index, self.folder.mail, self._metrics])
        if user:
            environ = privileges.environment_of(user, environ)
        self.say(f"Starting the worker, the streams and the web server{f' as {user.pw_name}' if user else ''}")
        if warning:
            self.say(f"Warning: {warning}")
        logs = self.folder.logs
        self._start("worker", Process(self._worker_command(), environ=environ, log=logs / "worker.log", user=user))
        serving = Process(
            self._streams_command(streams.fileno()),
            environ=environ | {"HAIHE_LOGISTICS_POOL_SIZE": str(STREAMS_POOL)},
            log=logs / "streams.log",
            files=[streams.fileno()],
            user=user,
        )
        self._start("streams", serving)
        answering = Process(
            self._web_command(web.fileno()),
            environ=environ,
            log=logs / "web.log",
            files=[web.fileno()],
            patience_s=WEB_FINISHES_WITHIN_S,
            user=user,
        )
        self._start("web", answering)

    def _clear_last_run(self) -> None:
        last = self.folder.read_state()
        if left := end_leftovers(last.get("children", {})):
            self.say(f"The last run was killed; ended what it left: {', '.join(left)}")
        environment.drop_metrics_folder(last.get("metrics"))

    def _migrate(self, name: str, told: dict[str, str]) -> None:
        try:
            for revision in migrate_service(name, told):
                self.say(f"Migrated {name} to {revision}")
        except migrate.HalfMigrated as error:
            raise HalfMigrated(str(error)) from error

    def _start_sandbox(self) -> dict[str, str]:
        if not self.folder.is_sample:
            return {}
        (port,) = environment.find_free_ports(1, socket.SOCK_STREAM)
        told = environment.sandbox_environment(self.folder, port)
        command = [sys.executable, "-m", "infra.stripe_sandbox", "--data", str(self.folder.path / "stripe.jsonl")]
        command += ["--port", str(port), "--webhook-url", f"{self.url}/v1/card-events"]
        command += ["--key-file", told["HAIHE_STRIPE_KEY_FILE"]]
        command += ["--webhook-secret-file", told["HAIHE_STRIPE_WEBHOOK_SECRET_FILE"]]
        log = self.folder.logs / "stripe-sandbox.log"
        self._start("stripe-sandbox", Process(command, environ=dict(os.environ), log=log, patience_s=10.0))
        return told

    @staticmethod
    def _worker_command() -> list[str]:
        return [sys.executable, "-m", "infra.cli", "worker", "all"]

    @staticmethod
    def _streams_command(descriptor: int) -> list[str]:
        return [sys.executable, "-m", "infra.cli", "streams", "--descriptor", str(descriptor)]

    def _web_command(self, descriptor: int) -> list[str]:
        command = [sys.executable, "-m", "gunicorn", "--config", str(HERE / "gunicorn.conf.py")]
        command += ["--workers", str(self.capacity.web_workers), "--threads", str(self.capacity.threads)]
        return [*command, "--bind", f"fd://{descriptor}", "infra.web:platform()"]

    def _start(self, name: str, thing: Process | Cluster) -> None:
        child = Child(name, thing)
        self.children.append(child)
        child.start()
        self._note_state()

    def _listen_for_streams(self) -> contextlib.AbstractContextManager[socket.socket]:
        if self.streams_port is None:
            return listening_near(self.port + 1)
        return listening(self.streams_port, option="--streams-port")

    def _await_ready(self) -> None:
        self.say("Waiting until every loop comes round")
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.told_to_stop.wait(TICK_S):
            self._tick()
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/ready", timeout=5.0):
                return
            if time.monotonic() > deadline:
                ends = "\n".join(read_end(self.folder.logs / f"{name}.log", 8) for name in ("web", "worker", "streams"))
                raise NotReady(
                    f"Not ready after {READY_WITHIN_S:.0f} s; see {self.folder.logs} and {self.url}/ready\n{ends}"
                )

    def _tick(self) -> None:
        if any([child.look_after() for child in self.children]):
            environment.forget_dead_gauges(self._metrics)
            self._note_state()

    def _note_state(self) -> None:
        self.folder.write_state(
            {
                "pid": os.getpid(),
                "announced": self._announced,
                "metrics": str(self._metrics) if self._metrics else None,
                "url": self.url,
                "streams": self.streams_url,
                "started": self._started.isoformat(timespec="seconds"),
                "children": {child.name: child.describe() for child in self.children},
            }
        )

    def _take_down(self, *listeners: socket.socket) -> None:
        self.say("Stopping: what was accepted is finished first")
        for listener in listeners:
            listener.close()
        for child in reversed(self.children):
            child.thing.stop()
        environment.drop_metrics_folder(self._metrics)
        self._note_state()
