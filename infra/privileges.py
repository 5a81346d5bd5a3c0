"""Which account web and worker run as when root starts the platform: the one that PostgreSQL drops to, where it can.

It must be able to read the programs and to write the search index and mail; whether it can is tried, not guessed. What it
may not read (secrets, logs) it is handed: secrets as values of its environment, logs as open files.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.programs import database_user

TRY_WITHIN_S = 60.0
_TRY = """
import os, sys
import infra.web, infra.work
for place in sys.argv[1:]:
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        raise SystemExit(f"{place} is closed to it")
"""


def give_up_root(places: Iterable[Path]) -> tuple[pwd.struct_passwd | None, str]:
    """The account for web and worker, which then owns ``places``; None when they stay who we are, and why if we are root."""
    user = database_user()
    if user is None:
        return None, ""
    own = [place.resolve() for place in places]
    for place in own:
        hand_over(place, user)
    if said := _try_as(user, own):
        return None, f"Web and worker run as root, because the user {user.pw_name} cannot reach what they need: {said}"
    return user, ""


def _try_as(user: pwd.struct_passwd, places: list[Path]) -> str:
    """What stops the user from running our programs and writing to the places; empty when nothing does."""
    command = [sys.executable, "-c", _TRY, *map(str, places)]
    environ = {**os.environ, "HOME": user.pw_dir}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TRY_WITHIN_S, check=False, env=environ, **identity(user)
        )
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return ""


def hand_over(place: Path, user: pwd.struct_passwd) -> None:
    """Makes a folder and all in it the user's; links are not followed."""
    for folder, folders, files in os.walk(place):
        for name in (".", *folders, *files):
            os.chown(Path(folder) / name, user.pw_uid, user.pw_gid, follow_symlinks=False)


def identity(user: pwd.struct_passwd | None) -> dict:
    """What ``subprocess`` is told to run a program as a user in no group but its own; nothing for who we are."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def environment_of(user: pwd.struct_passwd, environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for a user: its own home, and settings that were given as files as their contents."""
    told = {
        name: value for name, value in environ.items() if not (name.startswith("HAIHE_") and name.endswith("_FILE"))
    }
    for name in environ.keys() - told.keys():
        told[name.removesuffix("_FILE")] = Path(environ[name]).read_text().strip()
    return told | {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}
