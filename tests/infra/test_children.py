"""Keeping processes alive: restarts with back-off, giving up, dying with the parent, leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from infra.children import Child, GaveUp, Process, end_leftovers

FOREVER = "import signal; print('up', flush=True); signal.pause()"


def python(code: str, log: Path, **options: float) -> Process:
    return Process([sys.executable, "-c", code], environ=dict(os.environ), log=log, **options)


def wait_until(holds: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.01)


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    child = Child("it", python(FOREVER, tmp_path / "log"))
    child.start()
    first = child.thing.process.pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not child.thing.is_running())
    wait_until(lambda: child.look_after() and child.thing.is_running())
    assert child.thing.process.pid != first
    assert child.describe()["restarts"] == 1
    child.thing.stop()
    assert not child.thing.is_running()


def test_five_deaths_in_a_minute_are_too_many(tmp_path: Path) -> None:
    child = Child("it", python("raise SystemExit('the reason it dies')", tmp_path / "log"))
    child.start()
    with pytest.raises(GaveUp, match=r"it died 5 times(?s:.)*exit status 1(?s:.)*the reason it dies"):
        wait_until(lambda: child.look_after() is None, within_s=60.0)
    assert child.restarts == 4


def test_deaths_further_apart_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    child = Child("it", python("raise SystemExit(1)", tmp_path / "log"))
    child.deaths.extend([now - 100, now - 90, now - 80, now - 70])
    child.start()
    wait_until(lambda: not child.thing.is_running())
    child.look_after()
    assert len(child.deaths) == 1


def test_each_back_off_is_longer_than_the_one_before(tmp_path: Path) -> None:
    child = Child("it", python("raise SystemExit(1)", tmp_path / "log"))
    child.start()
    waits = []
    for _ in range(3):
        wait_until(lambda: not child.thing.is_running())
        child.look_after()
        waits.append(child._start_at - time.monotonic())
        wait_until(lambda: child.look_after() and child._start_at is None)
    assert waits == sorted(waits)
    assert waits[2] > 2 * waits[0]
    child.thing.stop()


def test_a_child_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
    process = python(deaf, tmp_path / "log", patience_s=0.2)
    process.start()
    wait_until(lambda: "up" in (tmp_path / "log").read_text())
    process.stop()
    assert process.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = f"""
import os, signal, sys
from pathlib import Path
from infra.children import Process
process = Process([sys.executable, "-c", {FOREVER!r}], environ=dict(os.environ), log=Path({str(tmp_path / "log")!r}))
process.start()
print(process.process.pid, flush=True)
signal.pause()
"""
    parent = subprocess.Popen([sys.executable, "-c", supervisor], stdout=subprocess.PIPE)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_leftovers_are_ended_and_strangers_left_alone(tmp_path: Path) -> None:
    ours, stranger = python(FOREVER, tmp_path / "a"), python(FOREVER, tmp_path / "b")
    ours.start()
    stranger.start()
    state = {
        "web": {"pid": ours.process.pid, "born": psutil.Process(ours.process.pid).create_time()},
        "worker": {"pid": stranger.process.pid, "born": 1.0},
        "gone": {"pid": None, "born": None},
    }
    assert end_leftovers(state) == ["web"]
    assert not ours.is_running()
    assert stranger.is_running()
    stranger.stop()
