"""The data folder of an embedded platform: its places, who holds it, and what is known of the present run.

The lock is the kernel's (``flock``), so a killed holder leaves none behind; what it leaves is a note that names its
processes.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.failures import AlreadyRunning


class DataFolder:
    """Everything that one platform keeps on disk is below ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.secrets = self.path / "secrets"
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.index = self.path / "index"
        self.mail = self.path / "mail"
        self.sample = self.path / "sample.json"
        self._lock = self.path / "lock"
        self._state = self.run / "state.json"

    def make(self) -> None:
        """Makes the folder and its places, closed to other users where they hold what is private."""
        self.path.mkdir(parents=True, exist_ok=True)
        for place in (self.logs, self.run, self.index, self.mail, self.secrets):
            place.mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder for this process. Raises AlreadyRunning when another one does."""
        with self._lock.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(
                    f"Haihe already runs on {self.path} (process {self.holder()}). "
                    f"Stop it with `haihe down --data {self.path}`, or use another folder with --data and another --port."
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield
            lock.truncate(0)

    def holder(self) -> int | None:
        """The process that holds the folder now, or None."""
        try:
            with self._lock.open("r") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read().strip() or 0)
        except FileNotFoundError:
            return None
        return None

    def write_state(self, state: dict[str, Any]) -> None:
        """Writes the note about this run, whole or not at all."""
        part = self._state.with_suffix(".part")
        part.write_text(json.dumps(state))
        part.replace(self._state)

    def read_state(self) -> dict[str, Any]:
        """The note about the present or the last run; empty when there is none that can be read."""
        try:
            return json.loads(self._state.read_text())
        except (OSError, ValueError):
            return {}

    @property
    def is_sample(self) -> bool:
        """Whether ``make run`` or ``haihe demo`` made these data: only then may sample users and secrets be used."""
        return self.sample.exists()
