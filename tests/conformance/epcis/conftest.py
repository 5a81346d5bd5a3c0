"""The repository as a partner reaches it, for files that nobody here wrote."""

from __future__ import annotations

import pytest

from tests.services.logistics.conftest import Stand, databases, stand
from tests.services.logistics.epcis_client import Partner

__all__ = ["databases", "partner", "stand"]


@pytest.fixture
def partner(stand: Stand) -> Partner:  # noqa: F811
    """A company that captures and asks."""
    return Partner(stand)
