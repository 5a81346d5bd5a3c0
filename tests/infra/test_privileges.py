"""Giving up root: whose the children are, what they are handed, and what is said where it cannot be."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import privileges
from infra.privileges import environment_of, give_up_root, identity
from infra.programs import database_user, may_pass

NOBODY = pwd.struct_passwd(("nobody", "x", 65534, 65534, "", "/nonexistent", "/bin/false"))
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")
with_open_python = pytest.mark.skipif(
    os.geteuid() != 0 or not may_pass(Path(sys.executable).resolve().parent, database_user()),
    reason="this Python is where nobody but root can reach it",
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that anybody may pass into, with a file in it."""
    with tempfile.TemporaryDirectory(prefix="haihe-test-") as folder:
        Path(folder).chmod(0o711)
        inner = Path(folder) / "index"
        inner.mkdir(mode=0o700)
        (inner / "kept").touch()
        yield inner


@with_open_python
def test_web_and_worker_run_as_the_database_user_and_own_what_they_write(place: Path) -> None:
    user, warning = give_up_root([place])
    assert (user, warning) == (database_user(), "")
    assert {path.stat().st_uid for path in (place, place / "kept")} == {user.pw_uid}
    code = f"import os; os.remove({str(place / 'kept')!r}); print(os.getresuid(), os.getgroups())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, **identity(user))
    assert done.stdout == f"{(user.pw_uid,) * 3} []\n"


@with_open_python
def test_what_cannot_be_reached_is_named_and_they_stay_root(place: Path) -> None:
    place.parent.chmod(0o700)
    user, warning = give_up_root([place])
    assert user is None
    assert warning == (
        f"Web and worker run as root, because the user {database_user().pw_name} cannot reach what they need: "
        f"{place} is closed to it"
    )


@as_root
def test_a_python_in_roots_own_folder_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.parent.chmod(0o700)
    hidden = place.parent / "python"
    hidden.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(hidden))
    user, warning = give_up_root([place])
    assert user is None and warning.endswith(f"{hidden}: Permission denied")


def test_whoever_is_not_root_stays_who_they_are(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "database_user", lambda: None)
    assert give_up_root([place]) == (None, "")
    assert (place.stat().st_uid, identity(None)) == (os.geteuid(), {})


def test_secrets_are_handed_over_as_values(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("the key\n")
    given = {"HAIHE_SIGNING_KEY_FILE": str(tmp_path / "key"), "SOME_FILE": "/x", "HAIHE_MEMBER": "a", "HOME": "/root"}
    assert environment_of(NOBODY, given) == {
        "HAIHE_SIGNING_KEY": "the key",
        "SOME_FILE": "/x",
        "HAIHE_MEMBER": "a",
        "HOME": "/nonexistent",
        "USER": "nobody",
        "LOGNAME": "nobody",
    }
