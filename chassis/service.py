"""What a service is made of, as data: the composition roots (web, worker, world, command line) read nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from chassis.database import Model
from chassis.envelope import Event
from chassis.settings import Settings

if TYPE_CHECKING:
    from flask import Blueprint

    from chassis.brokers import Message

Handler = Callable[[Session, Any, Any], None]
Timer = Callable[[Session, Any, str], None]
StreamHandler = Callable[[Session, Any, "list[Message]"], None]


@dataclass(frozen=True)
class Errand:
    """A call to the outside world: ``call`` runs with no transaction open, ``record`` puts down what came of it.

    ``call(settings, payload, attempt)`` returns the outcome as a mapping, or raises: then it is tried again after a back-off, the
    same row id being the other side's idempotency key. After ``max_attempts`` it is left for the operator to see.
    """

    call: Callable[[Settings, dict[str, Any], int], dict[str, Any]]
    record: Callable[[Session, Any, dict[str, Any], dict[str, Any]], None]
    max_attempts: int = 12
    lease_s: int = 60


@dataclass(frozen=True)
class Invariant:
    """Something that is always true: ``query`` selects the ids that break it, as one text column ``id``."""

    name: str
    sentence: str
    query: str


@dataclass(frozen=True)
class Describer:
    """How a speaker says the present state of one of its things again, for ``haihe republish``."""

    model: type[Model]
    describe: Callable[[Session, Any], None]


class Together:
    """A handler that takes in all events of its type which stand one behind the other in a batch, oldest first.

    Made by ``@together``. Several may be about one thing, and any may have been asked before under another event id.
    """

    def __init__(self, take_in: Callable[[Session, Any, Sequence[Any]], None]) -> None:
        self.take_in = take_in
        update_wrapper(self, take_in)

    def __call__(self, session: Session, caller: Any, event: Event) -> None:
        """One event alone."""
        self.take_in(session, caller, [event])


together = Together
"""Decorates a handler whose third argument is a list of events: a bounded number of statements whatever their number."""


def join_handlers(*tables: Mapping[type[Event], Handler]) -> dict[type[Event], Handler]:
    """The handlers of a service's topics as one table. What several topics hear, each takes in, in their order here and in
    one transaction: when one of them must wait or fails, none has heard it.
    """
    hearers: dict[type[Event], list[Handler]] = {}
    for event, handler in (pair for table in tables for pair in table.items()):
        hearers.setdefault(event, []).append(handler)
    return {
        event: handlers[0] if len(handlers) == 1 else _one_after_the_other(handlers)
        for event, handlers in hearers.items()
    }


def _one_after_the_other(handlers: list[Handler]) -> Together:
    def take_in(session: Session, caller: Any, events: Sequence[Any]) -> None:
        for handler in handlers:
            if isinstance(handler, Together):
                handler.take_in(session, caller, events)
            else:
                for event in events:
                    handler(session, caller, event)

    return Together(take_in)


@dataclass(frozen=True)
class Service:
    """One service: its tables, routes, what it hears, what it does when time passes, and what must be true of it.

    ``nouns`` are the words behind ``/v1/`` that are its own, ``prefixes`` the paths beside ``/v1`` (``/epcis/v2``).
    """

    name: str
    base: type[Model]
    nouns: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    blueprints: tuple[Blueprint, ...] = ()
    handlers: Mapping[type[Event], Handler] = field(default_factory=dict)
    streams: Mapping[str, StreamHandler] = field(default_factory=dict)
    timers: Mapping[type[Model], Timer] = field(default_factory=dict)
    errands: Mapping[str, Errand] = field(default_factory=dict)
    describers: Mapping[str, Describer] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()
    loops: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    setup: Callable[[Session, Any, Settings], None] | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Where its routes are: its nouns and its prefixes."""
        return (*self.nouns, *self.prefixes)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that the service hears facts from."""
        return tuple(sorted({event.topic for event in self.handlers}))

    @property
    def by_type(self) -> dict[str, tuple[type[Event], Handler]]:
        """Wire name to event class and handler."""
        return {event.type: (event, handler) for event, handler in self.handlers.items()}
