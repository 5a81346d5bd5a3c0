"""How a test makes the sandbox misbehave: scripts that wait for their moment, each used a stated number of times.

- on ``request``, matched by method and path (patterns), a fault: ``status`` (nothing is done),
  ``status_after_commit``, ``lose_answer`` (done, no answer), ``drop`` (not done, no answer), ``hang`` some seconds.
- on ``card``: ``decline`` with a code, or the outcome ``processing`` until it is settled.
- on ``webhook``, matched by type, an action: ``drop``, ``duplicate``, ``delay`` delay_s, ``reorder`` (behind the next).
"""

from fnmatch import fnmatchcase
from typing import Any

from infra.stripe_sandbox.errors import BadParameter
from infra.stripe_sandbox.objects import new_id
from infra.stripe_sandbox.store import Object, Store

SHAPES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "request": {"method": str, "path": str, "fault": str, "status": int, "seconds": (int, float)},
    "card": {"decline": str, "outcome": str},
    "webhook": {"type": str, "action": str, "delay_s": (int, float)},
}
ALLOWED = {
    "fault": ("status", "status_after_commit", "lose_answer", "drop", "hang"),
    "action": ("drop", "duplicate", "delay", "reorder"),
    "outcome": ("processing",),
}


def add(store: Store, script: dict[str, Any]) -> Object:
    """Keep a script for the next ``times`` (1) moments it matches. Raises BadParameter when it cannot be understood."""
    shape = SHAPES.get(script.get("on", ""))
    if shape is None:
        raise BadParameter("a script is on: request, card or webhook", param="on")
    for name, value in script.items():
        if name == "on":
            continue
        if not isinstance(value, {**shape, "times": int}.get(name, ())) or value not in ALLOWED.get(name, (value,)):
            raise BadParameter(f"a {script['on']} script cannot have {name}={value!r}", param=name)
    return store.put("scripts", {"id": new_id("script"), "times": 1, **script})


def clear(store: Store) -> None:
    """Behave again: every script is taken back."""
    for script in store.oldest_first("scripts"):
        store.drop("scripts", script["id"])


def take(store: Store, on: str, **moment: str) -> Object | None:
    """The oldest script that matches this moment, used up by one; None when nothing was scripted."""
    for script in store.oldest_first("scripts"):
        if script["on"] == on and all(fnmatchcase(value, script.get(name, "*")) for name, value in moment.items()):
            _use(store, script)
            return script
    return None


def _use(store: Store, script: Object) -> None:
    if script["times"] <= 1:
        store.drop("scripts", script["id"])
    else:
        store.put("scripts", {**script, "times": script["times"] - 1})
