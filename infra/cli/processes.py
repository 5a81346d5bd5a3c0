"""The entry points of single processes: what the containers of the distributed profile run."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from chassis import settings
from chassis.migrate import SERVICES
from infra.assembly import refuse_sample_secrets
from infra.migrations import refuse_unmigrated

ROOT = Path(__file__).resolve().parents[1]
WEB = (*SERVICES, "gateway", "all")


@click.command()
@click.argument("name", metavar="SERVICE", type=click.Choice(WEB))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="HAIHE_HOST",
    show_envvar=True,
    help="Address to listen on.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, envvar="HAIHE_PORT", show_envvar=True
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, envvar="HAIHE_WEB_WORKERS", show_envvar=True
)
@click.option(
    "--upstream", "upstreams", multiple=True, metavar="NAME=URL", help="For the gateway: where a service's web is."
)
def web(name: str, host: str, port: int, workers: int, upstreams: tuple[str, ...]) -> None:
    """Serves the HTTP API of one service, or the gateway's pages, with gunicorn.

    \b
    Example:
      haihe web orders --host 0.0.0.0 --port 8000
    """
    _refuse_to_start(SERVICES if name == "all" else () if name == "gateway" else (name,))
    metrics = Path(tempfile.gettempdir()) / f"haihe-metrics-{name}-{port}"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700)
    if strange := [one for one in upstreams if "=" not in one]:
        raise click.BadParameter(f"{strange[0]!r} is not NAME=URL", param_hint="--upstream")
    if name == "gateway":
        app = f"infra.web:gateway({dict(one.split('=', 1) for one in upstreams)!r})"
    else:
        app = "infra.web:platform()" if name == "all" else f"infra.web:service({name!r})"
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    command += ["--workers", str(workers), "--bind", f"{host}:{port}", app]
    os.execve(command[0], command, {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics)})


@click.command()
@click.argument("name", metavar="SERVICE", type=click.Choice((*SERVICES, "all")))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="HAIHE_HOST",
    show_envvar=True,
    help="Address to tell of itself on.",
)
@click.option("--status-port", type=click.IntRange(1, 65535), envvar="HAIHE_STATUS_PORT", show_envvar=True,
              help="Port for /health, /ready and /metrics; none when not given.")  # fmt: skip
def worker(name: str, host: str, status_port: int | None) -> None:
    """Runs the loops of one service: outbox, events, deadlines, errands.

    \b
    Example:
      haihe worker orders --status-port 8001
    """
    from infra.work import run_worker

    names = SERVICES if name == "all" else (name,)
    _refuse_to_start(names)
    run_worker(names, address=(host, status_port) if status_port else None)


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="HAIHE_HOST",
    show_envvar=True,
    help="Address to listen on.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8003, show_default=True, envvar="HAIHE_PORT", show_envvar=True
)
@click.option("--descriptor", type=click.IntRange(3), hidden=True, help="A socket that listens already.")
def streams(host: str, port: int, descriptor: int | None) -> None:
    """Serves server-sent events and WebSockets: what gates say, and EPCIS events as they come.

    \b
    Example:
      haihe streams --host 0.0.0.0 --port 8003
    """
    from infra.streams import listen, run_streams

    _refuse_to_start(("logistics",))
    run_streams(socket.socket(fileno=descriptor) if descriptor else listen(host, port))


def _refuse_to_start(names: Sequence[str]) -> None:
    refuse_sample_secrets(settings.read())
    for name in names:
        refuse_unmigrated(name)


COMMANDS = (web, worker, streams)
