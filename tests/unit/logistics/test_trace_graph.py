"""Walks of traces: each rule by an example, and all of them against a naive reading of the same sentences."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.logistics.trace.facts import AGGREGATION, ASSOCIATION, TRANSFORMATION, Amount, Fact
from services.logistics.trace.graph import BEGIN, END, Direction, Role, Walk
from services.logistics.trace.known import Known
from services.logistics.trace.stays import Stay, fold_stays

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
FORWARD, BACK = Direction.FORWARD, Direction.BACK


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def fact(id: str, minutes: float, type: str, **said: object) -> Fact:
    return Fact(id=id, event_id=id, at=at(minutes), type=type, owner_id="maker", **said)  # type: ignore[arg-type]


def pack(id: str, minutes: float, parent: str, *things: str, action: str = "ADD", **said: object) -> Fact:
    return fact(id, minutes, AGGREGATION, action=action, parent=parent, things=things, **said)


def make(id: str, minutes: float, inputs: str, outputs: str, run: str | None = None) -> Fact:
    return fact(id, minutes, TRANSFORMATION, inputs=tuple(inputs.split()), outputs=tuple(outputs.split()), run=run)


def walk(
    facts: Iterable[Fact], *roots: str, direction: Direction = FORWARD, depth: int = 50, until: datetime | None = None
) -> Walk:
    """Runs a walk that is given facts only by the keys that it asks for."""
    facts = [one for one in facts if until is None or one.at <= until]
    known = Known()
    found = Walk(known, roots, direction, depth)
    while found.pending:
        if wanted := found.needs():
            known.take(wanted, [one for one in facts if wanted.intersection(keys_of(one))])
        else:
            found.advance()
    return found


def keys_of(one: Fact) -> set[str]:
    return {*one.named, *one.lots.values(), *(paper for _, paper in one.papers), *([one.run] if one.run else [])}


def products(found: Walk) -> set[str]:
    return {node.id for node in found.nodes.values() if node.role in (Role.ROOT, Role.PRODUCT)}


def carriers(found: Walk) -> set[str]:
    return {node.id for node in found.nodes.values() if node.role is Role.CARRIER}


# --- stays -----------------------------------------------------------------------------------------------------------


def spans(stays: list[Stay]) -> list[tuple[str, float, float | None]]:
    def minutes(time: datetime) -> float:
        return (time - NOON) / timedelta(minutes=1)

    return [(stay.parent, minutes(stay.since), minutes(stay.until) if stay.until else None) for stay in stays]


def test_a_thing_is_in_a_parent_from_add_until_delete() -> None:
    facts = [pack("1", 1, "p", "a", "b"), pack("2", 5, "p", "a", action="DELETE")]
    assert spans(fold_stays("a", facts)) == [("p", 1, 5)]
    assert spans(fold_stays("b", facts)) == [("p", 1, None)]


def test_an_observation_begins_a_stay_and_does_not_end_that_of_who_was_not_seen() -> None:
    facts = [pack("1", 1, "p", "a", "b"), pack("2", 3, "p", "b", "c", action="OBSERVE")]
    assert [spans(fold_stays(name, facts)) for name in "abc"] == [[("p", 1, None)], [("p", 1, None)], [("p", 3, None)]]


def test_a_delete_without_children_takes_out_all() -> None:
    facts = [pack("1", 1, "p", "a"), pack("2", 4, "p", action="DELETE"), pack("3", 6, "p", "a")]
    assert spans(fold_stays("a", facts)) == [("p", 1, 4), ("p", 6, None)]


def test_the_next_word_moves_a_thing_and_the_end_of_its_life_ends_its_stay() -> None:
    end = fact("3", 9, "ObjectEvent", action="DELETE", things=("a",))
    facts = [pack("1", 1, "p", "a"), pack("2", 4, "q", "a"), pack("4", 5, "p", "a", action="DELETE"), end]
    assert spans(fold_stays("a", facts)) == [("p", 1, 4), ("q", 4, 9)]


def test_a_class_is_there_until_as_much_was_taken_out_as_was_put_in() -> None:
    def amounts(id: str, minutes: float, action: str, quantity: float | None) -> Fact:
        return pack(id, minutes, "p", action=action, amounts=(Amount("lot", quantity, "KGM"),))

    facts = [amounts("1", 1, "ADD", 5), amounts("2", 2, "ADD", 2.5), amounts("3", 3, "DELETE", 7)]
    assert spans(fold_stays("lot", facts)) == [("p", 1, None)]
    assert spans(fold_stays("lot", [*facts, amounts("4", 4, "DELETE", 0.5)])) == [("p", 1, 4)]
    assert spans(fold_stays("lot", [*facts, amounts("4", 4, "DELETE", None)])) == [("p", 1, 4)]
    unsaid = [amounts("1", 1, "ADD", None), amounts("2", 2, "DELETE", 9)]
    assert spans(fold_stays("lot", unsaid)) == [("p", 1, None)]


def test_a_thing_may_be_tied_to_several_and_is_in_none_of_them() -> None:
    def tie(id: str, minutes: float, host: str, action: str = "ADD") -> Fact:
        return fact(id, minutes, ASSOCIATION, action=action, parent=host, things=("seal",))

    found = fold_stays("seal", [tie("1", 1, "box"), tie("2", 2, "truck"), tie("3", 3, "box", "DELETE")])
    assert spans(found) == [("box", 1, 3), ("truck", 2, None)]
    assert {stay.relation for stay in found} == {"attached"}


@given(st.randoms(use_true_random=False))
def test_the_order_of_arrival_plays_no_part(chance: random.Random) -> None:
    facts = some_history(chance)
    shuffled = facts * 2
    chance.shuffle(shuffled)
    for name in THINGS:
        assert fold_stays(name, facts) == fold_stays(name, shuffled)


# --- walks -----------------------------------------------------------------------------------------------------------


def test_what_was_made_from_it_over_cases_that_were_used_whole() -> None:
    facts = [
        pack("1", 1, "case", "flour"),
        make("2", 5, "case egg", "dough"),
        make("3", 8, "dough", "bread roll"),
        pack("4", 9, "tray", "bread", "stone"),
    ]
    assert products(walk(facts, "flour")) == {"flour", "dough", "bread", "roll"}
    assert carriers(walk(facts, "flour")) == {"case", "tray"}
    assert products(walk(facts, "bread", direction=BACK)) == {"bread", "dough", "case", "flour", "egg"}


def test_what_lay_beside_it_or_came_before_it_is_no_hit() -> None:
    facts = [
        pack("1", 1, "pallet", "good"),
        make("2", 2, "tank", "early"),
        pack("3", 3, "pallet", "bad"),
        pack("4", 3, "tank", "bad drum"),
        pack("5", 6, "pallet", "bad", action="DELETE"),
        make("6", 8, "pallet", "later"),
    ]
    assert products(walk(facts, "bad")) == {"bad"}
    assert products(walk(facts, "bad drum")) == {"bad drum"}
    assert products(walk(facts, "early", direction=BACK)) == {"early", "tank"}
    assert products(walk(facts, "later", direction=BACK)) == {"later", "pallet", "good"}


def test_events_of_one_run_are_one_transformation() -> None:
    facts = [make("1", 1, "milk", "", "r"), make("2", 4, "", "cheese", "r"), make("3", 6, "salt", "", "r")]
    assert products(walk(facts, "cheese", direction=BACK)) == {"cheese", "milk", "salt"}
    assert products(walk(facts, "salt")) == {"salt", "cheese"}
    assert walk(facts, "milk").nodes["r"].role is Role.RUN


def test_a_lot_leads_to_its_items_and_an_item_to_its_lot_but_not_to_its_sisters() -> None:
    born = fact("1", 1, "ObjectEvent", action="ADD", things=("i", "j"), lots={"i": "lot", "j": "lot"})
    facts = [make("0", 0, "seed", "lot"), born]
    assert products(walk(facts, "seed")) == {"seed", "lot", "i", "j"}
    assert products(walk(facts, "i", direction=BACK)) == {"i", "lot", "seed"}
    assert products(walk(facts, "i")) == {"i"}


def test_a_paper_leads_to_what_it_covers() -> None:
    shipped = fact("1", 3, "ObjectEvent", action="OBSERVE", things=("pallet",), papers=(("desadv", "note-7"),))
    facts = [pack("0", 1, "pallet", "a"), shipped, pack("2", 9, "pallet", "later")]
    assert products(walk(facts, "note-7")) == {"note-7", "pallet", "a", "later"}
    assert products(walk(facts, "note-7", direction=BACK)) == {"note-7", "pallet", "a"}


def test_at_a_past_time_what_came_later_is_not_there() -> None:
    facts = [make("1", 1, "a", "b"), make("2", 5, "b", "c")]
    assert products(walk(facts, "a", until=at(4))) == {"a", "b"}


def test_a_walk_that_is_cut_by_its_depth_says_so() -> None:
    facts = [make(str(n), n, f"x{n}", f"x{n + 1}") for n in range(9)]
    cut = walk(facts, "x0", depth=3)
    assert (products(cut), cut.is_whole) == ({"x0", "x1", "x2", "x3"}, False)
    whole = walk(facts, "x0", depth=9)
    assert (len(products(whole)), whole.is_whole) == (10, True)


def test_things_within_each_other_end() -> None:
    facts = [pack("1", 1, "a", "b"), pack("2", 2, "b", "a"), make("3", 3, "a", "b"), make("4", 4, "b", "a")]
    for direction in Direction:
        assert products(walk(facts, "a", direction=direction)) == {"a", "b"}


# --- against a naive reading -------------------------------------------------------------------------------------------

THINGS = [f"t{n}" for n in range(7)]
PARENTS = ["p0", "p1", "p2"]


def some_history(chance: random.Random) -> list[Fact]:
    """Up to 14 events over ten things, some at the same time."""
    found = []
    for n in range(chance.randrange(14)):
        minutes, id = chance.randrange(8), f"e{chance.randrange(100):02}{n:02}"
        some = tuple(chance.sample(THINGS, chance.randint(1, 3)))
        kind = chance.randrange(6)
        if kind < 3:
            action = chance.choice(["ADD", "OBSERVE", "DELETE"])
            children = some if action != "DELETE" or chance.random() < 0.7 else ()
            nested = (*children, *chance.sample(PARENTS, 1)) if children and chance.random() < 0.3 else children
            found.append(pack(id, minutes, chance.choice(PARENTS), *nested, action=action))
        elif kind < 5:
            outputs = tuple(chance.sample(THINGS, 2))
            inputs = (*some, *chance.sample(PARENTS, chance.randrange(2)))
            run = chance.choice([None, None, "r1"])
            found.append(fact(id, minutes, TRANSFORMATION, inputs=inputs, outputs=outputs, run=run))
        else:
            lots = {some[0]: "lot"} if chance.random() < 0.5 else {}
            action = "ADD" if lots else chance.choice(["OBSERVE", "DELETE"])
            found.append(fact(id, minutes, "ObjectEvent", action=action, things=some, lots=lots))
    return found


def naive_stays(thing: str, facts: list[Fact]) -> list[tuple[str, datetime, datetime]]:
    """Asks at each event's time where the thing is, by replaying everything up to it."""

    def parent_after(count: int) -> str | None:
        here = None
        for one in ordered[:count]:
            names = one.parent is not None and one.parent != thing and one.type == AGGREGATION
            if names and thing in one.things and one.action in ("ADD", "OBSERVE"):
                here = one.parent
            elif names and one.action == "DELETE" and one.parent == here and (thing in one.things or not one.things):
                here = None
            here = None if one.type == "ObjectEvent" and one.action == "DELETE" and thing in one.things else here
        return here

    ordered = sorted(facts, key=lambda one: (one.at, one.event_id))
    states = [(ordered[n].at, parent_after(n + 1)) for n in range(len(ordered))]
    found: list[tuple[str, datetime, datetime]] = []
    for n, (time, parent) in enumerate(states):
        end = states[n + 1][0] if n + 1 < len(states) else END
        if parent is None or time == end:
            continue
        if found and found[-1][0] == parent and found[-1][2] == time and unbroken(states, n, parent, time):
            found[-1] = (parent, found[-1][1], end)
        else:
            found.append((parent, time, end))
    return found


def unbroken(states: list[tuple[datetime, str | None]], n: int, parent: str, time: datetime) -> bool:
    """Whether it was in the parent all the while, also between events of one time."""
    before = [state for when, state in states[:n] if when == time]
    return all(state == parent for state in before)


def naive_trace(facts: list[Fact], root: str, direction: Direction) -> set[str]:
    """The products, by trying every rule on every pair until nothing is new."""
    names = {name for one in facts for name in keys_of(one)} | {root}
    stays = {name: naive_stays(name, facts) for name in names}
    runs: dict[str, list[Fact]] = {}
    for one in facts:
        if one.type == TRANSFORMATION:
            runs.setdefault(one.run or one.event_id, []).append(one)
    rule = _naive_forward if direction is FORWARD else _naive_back
    states = {("product", root, BEGIN, END)}
    while True:
        grown = states | {new for state in states for new in rule(state, facts, stays, runs)}
        if grown == states:
            return {name for role, name, _, _ in states if role == "product"}
        states = grown


def _naive_forward(state: tuple, facts: list[Fact], stays: dict, runs: dict) -> Iterable[tuple]:
    role, name, since, until = state
    for run in runs.values():
        if any(name in one.inputs and since <= one.at <= until for one in run):
            yield from (("product", out, one.at, END) for one in run for out in one.outputs)
    for parent, start, end in stays[name]:
        if start < until and end > since:
            yield "carrier", parent, max(start, since), min(end, until)
    if role == "product":
        yield from (("product", thing, one.at, END) for one in facts for thing, lot in one.lots.items() if lot == name)
        for child, spent in stays.items():
            for parent, start, end in spent:
                if parent == name and start < until and end >= since:
                    yield "product", child, max(start, since), END


def _naive_back(state: tuple, facts: list[Fact], stays: dict, runs: dict) -> Iterable[tuple]:
    role, name, since, until = state
    for run in runs.values():
        if any(name in one.outputs and one.at <= until for one in run):
            yield from (("product", put, one.at, one.at + MOMENT) for one in run for put in one.inputs)
    for parent, start, end in stays[name]:
        if start < until and (role == "product" or end > since):
            begin = since if role == "carrier" else BEGIN
            yield "carrier", parent, max(start, begin), min(end, until)
    if role == "product":
        yield from (("product", lot, since, until) for one in facts for thing, lot in one.lots.items() if thing == name)
        for child, spent in stays.items():
            for parent, start, end in spent:
                if parent == name and start < until and end >= since:
                    yield "product", child, max(start, since), min(end + MOMENT, until) if end != END else until


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(list(Direction)))
def test_a_walk_finds_what_a_naive_reading_finds(chance: random.Random, direction: Direction) -> None:
    facts = some_history(chance)
    root = chance.choice([*THINGS, *PARENTS, "lot"])
    assert products(walk(facts, root, direction=direction)) == naive_trace(facts, root, direction)


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_stays_are_those_of_a_naive_replay(chance: random.Random) -> None:
    facts = some_history(chance)
    for name in (*THINGS, *PARENTS):
        folded = [(stay.parent, stay.since, stay.until or END) for stay in fold_stays(name, facts)]
        assert folded == naive_stays(name, facts)


@pytest.mark.parametrize("direction", list(Direction))
def test_what_has_no_events_is_alone(direction: Direction) -> None:
    found = walk([], "x", direction=direction)
    assert (list(found.nodes), found.steps, found.is_whole) == (["x"], {}, True)
