"""T1 and T2: event hash ids equal those that the reference publishes, and equal events hash alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.epcis.files import DATA, HASHES, hash_all, list_files, read_file


@pytest.mark.parametrize("name", list_files(f"{HASHES}/examples/*.jsonld", f"{HASHES}/examples/*.xml"))
def test_published_hashes(name: str) -> None:
    wanted = DATA / Path(name).with_suffix(".hashes")
    if not wanted.exists():
        pytest.skip(f"{wanted.name} is not in ../shared/data")
    assert hash_all(read_file(name)) == wanted.read_text().split()


@pytest.mark.parametrize("name", list_files(f"{HASHES}/expected_equal/*"))
def test_equal_events_hash_alike(name: str) -> None:
    hashes = hash_all(read_file(name))
    assert len(hashes) > 1
    assert len(set(hashes)) == 1
