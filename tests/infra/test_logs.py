"""Logs are rotated under their writers, and nothing that is written meanwhile is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra import logs
from infra.logs import read_end, rotate, take_out

LINE = b"x" * 99 + b"\n"


def parts(log: Path) -> list[Path]:
    """A log and what was moved out of it, the oldest first."""
    return [*sorted(log.parent.glob(f"{log.name}.*"), key=lambda one: -int(one.suffix[1:])), log]


def test_a_large_log_moves_on_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(4):
            writer.write(b"%d" % number * 20_000)
            rotate(log, max_bytes=10_000, keep=2)
            assert log.stat().st_size < 10_000
        writer.write(b"after")
    assert [part.name for part in parts(log)] == ["web.log.2", "web.log.1", "web.log"]
    kept = b"".join(part.read_bytes() for part in parts(log))
    assert kept.endswith(b"3" * 20_000 + b"after") and b"0" not in kept


def test_a_file_system_that_cannot_take_blocks_out_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "take_out", lambda *_: False)
    log = tmp_path / "web.log"
    log.write_bytes(LINE * 1000)
    rotate(log, max_bytes=50_000)
    assert (log.read_bytes(), (tmp_path / "web.log.1").read_bytes()) == (b"", LINE * 1000)


def test_nothing_is_lost_that_is_written_while_it_moves(tmp_path: Path) -> None:
    log, count = tmp_path / "web.log", 300_000
    log.write_bytes(LINE * 100)
    with log.open("r+b") as file:
        if not take_out(file, 4096):
            pytest.skip("the file system of the temporary folder cannot take blocks out of a file")
    log.unlink()
    code = f"import os\nfor n in range({count}): os.write(1, b'%099d\\n' % n)"
    with log.open("ab") as output:
        writers = [subprocess.Popen([sys.executable, "-c", code], stdout=output) for _ in range(2)]
    while any(writer.poll() is None for writer in writers):
        rotate(log, max_bytes=200_000, keep=400)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(parts(log)) > 3
    lines = b"".join(part.read_bytes() for part in parts(log)).splitlines()
    assert sorted(map(int, lines)) == sorted([*range(count), *range(count)])


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("one line\n")
    rotate(log, max_bytes=50)
    assert [path.name for path in tmp_path.iterdir()] == ["web.log"]


def test_a_disk_without_room_leaves_the_log_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(LINE * 1000)
    full = logs.shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(logs.shutil, "disk_usage", lambda _: full)
    rotate(log, max_bytes=50_000)
    assert [path.name for path in tmp_path.iterdir()] == ["web.log"]


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    assert read_end(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(30)))
    assert read_end(log, 2) == "line 28\nline 29"
