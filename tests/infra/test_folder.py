"""The data folder: one holder at a time, a lock that no kill leaves behind, a note that survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.failures import AlreadyRunning
from infra.folder import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make()
    return made


def test_a_second_holder_is_refused_and_told_who_the_first_is(folder: DataFolder) -> None:
    with folder.held():
        assert DataFolder(folder.path).holder() == os.getpid()
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}.*haihe down"), DataFolder(folder.path).held():
            pass
    assert folder.holder() is None


def test_a_killed_holder_leaves_no_lock(folder: DataFolder) -> None:
    code = f"""
import os, signal
from pathlib import Path
from infra.folder import DataFolder
with DataFolder(Path({str(folder.path)!r})).held():
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert folder.holder() is None
    with folder.held():
        pass


def test_a_torn_note_is_no_note(folder: DataFolder) -> None:
    folder.write_state({"url": "http://127.0.0.1:1"})
    assert folder.read_state() == {"url": "http://127.0.0.1:1"}
    (folder.run / "state.json").write_text('{"url": ')
    assert folder.read_state() == {}


def test_what_is_private_is_closed_to_others(folder: DataFolder) -> None:
    for place in (folder.secrets, folder.logs, folder.mail, folder.run):
        assert place.stat().st_mode & 0o077 == 0
