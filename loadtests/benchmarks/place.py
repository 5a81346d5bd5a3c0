"""Where a benchmark makes what it measures: a folder that is gone afterwards, and a port."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.environment import find_free_ports


@dataclass(frozen=True)
class Place:
    """``data`` is a folder on the disk to measure, else the system's own for what is temporary; ``port`` a free one unless said."""

    data: Path | None = None
    port: int | None = None

    @contextlib.contextmanager
    def make_folder(self) -> Iterator[Path]:
        """A folder on disk that PostgreSQL's own user can pass through; it is gone afterwards."""
        if self.data is not None:
            self.data.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="haihe-bench-", dir=self.data))
        folder.chmod(0o711)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def find_port(self) -> int:
        """Where the platform answers."""
        return self.port or find_free_ports(1, socket.SOCK_STREAM)[0]
