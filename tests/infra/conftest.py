"""The one platform that the tests of real processes share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.folder import DataFolder
from tests.infra.place import Place, free_port, wait_until


@pytest.fixture(scope="package")
def place() -> Iterator[Place]:
    """A platform with the steel trade played on it; left running or not by each test, run again where a test needs it."""
    folder = Path(tempfile.mkdtemp(prefix="haihe-platform-"))
    folder.chmod(0o711)
    place = Place(folder / "data", free_port())
    try:
        started = place.haihe("up", "--demo", "--detach")
        assert started.code == 0, started.err
        yield place
    finally:
        place.haihe("down")
        wiped = place.haihe("wipe")
    assert wiped.code == 0, wiped.err
    shutil.rmtree(folder)


@pytest.fixture
def up(place: Place) -> Place:
    if DataFolder(place.data).holder() is None:
        started = place.haihe("up", "--detach")
        assert started.code == 0, started.err
    wait_until(place.ready, "it to be ready")
    return place
