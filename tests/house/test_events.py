"""What services tell each other keeps its word: schemas are committed and only ever grow by optional fields."""

from __future__ import annotations

import json
import re

import pytest

from chassis.migrate import SERVICES
from events.schema import FOLDER, all_events, breaks, schema_of
from infra.assembly import load_services

EVENTS = all_events()


def test_wire_names_are_written_out_and_belong_to_their_speaker() -> None:
    assert len({event.type for event in EVENTS}) == len(EVENTS)
    for event in EVENTS:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+\.v[1-9][0-9]*", event.type)
        assert event.type.partition(".")[0] == event.__module__.removeprefix("events.") == event.topic.partition(".")[0]
        assert event.__doc__ and event.key in event.__struct_fields__


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_a_committed_schema_never_changes_for_its_hearers(event) -> None:
    committed = json.loads((FOLDER / f"{event.type}.json").read_text())
    assert breaks(committed, schema_of(event)) == []
    assert committed == schema_of(event), "run `make docs` and commit the schema"


def test_no_schema_is_thrown_away() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {event.type for event in EVENTS}


def test_a_removed_field_and_a_new_required_one_are_seen() -> None:
    old = {"$defs": {"E": {"properties": {"a": {"type": "string"}}, "required": ["a"]}}}
    gone = {"$defs": {"E": {"properties": {}, "required": []}}}
    more = {"$defs": {"E": {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "b"]}}}
    optional = {"$defs": {"E": {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}}}
    other = {"$defs": {"E": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}}}
    assert breaks(old, gone) and breaks(old, more) and breaks(old, other) and not breaks(old, optional)


def test_a_vocabulary_may_gain_words_and_lose_none() -> None:
    def schema(*words: str, kind: str = "string") -> dict[str, object]:
        return {"$defs": {"E": {"properties": {"a": {"enum": list(words), "type": kind}}, "required": ["a"]}}}

    assert not breaks(schema("x", "y"), schema("y", "z", "x"))
    assert breaks(schema("x", "y"), schema("x", "z")) and breaks(schema("x"), schema("x", kind="integer"))


def test_every_event_in_the_topic_of_a_service_is_heard_by_somebody() -> None:
    """A topic of another name (observations, milestones) is there for whoever follows it from outside."""
    heard = {event for service in load_services() for event in service.handlers}
    loops = (loop for service in load_services() for loop in service.loops.values())
    heard |= {event for loop in loops for event in getattr(loop, "hears", ())}
    streamed = {topic for service in load_services() for topic in service.streams}
    unheard = [event for event in EVENTS if event not in heard and event.topic not in streamed]
    assert [event.type for event in unheard if event.topic in SERVICES] == []
