"""Keeps processes alive: starts them again with back-off, gives up loudly, lets what they write be rotated.

A child dies with its parent (Linux), and what it writes goes straight into its log file, so that a killed supervisor
takes nothing with it that a child still had to say.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import psutil

from infra.cluster import die_with_parent
from infra.failures import Failure
from infra.logs import read_end, rotate
from infra.privileges import identity

MOST_DEATHS = 5
DEATHS_WITHIN_S = 60.0
FIRST_BACK_OFF_S = 0.2
LONGEST_BACK_OFF_S = 5.0


class GaveUp(Failure):
    """A child died too often."""

    code = 9


class Runnable(Protocol):
    """What can be started, looked at and stopped."""

    process: subprocess.Popen[bytes] | None
    log: Path

    def start(self) -> None: ...
    def is_running(self) -> bool: ...
    def stop(self) -> None: ...


class Process:
    """A program with its environment, its inherited files and its log. SIGTERM asks it to finish; SIGKILL follows
    after ``patience_s``. With ``user`` it runs as that one.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        files: Sequence[int] = (),
        patience_s: float = 40.0,
        user: pwd.struct_passwd | None = None,
    ) -> None:
        self.command = list(command)
        self.environ = dict(environ)
        self.log = log
        self.files = tuple(files)
        self.patience_s = patience_s
        self.user = user
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the program; from a thread that lives as long as it should."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=self.files,
                start_new_session=True, preexec_fn=lambda: die_with_parent(signal.SIGTERM), **identity(self.user),
            )  # fmt: skip

    def is_running(self) -> bool:
        """Whether it is alive."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Asks it to finish what it has accepted, waits, and kills it when it does not."""
        if self.process is None or not self.is_running():
            return
        self.process.terminate()
        try:
            self.process.wait(self.patience_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Child:
    """One thing to keep alive, with the times it died."""

    def __init__(self, name: str, thing: Runnable) -> None:
        self.name = name
        self.thing = thing
        self.deaths: deque[float] = deque()
        self.restarts = 0
        self._start_at: float | None = None

    def start(self) -> None:
        """Starts it for the first time."""
        self.thing.start()

    def look_after(self) -> bool:
        """Starts it again when it is dead and its back-off is over; whether anything changed.

        Raises GaveUp at the fifth death within a minute.
        """
        rotate(self.thing.log)
        if self._start_at is None and self.thing.is_running():
            return False
        if self._start_at is None:
            self._note_death(self._exit_status())
        elif time.monotonic() >= self._start_at:
            self._start_again()
        return True

    def _start_again(self) -> None:
        self._start_at = None
        self.restarts += 1
        try:
            self.thing.start()
        except Failure as failure:
            self._note_death(str(failure))

    def _note_death(self, how: str) -> None:
        now = time.monotonic()
        self.deaths.append(now)
        while self.deaths[0] < now - DEATHS_WITHIN_S:
            self.deaths.popleft()
        if len(self.deaths) >= MOST_DEATHS:
            raise GaveUp(
                f"{self.name} died {len(self.deaths)} times within a minute, the last time with {how}; "
                f"everything was stopped. The end of {self.thing.log}:\n{read_end(self.thing.log)}"
            )
        self._start_at = now + min(FIRST_BACK_OFF_S * 2 ** (len(self.deaths) - 1), LONGEST_BACK_OFF_S)

    def _exit_status(self) -> str:
        status = self.thing.process.returncode if self.thing.process else None
        if status is not None and status < 0:
            return signal.Signals(-status).name
        return f"exit status {status}"

    def describe(self) -> dict[str, Any]:
        """What ``haihe status`` shows of it; also what finds it again after its supervisor was killed."""
        process = self.thing.process
        running = self.thing.is_running() and process is not None
        return {
            "pid": process.pid if running else None,
            "born": _born(process.pid) if running else None,
            "running": running,
            "restarts": self.restarts,
        }


def _born(pid: int) -> float | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).create_time()
    return None


def end_leftovers(children: Mapping[str, Mapping[str, Any]], patience_s: float = 65.0) -> list[str]:
    """Ends the processes of a run whose supervisor was killed; the names of those that were still there."""
    left: dict[str, psutil.Process] = {}
    for name, child in children.items():
        with contextlib.suppress(psutil.NoSuchProcess, TypeError):
            process = psutil.Process(child["pid"])
            if process.create_time() == child["born"]:
                process.terminate()
                left[name] = process
    _, stubborn = psutil.wait_procs(left.values(), timeout=patience_s)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=patience_s)
    return list(left)
