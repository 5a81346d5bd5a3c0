"""What is packed in what, folded from aggregations in any order of capture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.logistics.epcis.contents import fold_contents

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def fold(*told: tuple[str, str | None, list[str]]) -> dict[str, set[str]]:
    """The contents after (action, parent, children), a minute apart."""
    events: dict[tuple[datetime, str], dict[str, Any]] = {}
    for place, (action, parent, children) in enumerate(told):
        fields = {"action": action, "childEPCs": children} | ({"parentID": parent} if parent else {})
        events[NOW + timedelta(minutes=place), "id"] = fields
    shuffled = dict(sorted(events.items(), reverse=True))
    return {parent: set(children) for parent, children in fold_contents(shuffled).items()}


def test_children_are_packed_and_unpacked() -> None:
    packed = ("ADD", "P", ["a", "b", "c"])
    assert fold(packed) == {"P": {"a", "b", "c"}}
    assert fold(packed, ("DELETE", "P", ["a"])) == {"P": {"b", "c"}}
    assert fold(packed, ("DELETE", "P", [])) == {}
    assert fold(packed, ("DELETE", "Q", ["a"])) == {"P": {"a", "b", "c"}}
    assert fold(packed, ("DELETE", None, ["a", "b"])) == {"P": {"c"}}


def test_a_child_is_in_one_parent() -> None:
    assert fold(("ADD", "P", ["a", "b"]), ("ADD", "Q", ["a"])) == {"P": {"b"}, "Q": {"a"}}
