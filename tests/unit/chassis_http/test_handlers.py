"""The handlers of a service's topics, joined: an event has one."""

from __future__ import annotations

import pytest

from chassis.envelope import Event
from chassis.service import join_handlers


class Opened(Event):
    """Something was opened."""

    type = "things.opened.v1"
    thing_id: str


class Closed(Event):
    """Something was closed."""

    type = "things.closed.v1"
    thing_id: str


def open_door(session: object, caller: object, event: Opened) -> None:
    pass


def light_lamp(session: object, caller: object, event: Opened) -> None:
    pass


def test_topics_that_hear_different_events_are_one_table() -> None:
    assert join_handlers({Opened: open_door}, {}, {Closed: light_lamp}) == {Opened: open_door, Closed: light_lamp}


def test_two_handlers_of_one_event_are_refused_with_both_names() -> None:
    with pytest.raises(ValueError, match=r"things\.opened\.v1 .*open_door and .*light_lamp"):
        join_handlers({Opened: open_door}, {Opened: light_lamp})
