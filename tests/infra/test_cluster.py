"""The embedded PostgreSQL: made, killed, found again; its roles; its folder where the database's user cannot go."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from chassis.migrate import HalfMigrated
from infra.cluster import UNSAFE_BUT_FAST, Cluster
from infra.databases import libpq
from infra.migrations import refuse_unmigrated
from infra.programs import database_user, may_pass, place_files


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="haihe-cluster-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def own(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder, max_connections=20, settings=UNSAFE_BUT_FAST)
    cluster.start()
    yield cluster
    cluster.stop()


def scalar(url: str, statement: str) -> object:
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        return connection.execute(statement).fetchone()[0]


def test_what_was_committed_is_there_after_kill(own: Cluster) -> None:
    address = own.create_database("orders")
    with psycopg.connect(libpq(address.owner)) as connection:
        connection.execute("create table kept (id int)")
        connection.execute("insert into kept values (1)")
    own.kill()
    assert not own.is_running()
    own.start()
    assert scalar(address.owner, "select count(*) from kept") == 1


def test_default_settings_are_durable(folder: Path) -> None:
    settings = Cluster(folder).settings
    assert not set(settings) & set(UNSAFE_BUT_FAST)
    assert settings["listen_addresses"] == ""


def test_the_application_may_connect_and_create_nothing(own: Cluster) -> None:
    address = own.create_database("orders")
    other = own.create_database("settlement")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scalar(address.app, "create table x (id int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        scalar(other.app.replace("settlement_app", "orders_app").replace(*_passwords(own)), "select 1")


def _passwords(cluster: Cluster) -> tuple[str, str]:
    return tuple((cluster.secrets / name).read_text().strip() for name in ("settlement_app", "orders_app"))


def test_no_password_no_entry(own: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(own.socket), port=5432, user="postgres", dbname="postgres")


def test_secrets_are_readable_by_their_owner_only(own: Cluster) -> None:
    own.create_database("orders")
    assert own.secrets.stat().st_mode & 0o077 == 0
    assert [path.name for path in own.secrets.iterdir() if path.stat().st_mode & 0o077] == []


def test_creating_a_database_again_changes_nothing(own: Cluster) -> None:
    first = own.create_database("orders")
    with psycopg.connect(libpq(first.owner)) as connection:
        connection.execute("create table kept (id int)")
    assert own.create_database("orders") == first
    assert scalar(first.owner, "select count(*) from kept") == 0


def test_a_copy_of_a_template_has_its_tables(own: Cluster) -> None:
    with psycopg.connect(libpq(own.create_database("orders").owner)) as connection:
        connection.execute("create table kept (id int)")
    copy = own.create_database("orders_copy", service="orders", template="orders")
    assert scalar(copy.owner, "select count(*) from kept") == 0
    own.drop_database("orders_copy")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        scalar(copy.owner, "select 1")


def test_no_process_starts_on_a_schema_of_before(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIHE_IDENTITY_DATABASE", cluster.create_database("of_before").app)
    with pytest.raises(HalfMigrated, match="identity_0001.*`haihe migrate` first"):
        refuse_unmigrated("identity")
    cluster.drop_database("of_before")
    refuse_unmigrated("identity")  # One that does not answer is met by whoever uses it.


def test_a_lock_file_that_names_another_program_is_not_in_the_way(own: Cluster) -> None:
    own.kill()
    lock = own.files / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    own.start()
    assert own.is_running()


def test_a_server_left_by_a_killed_owner_is_put_out(folder: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
import infra.cluster
infra.cluster.die_with_parent = lambda stop_signal: None
cluster = infra.cluster.Cluster(Path({str(folder)!r}), settings=infra.cluster.UNSAFE_BUT_FAST)
cluster.start()
print(cluster.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    left = int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False).stdout)
    assert psutil.pid_exists(left)
    cluster = Cluster(folder, settings=UNSAFE_BUT_FAST)
    cluster.start()
    try:
        assert scalar(cluster.superuser_url(), "select 1") == 1
        assert cluster.process.pid != left
    finally:
        cluster.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_root_keeps_files_where_the_database_user_can_go(folder: Path) -> None:
    user = database_user()
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    assert not may_pass(closed, user)
    place = place_files(closed)
    try:
        assert (closed / "postgres").is_symlink()
        assert may_pass(place.parent, user)
        assert place.stat().st_uid == user.pw_uid
        assert place_files(closed) == place
    finally:
        place.rmdir()
