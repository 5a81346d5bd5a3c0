"""What every test may ask for: an embedded PostgreSQL that lives as long as the pytest process."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.database import transaction_open
from chassis.telemetry import configure_logging
from infra.cluster import UNSAFE_BUT_FAST, Cluster
from tests.world import World, make_world

MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 1024**3


configure_logging(process="test", level="WARNING")


def _refuse_calls_in_transactions(event: str, _arguments: object) -> None:
    """No network call inside a transaction: whoever makes one in any test is told so there."""
    if event == "socket.connect" and transaction_open.get():
        raise AssertionError("a socket was opened while a transaction is open: make it an errand")


sys.addaudithook(_refuse_calls_in_transactions)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Makes ``xdist_group`` hold: xdist 3.8 writes a test's group where pytest 9.2 no longer looks for its name."""
    for item in items:
        if (named := vars(item).get("_nodeid")) and named != item.nodeid:
            item._id = type(item._id).parse(named)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL for this pytest process (each xdist worker has its own); safe against kill −9, not against a
    power cut.

    It lives in memory where there is room: copying a database is then ten times faster than on a slow disk.
    """
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="haihe-test-", dir=MEMORY if in_memory else None))
    folder.chmod(0o711)
    cluster = Cluster(folder, max_connections=200, settings=UNSAFE_BUT_FAST)
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def built_world(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The platform with its databases, made once a process."""
    world = make_world(cluster, tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@pytest.fixture
def world(built_world: World) -> Iterator[World]:
    """An empty platform in one process, with time standing still."""
    with built_world.at():
        built_world.begin()
        yield built_world
        built_world.rest()
