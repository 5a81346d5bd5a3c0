"""What a route's function takes and gives, read once from its annotations."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers

from chassis.auth import Caller
from chassis.limits import find_unlimited
from chassis.problems import Refused
from chassis.wire import Pairs, Published

_FIXED: dict[str, type] = {"session": Session, "caller": Caller, "headers": Headers}


@dataclass(frozen=True, slots=True)
class Signature:
    """The parts of a request that a function asks for by name, and what it returns.

    ``body`` is a struct, ``bytes`` or None; ``params`` a struct, ``Pairs`` or None; ``view`` is what is returned apart from
    Refused, None when nothing is; ``publishes`` that it comes with messages for the broker.
    """

    takes_session: bool
    takes_caller: bool
    takes_headers: bool
    path: tuple[str, ...]
    body: Any
    params: Any
    view: Any
    may_refuse: bool
    publishes: bool


def read_signature(function: Callable[..., Any]) -> Signature:
    """The signature of a route's function.

    Raises TypeError for a parameter that is none of ``session``, ``caller``, ``headers``, ``body``, ``params`` or a
    path argument (``str`` or ``int``), for a missing annotation, and for a field of body or parameters that has no
    limit.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    hints = get_type_hints(function, include_extras=True)
    names = list(inspect.signature(function).parameters)
    if missing := [part for part in (*names, "return") if part not in hints]:
        raise TypeError(f"{name}: no annotation for {', '.join(missing)}")
    if wrong := [part for part, kind in _FIXED.items() if hints.get(part, kind) is not kind]:
        raise TypeError(f"{name}: {', '.join(wrong)} must have the type of the chassis")
    for part in ("body", "params"):
        if part in hints and hints[part] not in (bytes, Pairs) and (unlimited := list(find_unlimited(hints[part]))):
            raise TypeError(f"{name}: {part}: {'; '.join(unlimited)}")
    path = tuple(part for part in names if part not in _FIXED and part not in ("body", "params"))
    if strange := [part for part in path if hints[part] not in (str, int)]:
        raise TypeError(f"{name}: {', '.join(strange)} cannot come from the path")
    view, may_refuse = _without_refused(hints["return"])
    if publishes := get_origin(view) is Published:
        (view,) = get_args(view)
    return Signature(
        takes_session="session" in names,
        takes_caller="caller" in names,
        takes_headers="headers" in names,
        path=path,
        body=hints.get("body"),
        params=hints.get("params"),
        view=view,
        may_refuse=may_refuse,
        publishes=publishes,
    )


def _without_refused(returned: Any) -> tuple[Any, bool]:
    if get_origin(returned) not in (Union, types.UnionType):
        return (None, True) if returned is Refused else (None if returned is type(None) else returned, False)
    options = get_args(returned)
    kept = tuple(option for option in options if option is not Refused)
    return Union[kept], Refused in options  # noqa: UP007
