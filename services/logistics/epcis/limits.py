"""How much the repository takes at once."""

from __future__ import annotations

MOST_EVENTS = 5_000
"""In one document that is captured."""
MOST_BYTES = 16 << 20
"""Of one document; what nginx lets through too."""
MOST_MASTER = 10_000
"""Elements of master data in one document."""
