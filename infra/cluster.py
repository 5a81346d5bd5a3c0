"""One embedded PostgreSQL: made once in a data folder, started, stopped, killed, and found again.

It listens on a Unix socket only and takes scram passwords only; they are in ``DATA/secrets``. It is a child of the
process that starts it and stops cleanly when that one dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import psycopg

from infra import databases, programs
from infra.failures import DatabaseUnreachable, DiskFull
from infra.secrets import read_or_make_secret

SUPERUSER = "postgres"
PORT = 5432
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
FREE_BYTES_NEEDED = 256 * 1024 * 1024
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    "log_min_duration_statement": "1s",
    "autovacuum_naptime": "20s",
}
# What a test may give up: durability over a power cut. A killed server still finds all that was committed.
UNSAFE_BUT_FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


def die_with_parent(stop_signal: int) -> None:
    """Asks Linux to send this process ``stop_signal`` when the thread that started it ends. For ``preexec_fn``."""
    if sys.platform == "linux":
        _LIBC.prctl(1, stop_signal, 0, 0, 0)


_LIBC = ctypes.CDLL(None, use_errno=True)


class Cluster:
    """An embedded PostgreSQL in ``folder`` (a data folder of Haihe): ``start`` makes it on first use.

    ``settings`` are lines of postgresql.conf over ours. Start it from a thread that lives as long as it should.
    """

    def __init__(self, folder: Path, *, max_connections: int = 100, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.settings = {**SETTINGS, "max_connections": str(max_connections), **(settings or {})}
        self.secrets = self.folder / "secrets"
        self.log = self.folder / "logs" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def files(self) -> Path:
        """PostgreSQL's data directory."""
        return (self.folder / "postgres").resolve() / "data"

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket: the ``host`` of a connection."""
        return programs.place_socket((self.folder / "postgres").resolve())

    def start(self) -> None:
        """Starts the server and returns when it takes connections; makes the data first if there is none.

        Raises DatabaseUnreachable with the end of the log, or DiskFull.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(exist_ok=True)
        if shutil.disk_usage(self.folder).free < FREE_BYTES_NEEDED:
            raise DiskFull(
                f"Less than {FREE_BYTES_NEEDED // 2**20} MB are free under {self.folder}. Make room and start again."
            )
        self._put_out_others()
        programs.place_files(self.folder)
        if not (self.files / "PG_VERSION").exists():
            self._make_files()
        self._launch()
        self._await_ready()

    def _make_files(self) -> None:
        part = self.files.with_name("data.part")
        shutil.rmtree(part, ignore_errors=True)
        with programs.lend_file(
            self.files.with_name("password"), read_or_make_secret(self.secrets, "postgres")
        ) as password:
            command = [
                str(programs.locate_programs() / "initdb"),
                "-D",
                str(part),
                "-U",
                SUPERUSER,
                f"--pwfile={password}",
            ]
            command += ["--auth=scram-sha-256", "--encoding=UTF8"]
            command += ["--locale-provider=builtin", "--locale=C", "--builtin-locale=C.UTF-8"]
            made = subprocess.run(command, capture_output=True, text=True, cwd="/", env=_environment(), **_identity())
        if made.returncode:
            raise _start_failure(made.stdout + made.stderr)
        part.rename(self.files)

    def _launch(self) -> None:
        settings = {**self.settings, "unix_socket_directories": str(self.socket), "port": str(PORT)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(programs.locate_programs() / "postgres"), "-D", str(self.files), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_environment(), start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGINT), **_identity(),
            )  # fmt: skip

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self.process is None or self.process.poll() is not None:
                raise _start_failure(self._log_end())
            if time.monotonic() > deadline:
                self.kill()
                raise DatabaseUnreachable(f"PostgreSQL was not ready in {START_TIMEOUT_S:.0f} s; see {self.log}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)

    def _is_ready(self) -> bool:
        try:
            lines = (self.files / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            self.process is not None
            and len(lines) > 7
            and lines[0] == str(self.process.pid)
            and lines[7].strip() == "ready"
        )

    def _log_end(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read()[-4000:].decode(errors="replace")

    def _put_out_others(self) -> None:
        """Stops a server that a killed owner left on these files, and removes a lock file that names some other
        program.
        """
        lock = self.files / "postmaster.pid"
        if self.is_running() or not lock.exists():
            return
        left = [other for other in psutil.process_iter(["pid", "cmdline"]) if self._is_ours(other)]
        for other in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                other.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(left, timeout=STOP_TIMEOUT_S)
        if alive:
            raise DatabaseUnreachable(
                f"Another PostgreSQL (pid {alive[0].pid}) still holds {self.files}. Stop it and start again."
            )
        lock.unlink(missing_ok=True)

    def _is_ours(self, other: psutil.Process) -> bool:
        command = other.info["cmdline"] or []
        return len(command) > 2 and command[0].endswith("postgres") and command[1:3] == ["-D", str(self.files)]

    def is_running(self) -> bool:
        """Whether the server that this object started is alive."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ends sessions, writes everything out and stops; nothing happens when it does not run."""
        if self.process is None or not self.is_running():
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kills the server and all its processes at once, as a power cut would: kill −9."""
        if self.process is None or not self.is_running():
            return
        postmaster = psutil.Process(self.process.pid)
        family = [postmaster, *postmaster.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait()
        while any(_is_alive(member) for member in family):
            time.sleep(0.005)

    def superuser_url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL of the superuser."""
        password = read_or_make_secret(self.secrets, "postgres")
        return databases.url(host=str(self.socket), port=PORT, database=database, role=SUPERUSER, password=password)

    @contextlib.contextmanager
    def administer(self) -> Iterator[psycopg.Connection]:
        """An autocommit connection of the superuser."""
        with psycopg.connect(databases.libpq(self.superuser_url()), autocommit=True) as admin:
            yield admin

    def address(self, name: str, service: str | None = None) -> databases.Address:
        """The addresses of a database whose roles are named after ``service`` (default: after the database)."""
        role = service or name
        owner, app = (self._url(name, f"{role}_{kind}") for kind in ("owner", "app"))
        return databases.Address(owner=owner, app=app)

    def _url(self, database: str, role: str) -> str:
        password = read_or_make_secret(self.secrets, role)
        return databases.url(host=str(self.socket), port=PORT, database=database, role=role, password=password)

    def create_database(
        self, name: str, *, service: str | None = None, template: str | None = None
    ) -> databases.Address:
        """Makes the database and its two roles unless they are there. ``template`` copies another database (nobody
        may be in it).
        """
        role = service or name
        with self.administer() as admin:
            for kind in ("owner", "app"):
                databases.ensure_role(admin, f"{role}_{kind}", read_or_make_secret(self.secrets, f"{role}_{kind}"))
            databases.ensure_database(admin, name, owner=f"{role}_owner", app=f"{role}_app", template=template)
        return self.address(name, service)

    def drop_database(self, name: str) -> None:
        """Drops the database with all sessions in it; its roles stay."""
        with self.administer() as admin:
            databases.drop_database(admin, name)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def _identity() -> dict:
    user = programs.database_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _start_failure(log: str) -> DatabaseUnreachable | DiskFull:
    if "No space left on device" in log:
        return DiskFull("PostgreSQL found no space left on the device. Make room and start again; nothing is lost.")
    if "shared memory block" in log:
        return DatabaseUnreachable("Processes of a killed PostgreSQL are still ending. Start again in a moment.")
    return DatabaseUnreachable("PostgreSQL did not start:\n" + "\n".join(log.splitlines()[-12:]))
