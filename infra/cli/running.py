"""up, down and status of the embedded platform."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import click
import msgspec
import psutil

from infra.cli.place import DEFAULT_PORT, Place, with_place
from infra.embedded import Platform
from infra.failures import AlreadyRunning, Failure, NotRunning
from infra.logs import read_end

STOPS_WITHIN_S = 120.0
STARTS_WITHIN_S = 180.0
NOT_READY = 11


@click.command()
@click.option("--detach", is_flag=True, help="Return as soon as it is ready; stop it with `haihe down`.")
@click.option(
    "--streams-port",
    type=click.IntRange(1, 65535),
    help="Port for streams; the one behind --port, or any that is free, when not given.",
)
@click.option("--demo", "play", is_flag=True, help="Make sample data and play the steel trade on them, once.")
@with_place
def up(place: Place, detach: bool, play: bool, streams_port: int | None) -> None:
    """Starts the platform and looks after it until Ctrl-C or `haihe down`.

    \b
    Example:
      haihe up --data ./data --port 8080
    """
    if play:
        from infra.demo.samples import mark_as_sample

        mark_as_sample(place.folder)
    if detach:
        _detach(place, play, streams_port)
        return
    port = place.port or DEFAULT_PORT
    platform = Platform(place.folder, port=port, streams_port=streams_port, say=_say(place))
    platform.stop_on_signals()
    with platform.up():
        if platform.told_to_stop.is_set():
            return
        if play:
            _play(place, platform)
        if platform.told_to_stop.is_set():
            return
        platform.announce()
        told = {"url": platform.url, "streams": platform.streams_url, "pid": os.getpid()}
        place.tell(told, _show_addresses(told, place))
        platform.look_after()


def _say(place: Place) -> Any:
    return (lambda line: None) if place.as_json else lambda line: click.echo(f"· {line}", err=True)


def _play(place: Place, platform: Platform) -> None:
    """Plays the trade while the platform is looked after in this, the children's own, thread."""
    from infra.demo.steel import play_once

    failed: list[BaseException] = []

    def run() -> None:
        try:
            play_once(place.folder, platform.url, show=None if place.as_json else click.echo)
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    done = threading.Event()
    threading.Thread(target=run, name="demo", daemon=True).start()
    platform.look_after(until=done)
    if failed:
        raise Failure(f"The steel trade did not come off: {failed[0]}") from failed[0]


def _show_addresses(told: dict[str, Any], place: Place) -> str:
    from infra.demo.samples import show_sample_users

    url = told["url"]
    lines = ["", f"Haihe is up at {url}"]
    lines += [f"  API docs  {url}/docs", f"  OpenAPI   {url}/openapi.json", f"  health    {url}/health"]
    lines += [f"  readiness {url}/ready", f"  metrics   {url}/metrics"]
    lines += [f"  streams   {told['streams']}", f"  data      {place.folder.path}"]
    lines += ["", *show_sample_users(place.folder)] if place.folder.is_sample else []
    return "\n".join([*lines, "", "Ctrl-C stops it; the data stay."])


def _detach(place: Place, play: bool, streams_port: int | None) -> None:
    folder, port = place.folder, place.port or DEFAULT_PORT
    folder.make()
    if (pid := folder.holder()) is not None:
        raise AlreadyRunning(f"Haihe already runs on {folder.path} (process {pid}).")
    command = [sys.executable, "-m", "infra.cli", "up", "--data", str(folder.path), "--port", str(port)]
    command += ["--streams-port", str(streams_port)] if streams_port else []
    log = folder.logs / "supervisor.log"
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [*command, "--demo"] if play else command,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not _is_up(place, supervisor.pid):
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = supervisor.wait(0.2)
            failure = Failure(read_end(log, 12).removeprefix("haihe: ") or "The platform ended at once.")
            failure.code = code or 1
            raise failure
        if time.monotonic() > deadline:
            raise Failure(f"Not ready after {STARTS_WITHIN_S:.0f} s; it goes on trying. See {log}.")
    state = place.folder.read_state()
    told = {"url": state["url"], "streams": state["streams"], "pid": supervisor.pid}
    place.tell(told, _show_addresses(told, place))


def _is_up(place: Place, pid: int) -> bool:
    state = place.folder.read_state()
    return state.get("pid") == pid and state.get("announced", False)


@click.command()
@with_place
def down(place: Place) -> None:
    """Stops the platform of a data folder; what was accepted is finished first.

    \b
    Example:
      haihe down --data ./data
    """
    pid = place.folder.holder()
    if pid is None:
        raise NotRunning(f"Nothing runs on {place.folder.path}.")
    supervisor = psutil.Process(pid)
    supervisor.send_signal(signal.SIGTERM)
    try:
        supervisor.wait(STOPS_WITHIN_S)
    except psutil.TimeoutExpired:
        raise Failure(
            f"Process {pid} has not stopped within {STOPS_WITHIN_S:.0f} s; see {place.folder.logs}."
        ) from None
    place.tell({"stopped": pid}, "Stopped.")


@click.command()
@with_place
def status(place: Place) -> None:
    """Says what runs on a data folder and whether each service and loop is ready. Exit status 8: nothing runs; 11:
    not ready.

    \b
    Example:
      haihe status --data ./data --json
    """
    folder = place.folder
    if folder.holder() is None:
        raise NotRunning(f"Nothing runs on {folder.path}.")
    state = folder.read_state()
    readiness = _ask_readiness(state["url"])
    place.tell(state | {"readiness": readiness}, _show_status(state, readiness))
    if not readiness["ready"]:
        raise click.exceptions.Exit(NOT_READY)


def _ask_readiness(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=10.0) as answer:
            return msgspec.json.decode(answer.read())
    except urllib.error.HTTPError as refused:
        return msgspec.json.decode(refused.read())
    except OSError as error:
        return {"ready": False, "services": [], "problem": f"{url} does not answer: {error}"}


def _show_status(state: dict[str, Any], readiness: dict[str, Any]) -> str:
    lines = [f"{state['url']}  up since {state['started']}  {'ready' if readiness['ready'] else 'NOT READY'}"]
    lines += [f"{state['streams']}  streams"] if state.get("streams") else []
    for name, child in state["children"].items():
        running = f"process {child['pid']}" if child["running"] else "not running"
        lines.append(f"  {name:<15} {running}, started again {child['restarts']} times")
    for service in readiness["services"]:
        wrong = [f"{loop}: {said}" for loop, said in service["loops"].items() if said != "ok"]
        trouble = [service["problem"]] if service["problem"] else wrong
        lines.append(f"  {service['service']:<15} {'; '.join(trouble) or ', '.join(service['loops'])}")
    lines += [f"  {readiness['problem']}"] if readiness.get("problem") else []
    return "\n".join(lines)


COMMANDS = (up, down, status)
