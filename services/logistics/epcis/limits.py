"""How much the repository takes at once."""

from __future__ import annotations

from datetime import timedelta

MOST_EVENTS = 5_000
"""In one document that is captured."""
MOST_BYTES = 16 << 20
"""Of one document; what nginx lets through too."""
MOST_VALUES = 1_000_000
"""Values of JSON, or elements and attributes of XML, in one document: each takes far more room than its text."""
MOST_MASTER = 10_000
"""Elements of master data in one document."""
MOST_PREFIXES = 100
"""That one document or event declares."""
LONGEST_NAMESPACE = 250
"""Characters of a namespace, and of a prefix: a namespace is written out wherever its prefix stands."""
JOBS_KEPT = timedelta(days=400)
"""Jobs of captures; what they captured is kept for ever."""
