"""Where a command works: the options that all commands share, and the way from them to databases and addresses."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from chassis import settings
from infra.cluster import Cluster
from infra.environment import platform_environment
from infra.failures import NotRunning
from infra.folder import DataFolder

DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Place:
    """A data folder and a port, and whether answers are JSON."""

    data: Path
    port: int | None
    as_json: bool

    @property
    def folder(self) -> DataFolder:
        """The data folder."""
        return DataFolder(self.data)

    @property
    def url(self) -> str:
        """Where the platform answers: the port that was given, else the one that it runs on."""
        if self.port is None:
            return self.folder.read_state().get("url", f"http://127.0.0.1:{DEFAULT_PORT}")
        return f"http://127.0.0.1:{self.port}"

    def tell(self, answer: Any, text: str | None = None) -> None:
        """Prints an answer: as JSON when asked for, else as the text."""
        click.echo(msgspec.json.encode(answer).decode() if self.as_json or text is None else text)


def with_place(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options --data, --port and --json; it is called with a Place first."""

    @click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"), show_default=True,
                  envvar="HAIHE_DATA", show_envvar=True, help="Folder of the platform's data.")  # fmt: skip
    @click.option("--port", type=click.IntRange(1, 65535), envvar="HAIHE_PORT", show_envvar=True,
                  help=f"Port of 127.0.0.1.  [default: {DEFAULT_PORT}, or the one that it runs on]")  # fmt: skip
    @click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
    @functools.wraps(command)
    def placed(data: Path, port: int | None, as_json: bool, **rest: Any) -> None:
        command(Place(data, port, as_json), **rest)

    return placed


def names_databases() -> bool:
    """Whether the environment names the services' databases, so that no embedded platform is meant."""
    given = settings.read("identity")
    return bool(given.database or given.database_owner)


@contextlib.contextmanager
def reach(place: Place) -> Iterator[Mapping[str, str] | None]:
    """The settings by which the databases are reached; None stands for the environment's own.

    The embedded PostgreSQL is started for as long as it takes when the platform does not run. Raises NotRunning when
    there are no data.
    """
    if names_databases():
        yield None
        return
    folder = place.folder
    if not (folder.path / "postgres").exists():
        raise NotRunning(f"There are no data in {folder.path}. Start a platform with `haihe up --data {folder.path}`.")
    _log_to(folder.logs / "operator.log")
    cluster = Cluster(folder.path)
    port = place.port or DEFAULT_PORT
    if folder.holder() is not None:
        yield platform_environment(folder, cluster, port=port)
        return
    with folder.held():
        cluster.start()
        try:
            yield platform_environment(folder, cluster, port=port)
        finally:
            cluster.stop()


def _log_to(path: Path) -> None:
    """Keeps what commands log (who replayed or dropped what, and why) beside the platform's other logs."""
    root = logging.getLogger()
    keeper = logging.FileHandler(path, delay=True)
    keeper.setFormatter(root.handlers[0].formatter)
    root.addHandler(keeper)
