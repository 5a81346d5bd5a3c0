"""The handlers of a service's topics, joined: an event may have several."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chassis.envelope import Event
from chassis.problems import NotYetKnown
from chassis.service import Together, join_handlers, together


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


def test_what_several_topics_hear_each_takes_in_in_their_order() -> None:
    heard: list[tuple[str, list[str]]] = []

    def one(session: object, caller: object, event: Opened) -> None:
        heard.append(("one", [event.thing_id]))

    @together
    def many(session: object, caller: object, events: Sequence[Opened]) -> None:
        heard.append(("many", [event.thing_id for event in events]))

    joined = join_handlers({Opened: one}, {Opened: many, Closed: light_lamp})
    assert set(joined) == {Opened, Closed} and isinstance(joined[Opened], Together)
    joined[Opened].take_in(None, None, [Opened(thing_id="a"), Opened(thing_id="b")])
    assert heard == [("one", ["a"]), ("one", ["b"]), ("many", ["a", "b"])]


def test_when_one_topic_cannot_take_an_event_in_none_goes_on() -> None:
    heard: list[str] = []

    def wait(session: object, caller: object, event: Opened) -> None:
        raise NotYetKnown("the door")

    def note(session: object, caller: object, event: Opened) -> None:
        heard.append(event.thing_id)

    with pytest.raises(NotYetKnown):
        join_handlers({Opened: wait}, {Opened: note})[Opened](None, None, Opened(thing_id="a"))
    assert heard == []
